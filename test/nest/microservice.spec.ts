import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  type ClientProxy,
  type TcpOptions,
  Transport,
} from '@nestjs/microservices';
import {
  CircuitBreaker,
  Fallback,
  ResilienceExceptionFilter,
  ResilienceModule,
  Retry,
} from 'nestjs-bulwark';
import { firstValueFrom, from, lastValueFrom, Observable, toArray } from 'rxjs';
import { createServer } from 'node:net';
import { boot, closeAll, deferred, type World } from './support/app.js';

const moved = deferred<unknown>();

@Controller()
class Sums {
  runs = 0;

  @Retry({ maxAttempts: 3, delay: 0, jitter: 'none' })
  @MessagePattern({ cmd: 'sum' })
  async sum(@Payload() numbers: number[]): Promise<number> {
    this.runs += 1;
    return numbers.reduce((a, b) => a + b, 0);
  }

  @MessagePattern({ cmd: 'count' })
  @Retry({ maxAttempts: 3, delay: 0, jitter: 'none' })
  count(@Payload() to: number): Observable<number> {
    return from(Array.from({ length: to }, (_, i) => i + 1));
  }

  @MessagePattern({ cmd: 'broken' })
  @CircuitBreaker()
  @Fallback((_error, n: number) => n * 10)
  async broken(@Payload() _n: number): Promise<number> {
    throw new Error('down');
  }

  @MessagePattern({ cmd: 'refused' })
  @CircuitBreaker({ failureThreshold: 1 })
  async refused(): Promise<number> {
    throw new Error('down');
  }

  @CircuitBreaker()
  @EventPattern('moved')
  async onMoved(@Payload() where: string): Promise<void> {
    moved.resolve(where);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

let world: World;
let client: ClientProxy | undefined;

async function start(withFilter = false): Promise<void> {
  const options: TcpOptions = {
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: await freePort() },
  };
  world = await boot({
    controllers: [Sums],
    prepare: (app) => {
      if (withFilter) app.useGlobalFilters(app.get(ResilienceExceptionFilter));
      app.connectMicroservice(options, { inheritAppConfig: true });
    },
  });
  await world.app.startAllMicroservices();
  client = ClientProxyFactory.create(options as never) as unknown as ClientProxy;
}

const ask = (cmd: string, data: unknown): Promise<unknown> =>
  firstValueFrom(client!.send({ cmd }, data));

afterEach(async () => {
  client?.close();
  await closeAll();
});

describe('microservice handlers over TCP', () => {
  it('#4 a message handler below or above ours answers, and runs once', async () => {
    await start();

    expect(await ask('sum', [1, 2, 3])).toBe(6);
    expect(world.app.get(Sums).runs).toBe(1);
  });

  it('#4 a handler that returns a stream sends each value once', async () => {
    await start();

    const values = await lastValueFrom(client!.send({ cmd: 'count' }, 3).pipe(toArray()));

    expect(values).toEqual([1, 2, 3]);
  });

  it('#4 an event handler hears its event', async () => {
    await start();

    client!.emit('moved', 'Bern').subscribe();

    await expect(moved.promise).resolves.toBe('Bern');
  });

  it('has its policies: a fallback answers instead of an error', async () => {
    await start();

    expect(await ask('broken', 4)).toBe(40);
  });

  it('a refusal is an error answer, and does not leak its message', async () => {
    await start();
    await ask('refused', 0).catch(() => {});

    await expect(ask('refused', 0)).rejects.toEqual({
      status: 'error',
      message: 'Internal server error',
    });
  });

  it('a refusal is an error answer with the exception filter too, with code and time to wait', async () => {
    await start(true);
    await ask('refused', 0).catch(() => {});

    await expect(ask('refused', 0)).rejects.toMatchObject({
      status: 'error',
      message: 'service unavailable',
      code: 'CIRCUIT_OPEN',
      retryAfter: expect.any(Number) as number,
    });
  });

  it('without any HTTP server, a microservice alone has all of it', async () => {
    @Module({ imports: [ResilienceModule.forRoot()], controllers: [Sums] })
    class SumsModule {}
    const options: TcpOptions = {
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: await freePort() },
    };
    const service = await NestFactory.createMicroservice(SumsModule, { ...options, logger: false });
    service.useGlobalFilters(service.get(ResilienceExceptionFilter));
    await service.listen();
    client = ClientProxyFactory.create(options as never) as unknown as ClientProxy;

    expect(await ask('broken', 4)).toBe(40);
    await ask('refused', 0).catch(() => {});
    await expect(ask('refused', 0)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });

    client.close();
    await service.close();
  });
});
