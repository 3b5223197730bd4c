import {
  Body,
  Controller,
  Get,
  type INestApplication,
  Post,
  UseInterceptors,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  CheckpointComponent,
  CheckpointInterceptor,
  Durable,
  DurableMap,
  ResilienceModule,
} from 'nestjs-bulwark';
import { Disk, StagedStore } from '../../unit/checkpoint/staged-store.js';

interface Deposit {
  readonly to: string;
  readonly amount: number;
  readonly fail?: boolean;
}

@Controller('accounts')
@CheckpointComponent({ name: 'accounts' })
class Accounts {
  @Durable() readonly balances = new DurableMap<string, number>();

  @Post()
  @UseInterceptors(CheckpointInterceptor)
  async deposit(@Body() { to, amount, fail }: Deposit): Promise<{ balance: number }> {
    const balance = this.balances.update(to, (before) => (before ?? 0) + amount);
    await Promise.resolve();
    if (fail === true) throw new Error('refused');
    return { balance };
  }

  @Get()
  all(): unknown {
    return Object.fromEntries(this.balances);
  }
}

interface Served {
  readonly app: INestApplication;
  readonly url: string;
  post(deposit: Deposit): Promise<Response>;
}

async function serve(disk: Disk, adapter?: FastifyAdapter): Promise<Served> {
  const module = await Test.createTestingModule({
    imports: [
      ResilienceModule.forRoot({
        checkpoint: { store: new StagedStore(disk), verify: true },
        health: false,
      }),
    ],
    controllers: [Accounts],
  }).compile();
  const app: INestApplication =
    adapter === undefined
      ? module.createNestApplication({ logger: false })
      : module.createNestApplication(adapter, { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/accounts`;
  const post = (deposit: Deposit): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      body: JSON.stringify(deposit),
      headers: { 'content-type': 'application/json' },
    });
  return { app, url, post };
}

it.each<[string, () => FastifyAdapter | undefined]>([
  ['Express', () => undefined],
  ['Fastify', () => new FastifyAdapter()],
])('a handler keeps what it does to its controller, on %s', async (_name, adapter) => {
  const disk = new Disk();
  const first = await serve(disk, adapter());
  expect(await (await first.post({ to: 'a', amount: 5 })).json()).toEqual({ balance: 5 });
  expect((await first.post({ to: 'a', amount: 5, fail: true })).status).toBe(500);
  const many = Array.from({ length: 10 }, () => first.post({ to: 'b', amount: 1 }));
  await Promise.all(many);
  expect(await (await fetch(first.url)).json()).toEqual({ a: 5, b: 10 });
  const second = await serve(disk, adapter());
  expect(await (await fetch(second.url)).json()).toEqual({ a: 5, b: 10 });
  await first.app.close();
  await second.app.close();
});

it('is refused on a controller that is no component', async () => {
  @Controller('plain')
  class Plain {
    @Post()
    @UseInterceptors(CheckpointInterceptor)
    async work(): Promise<void> {}
  }
  const boot = Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ health: false })],
    controllers: [Plain],
  })
    .compile()
    .then((module) => module.createNestApplication({ logger: false }).init());
  await expect(boot).rejects.toThrow(/Plain\.work CheckpointInterceptor: Plain is no component/);
});
