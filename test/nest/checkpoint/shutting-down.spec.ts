// The end of an application, as calls of components see it.
import { Injectable } from '@nestjs/common';
import { Checkpoint, CheckpointComponent, Durable, DurableMap } from 'nestjs-bulwark';
import { ApplicationRuntime } from '../../../lib/nest/application-runtime.js';
import { settle } from '../../../lib/testing/index.js';
import { StagedStore } from '../../unit/checkpoint/staged-store.js';
import { boot, closeAll, deferred } from '../support/app.js';

afterEach(closeAll);

@Injectable()
@CheckpointComponent({ name: 'stock' })
class Stock {
  @Durable() readonly items = new DurableMap<string, number>();

  @Checkpoint()
  async take(id: string, until: Promise<void> = Promise.resolve()): Promise<string> {
    await until;
    this.items.set(id, 1);
    return 'taken';
  }
}

@Injectable()
@CheckpointComponent({ name: 'orders' })
class Orders {
  @Durable() readonly orders = new DurableMap<string, string>();

  constructor(private readonly stock: Stock) {}

  @Checkpoint()
  async order(id: string): Promise<string> {
    this.orders.set(id, await this.stock.take(id));
    return 'ordered';
  }
}

const caught = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

it('#92 who waits for the turn in a component is sent away; who has one elsewhere goes on', async () => {
  const { app } = await boot({
    providers: [Stock, Orders],
    bulwark: { checkpoint: { store: new StagedStore(), verify: true }, health: false },
  });
  const [stock, orders, runtime] = [app.get(Stock), app.get(Orders), app.get(ApplicationRuntime)];
  const { promise, resolve } = deferred();
  const holder = stock.take('a', promise);
  // the one that waits inside it began before, and another one begins while it drains
  const inside = orders.order('b');
  const waiting = [caught(stock.take('c')), caught(orders.order('d'))];
  await settle();
  runtime.drain();
  waiting.push(caught(stock.take('e')));
  await settle();
  await expect(Promise.all(waiting)).resolves.toMatchObject(
    Array(3).fill({ code: 'SHUTTING_DOWN', policy: 'shutdown' }),
  );

  resolve();
  await expect(Promise.all([holder, inside])).resolves.toEqual(['taken', 'ordered']);
  expect([...stock.items.keys()]).toEqual(['a', 'b']);
  expect([...orders.orders.keys()]).toEqual(['b']);
  expect(runtime.inFlight).toBe(0);
  expect(await orders.order('f')).toBe('ordered');
});

it('#92 what is cut before it is in the journal has not been, and its component is free', async () => {
  const { app } = await boot({
    providers: [Stock],
    bulwark: { checkpoint: { store: new StagedStore(), verify: true }, health: false },
  });
  const [stock, runtime] = [app.get(Stock), app.get(ApplicationRuntime)];
  const { promise, resolve } = deferred();
  const call = caught(stock.take('a', promise));
  await settle();
  runtime.drain();
  runtime.cut();
  await expect(call).resolves.toMatchObject({ code: 'SHUTTING_DOWN' });
  resolve();
  await settle();

  expect(stock.items.size).toBe(0);
  await expect(stock.take('b')).resolves.toBe('taken');
});
