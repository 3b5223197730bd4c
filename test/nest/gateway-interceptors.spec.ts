import { type ExecutionContext, UseFilters, UseInterceptors } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  CircuitBreakerInterceptor,
  FallbackInterceptor,
  RateLimitInterceptor,
  ResilienceExceptionFilter,
  ResilienceInterceptor,
  ResilienceRegistry,
  TimeLimitInterceptor,
} from 'nestjs-bulwark';
import { concat, NEVER, Observable, of, throwError } from 'rxjs';
import { ADAPTERS, closeAll, serve, type World } from './support/app.js';
import { ask as askOn, connectTo, type Socket } from './support/ws-client.js';

const roomOf = (context: ExecutionContext): string =>
  context.switchToWs().getData<{ room: string }>().room;

@WebSocketGateway({ path: '/chat' })
@UseFilters(ResilienceExceptionFilter)
class Chat {
  runs = 0;
  left = 0;

  @SubscribeMessage('preset')
  @UseInterceptors(ResilienceInterceptor.with('chat'))
  preset(@MessageBody() { text }: { text: string }): { event: string; data: string } {
    this.runs += 1;
    if (this.runs < 3) throw new Error('down');
    return { event: 'said', data: text };
  }

  @SubscribeMessage('keyed')
  @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 1, key: roomOf }))
  async keyed(
    @MessageBody() { fail }: { fail: boolean },
  ): Promise<{ event: string; data: string }> {
    if (fail) throw new Error('down');
    return { event: 'said', data: 'fine' };
  }

  @SubscribeMessage('limited')
  @UseInterceptors(RateLimitInterceptor.with({ limit: 1, per: 60_000, key: roomOf }))
  limited(): { event: string; data: string } {
    return { event: 'said', data: 'fine' };
  }

  @SubscribeMessage('instead')
  @UseInterceptors(
    FallbackInterceptor.with((_error, context: ExecutionContext) => ({
      event: 'instead',
      data: roomOf(context),
    })),
  )
  instead(): Observable<never> {
    return throwError(() => new Error('down'));
  }

  @SubscribeMessage('slow')
  @UseInterceptors(TimeLimitInterceptor.with({ ms: 100, idle: 100 }))
  slow(): Observable<{ event: string; data: number }> {
    return new Observable((subscriber) => {
      concat(of({ event: 'counted', data: 1 }), NEVER).subscribe(subscriber);
      return () => (this.left += 1);
    });
  }
}

let world: World;
let socket: Socket;
beforeEach(async () => {
  world = await serve(ADAPTERS[0][1], {
    providers: [Chat],
    bulwark: {
      health: false,
      presets: { chat: { retry: { maxAttempts: 3, delay: 10, jitter: 'none' } } },
    },
    prepare: (app) => {
      app.useWebSocketAdapter(new WsAdapter(app));
    },
  });
  const { port } = world.app.getHttpServer().address() as { port: number };
  socket = await connectTo(`ws://127.0.0.1:${port}/chat`);
});
afterEach(async () => {
  socket.close();
  await closeAll();
});

const ask = (event: string, data: object, answers = 1): Promise<unknown[]> =>
  askOn(socket, event, data, answers);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('interceptors on handlers of a gateway', () => {
  it('#13 take presets, and run the handler again for each attempt', async () => {
    const answer = ask('preset', { text: 'hello' });
    while (world.app.get(Chat).runs < 3) {
      await turn();
      await world.clock.advance(10);
    }

    expect(await answer).toEqual([{ event: 'said', data: 'hello' }]);
    expect(world.app.get(Chat).runs).toBe(3);
  });

  it('take their key from the message', async () => {
    const code = async (room: string, fail = false): Promise<unknown> => {
      const [answer] = (await ask('keyed', { room, fail })) as [{ data: { code?: string } }];
      return answer.data.code ?? answer.data;
    };
    await code('a', true);

    expect([await code('a'), await code('b')]).toEqual(['CIRCUIT_OPEN', 'fine']);
    const { breakers } = world.app.get(ResilienceRegistry);
    expect(breakers.keyedReader('Chat.keyed')!.reader('a')!.state).toBe('open');
  });

  it('limit the rate of each room, with the time to come back', async () => {
    expect(await ask('limited', { room: 'a' })).toEqual([{ event: 'said', data: 'fine' }]);
    expect(await ask('limited', { room: 'b' })).toEqual([{ event: 'said', data: 'fine' }]);
    expect(await ask('limited', { room: 'a' })).toMatchObject([
      { event: 'exception', data: { code: 'RATE_LIMITED', retryAfter: 60_000 } },
    ]);
  });

  it('answer by a fallback that gets the context', async () => {
    expect(await ask('instead', { room: 'a' })).toEqual([{ event: 'instead', data: 'a' }]);
  });

  it('leave a stream that falls silent', async () => {
    const answers = ask('slow', {}, 2);
    while (world.clock.pending === 0) await turn();
    await world.clock.advance(100);

    expect(await answers).toMatchObject([
      { event: 'counted', data: 1 },
      { event: 'exception', data: { code: 'CALL_TIMEOUT' } },
    ]);
    expect(world.app.get(Chat).left).toBe(1);
  });
});
