// Async message handlers that answer with a stream, behind our interceptors, over real TCP.
import { Controller, UseInterceptors } from '@nestjs/common';
import {
  ClientProxyFactory,
  MessagePattern,
  Payload,
  type ClientProxy,
  type TcpOptions,
  Transport,
} from '@nestjs/microservices';
import { BulkheadInterceptor, ResilienceInterceptor, ResilienceRegistry } from 'nestjs-bulwark';
import { lastValueFrom, Observable, of, throwError, concat, toArray } from 'rxjs';
import { createServer } from 'node:net';
import { boot, closeAll, deferred, eventLoopTurns, type World } from './support/app.js';

/** A stream of which we see who listens. */
class Tap {
  subscribed = 0;
  stopped = 0;
  emit!: (value: number) => void;
  complete!: () => void;
  fail!: () => void;
  readonly stream = new Observable<number>((subscriber) => {
    this.subscribed += 1;
    this.emit = (value) => subscriber.next(value);
    this.complete = () => subscriber.complete();
    this.fail = () => subscriber.error(new Error('late'));
    return () => (this.stopped += 1);
  });
}

let tap: Tap;
let gate: ReturnType<typeof deferred<Observable<number>>>;
const limited = { timeLimit: 100, bulkhead: { maxConcurrent: 1, maxQueue: 0 } };

@Controller()
class Streams {
  @MessagePattern('count')
  @UseInterceptors(BulkheadInterceptor.with({ maxConcurrent: 1, maxQueue: 0 }))
  async count(@Payload() to: number): Promise<Observable<number>> {
    return of(...Array.from({ length: to }, (_, i) => i + 1));
  }

  @MessagePattern('breaks')
  @UseInterceptors(BulkheadInterceptor.with({ maxConcurrent: 1, maxQueue: 0 }))
  async breaks(): Promise<Observable<number>> {
    return concat(
      of(1),
      throwError(() => new Error('broke')),
    );
  }

  @MessagePattern('gated')
  @UseInterceptors(ResilienceInterceptor.with(limited))
  async gated(): Promise<Observable<number>> {
    return gate.promise;
  }

  @MessagePattern('declared')
  @UseInterceptors(ResilienceInterceptor.with(limited))
  declared(): Observable<number> {
    return tap.stream;
  }
}

let world: World;
let client: ClientProxy | undefined;

beforeEach(async () => {
  tap = new Tap();
  gate = deferred();
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const options: TcpOptions = { transport: Transport.TCP, options: { host: '127.0.0.1', port } };
  world = await boot({
    controllers: [Streams],
    prepare: (app) => {
      app.connectMicroservice(options, { inheritAppConfig: true });
    },
  });
  await world.app.startAllMicroservices();
  client = ClientProxyFactory.create(options as never) as unknown as ClientProxy;
});

afterEach(async () => {
  client?.close();
  await closeAll();
});

const ask = (pattern: string, data: unknown = 0): Promise<unknown> =>
  lastValueFrom(client!.send(pattern, data).pipe(toArray()));

const running = (method: string): number =>
  world.app.get(ResilienceRegistry).bulkheads.reader(`Streams.${method}`)!.snapshot().running;

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i += 1) await eventLoopTurns();
  expect(condition()).toBe(true);
}

it('send every value and free the slot at the end', async () => {
  expect(await ask('count', 3)).toEqual([1, 2, 3]);
  expect(await ask('count', 0)).toEqual([]);
  expect(await ask('count', 1)).toEqual([1]);
  expect(running('count')).toBe(0);
});

it('that break after a value tell the caller and free the slot', async () => {
  await expect(ask('breaks')).rejects.toMatchObject({ status: 'error' });
  expect(running('breaks')).toBe(0);
});

it('hold the slot while they emit, and go on though their client hears no more', async () => {
  const heard: unknown[] = [];
  const subscription = client!.send('gated', 0).subscribe((value) => heard.push(value));
  await until(() => running('gated') === 1);
  gate.resolve(tap.stream);
  await until(() => tap.subscribed === 1);
  tap.emit(1);
  await until(() => heard.length === 1);
  await world.clock.advance(1_000); // the limit is for the first value

  expect(running('gated')).toBe(1);
  subscription.unsubscribe(); // Nest tells no server of that
  tap.complete();
  expect([tap.stopped, running('gated')]).toEqual([1, 0]);
});

// until its first value nothing tells a stream in a promise from the promise
describe.each([
  ['before the handler has answered', false],
  ['before the first value', true],
])('out of time %s', (_, answered) => {
  async function runOutOfTime(): Promise<void> {
    const answer = ask('gated').catch((error: unknown) => error);
    await until(() => running('gated') === 1);
    if (answered) {
      gate.resolve(tap.stream);
      await until(() => tap.subscribed === 1);
    }
    await world.clock.advance(100);
    expect(await answer).toMatchObject({ status: 'error' });
    gate.resolve(tap.stream);
    await until(() => tap.subscribed === 1);
    expect(running('gated')).toBe(1);
  }

  it('are stopped at their first value', async () => {
    await runOutOfTime();

    tap.emit(1);

    expect([tap.stopped, running('gated')]).toEqual([1, 0]);
  });

  it.each(['complete', 'fail'] as const)('free the slot when they %s without one', async (end) => {
    await runOutOfTime();

    tap[end]();

    expect([tap.stopped, running('gated')]).toEqual([1, 0]);
  });
});

it('out of time with a handler that fails later free the slot', async () => {
  const answer = ask('gated').catch((error: unknown) => error);
  await until(() => running('gated') === 1);
  await world.clock.advance(100);
  await answer;

  gate.reject(new Error('late'));
  await eventLoopTurns();

  expect(running('gated')).toBe(0);
});

it('declared as streams and out of time are stopped at once', async () => {
  const answer = ask('declared').catch((error: unknown) => error);
  await until(() => tap.subscribed === 1);
  await world.clock.advance(100);

  expect(await answer).toMatchObject({ status: 'error' });
  expect([tap.stopped, running('declared')]).toEqual([1, 0]);
});
