import { Test } from '@nestjs/testing';
import { once } from 'node:events';
import { UseFilters } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import {
  CircuitBreaker,
  Fallback,
  RateLimit,
  RateLimitedError,
  ResilienceExceptionFilter,
  ResilienceModule,
  Retry,
} from 'nestjs-bulwark';
import { from, map, Observable } from 'rxjs';
import { ADAPTERS, closeAll, serve, type World } from './support/app.js';
import { ask as askOn, connectTo, type Socket } from './support/ws-client.js';

@WebSocketGateway({ path: '/chat' })
class Chat {
  runs = 0;

  @Retry({ maxAttempts: 3, delay: 0 })
  @SubscribeMessage('say')
  async say(@MessageBody() text: string): Promise<{ event: string; data: string }> {
    this.runs += 1;
    return { event: 'said', data: text.toUpperCase() };
  }

  @SubscribeMessage('count')
  @Retry({ maxAttempts: 3, delay: 0 })
  count(@MessageBody() to: number): Observable<{ event: string; data: number }> {
    return from(Array.from({ length: to }, (_, i) => i + 1)).pipe(
      map((data) => ({ event: 'counted', data })),
    );
  }

  @SubscribeMessage('broken')
  @Fallback((_error, text: string) => ({ event: 'instead', data: text }))
  @CircuitBreaker()
  async broken(
    @MessageBody() _text: string,
    @ConnectedSocket() _socket: unknown,
  ): Promise<{ event: string; data: string }> {
    throw new Error('down');
  }

  @CircuitBreaker({ failureThreshold: 1 })
  @SubscribeMessage('refused')
  async refused(): Promise<void> {
    throw new Error('down');
  }

  @UseFilters(ResilienceExceptionFilter)
  @CircuitBreaker({ failureThreshold: 1 })
  @SubscribeMessage('filtered')
  async filtered(): Promise<void> {
    throw new Error('down');
  }
}

let world: World;
let socket: Socket;

async function connect(): Promise<void> {
  world = await serve(ADAPTERS[0][1], {
    providers: [Chat],
    prepare: (app) => {
      app.useWebSocketAdapter(new WsAdapter(app));
    },
  });
  const { port } = world.app.getHttpServer().address() as { port: number };
  socket = await connectTo(`ws://127.0.0.1:${port}/chat`);
}

const ask = (event: string, data: unknown, answers = 1): Promise<unknown[]> =>
  askOn(socket, event, data, answers);

afterEach(async () => {
  socket?.close();
  await closeAll();
});

describe('gateway handlers over a WebSocket', () => {
  it('#4 answer once, whether ours stands above or below', async () => {
    await connect();

    expect(await ask('say', 'hello')).toEqual([{ event: 'said', data: 'HELLO' }]);
    expect(await ask('count', 3, 3)).toEqual([1, 2, 3].map((data) => ({ event: 'counted', data })));
    expect(world.app.get(Chat).runs).toBe(1);
  });

  it('have their policies, and the fallback gets the arguments of the handler', async () => {
    await connect();

    expect(await ask('broken', 'hello')).toEqual([{ event: 'instead', data: 'hello' }]);
  });

  it('a refusal is an exception message that says nothing of our names', async () => {
    await connect();
    await ask('refused', 1);

    const [answer] = await ask('refused', 1);

    expect(answer).toMatchObject({ event: 'exception', data: { status: 'error' } });
    expect(JSON.stringify(answer)).not.toContain('Chat');
  });

  it('a refusal is an exception message with code and time to wait under the exception filter', async () => {
    await connect();
    await ask('filtered', 1);

    const [answer] = await ask('filtered', 1);

    expect(answer).toMatchObject({
      event: 'exception',
      data: {
        status: 'error',
        message: 'service unavailable',
        code: 'CIRCUIT_OPEN',
        retryAfter: expect.any(Number) as number,
      },
    });
  });
});

describe('connections of a gateway', () => {
  it('that are refused are closed by a fallback, and nothing is unhandled', async () => {
    interface Client {
      close(): void;
    }
    @WebSocketGateway({ path: '/door' })
    class Door {
      @Fallback({
        handler: (_error, client: Client) => client.close(),
        on: RateLimitedError,
      })
      @RateLimit({ limit: 1, per: 60_000 })
      async handleConnection(_client: Client): Promise<void> {}
    }
    const door = await serve(ADAPTERS[0][1], {
      providers: [Door],
      prepare: (app) => {
        app.useWebSocketAdapter(new WsAdapter(app));
      },
    });
    const { port } = door.app.getHttpServer().address() as { port: number };
    const [first, second] = [
      await connectTo(`ws://127.0.0.1:${port}/door`),
      await connectTo(`ws://127.0.0.1:${port}/door`),
    ];
    await once(second, 'close');
    first.close();
  });

  it('cannot be refused without a fallback: nobody would hear of it, and the process would end', async () => {
    @WebSocketGateway({ path: '/door' })
    class Door {
      @RateLimit({ limit: 1, per: 60_000 })
      async handleConnection(): Promise<void> {}
    }
    const boot = Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health: false })],
      providers: [Door],
    })
      .compile()
      .then((app) => app.init());
    await expect(boot).rejects.toThrow(/Door\.handleConnection: Nest does not await it/);
  });
});
