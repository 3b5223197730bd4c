// One server as a process of its own, for `shutdown.spec.ts`; what it is asked for comes in as JSON.
import 'reflect-metadata';
import {
  Controller,
  Get,
  Injectable,
  Inject,
  type MessageEvent,
  Module,
  type OnModuleInit,
  Param,
  Sse,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type Observable, NEVER, startWith } from 'rxjs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Bulkhead,
  CircuitBreaker,
  Checkpoint,
  CheckpointComponent,
  Durable,
  DurableMap,
  OnShutdown,
  RecoveryManager,
  ResilienceModule,
  Retry,
  TimeLimit,
} from '../../../lib/index.js';
import type { ShutdownOptions } from '../../../lib/recovery/recovery.options.js';

export interface Settings {
  readonly adapter: 'Express' | 'Fastify';
  readonly shutdown: ShutdownOptions;
  /** Where it keeps what is pending when it ends. */
  readonly directory: string;
  /** Milliseconds that its start takes. */
  readonly boot?: number;
}

/** What a server tells whoever started it. */
export type News =
  | { readonly type: 'listening'; readonly port: number; readonly kept: readonly string[] }
  | { readonly type: 'booting' }
  | { readonly type: 'working' }
  | { readonly type: 'hook'; readonly reason: string };

/** Opens the way to the shutdown route. */
const TOKEN = 'a-token-of-the-tests-of-thirty-two-characters';

const {
  adapter,
  shutdown,
  directory,
  boot = 0,
} = JSON.parse(process.env['SERVER_SETTINGS']!) as Settings;
const tell = (news: News): void => void process.send?.(news);
const sleep = (span: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, span));

@Injectable()
class Work implements OnModuleInit {
  async onModuleInit(): Promise<void> {
    tell({ type: 'booting' });
    if (boot > 0) await sleep(boot);
  }

  @CircuitBreaker()
  @Bulkhead({ maxConcurrent: 50, maxQueue: 10, queueTimeout: 60_000 })
  async direct(span: number): Promise<string> {
    tell({ type: 'working' });
    await sleep(span);
    return 'done';
  }

  @TimeLimit(120_000)
  async limited(span: number): Promise<string> {
    tell({ type: 'working' });
    await sleep(span);
    return 'done';
  }

  @Retry({ delay: 60_000, maxDelay: 60_000, jitter: 'none' })
  async failing(): Promise<string> {
    tell({ type: 'working' });
    throw new Error('down');
  }
}

@Injectable()
@CheckpointComponent({ name: 'outbox' })
class Outbox {
  @Durable() readonly sent = new DurableMap<string, string>();

  @Checkpoint()
  async keep(id: string, reason: string): Promise<void> {
    this.sent.set(id, reason);
  }

  /** What is done last may make calls, and what they do is kept. */
  @OnShutdown()
  async flush(reason: string): Promise<void> {
    await this.keep('pending', reason);
    tell({ type: 'hook', reason });
  }
}

@Controller()
class Pages {
  constructor(@Inject(Work) private readonly work: Work) {}

  @Get('quick')
  quick(): string {
    return 'quick';
  }

  @Get('direct/:span')
  direct(@Param('span') span: string): Promise<string> {
    return this.work.direct(Number(span));
  }

  @Get('limited/:span')
  limited(@Param('span') span: string): Promise<string> {
    return this.work.limited(Number(span));
  }

  @Get('failing')
  failing(): Promise<string> {
    return this.work.failing();
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return NEVER.pipe(startWith({ data: 'hello' }));
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot({
      checkpoint: { directory },
      recovery: { shutdown, danger: ['shutdown'], access: { tokens: { danger: TOKEN } } },
    }),
  ],
  controllers: [Pages],
  providers: [Work, Outbox],
})
class App {}

const app = await NestFactory.create(
  App,
  adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter(),
  { logger: ['log', 'warn', 'error'] },
);
app.get(RecoveryManager).attach(app);
await app.listen(0, '127.0.0.1');
const server = app.getHttpServer() as Server;
const kept = [...app.get(Outbox).sent.values()];
tell({ type: 'listening', port: (server.address() as AddressInfo).port, kept });
