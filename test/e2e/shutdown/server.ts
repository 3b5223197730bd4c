// One server as a process of its own, for `shutdown.spec.ts`; what it is asked for comes in as JSON.
import 'reflect-metadata';
import {
  Controller,
  Get,
  HttpCode,
  Injectable,
  Inject,
  type MessageEvent,
  Module,
  type OnModuleInit,
  Param,
  Post,
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
  ResilienceModule,
  ResilienceService,
  Retry,
  TimeLimit,
} from '../../../lib/index.js';
import { ApplicationShutdown } from '../../../lib/nest/recovery/shutdown.providers.js';
import type { ShutdownOptions } from '../../../lib/recovery/recovery.options.js';

export interface Settings {
  readonly adapter: 'Express' | 'Fastify';
  readonly shutdown: ShutdownOptions;
  /** Milliseconds that its start takes. */
  readonly boot?: number;
}

/** What a server tells whoever started it. */
export type News =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'booting' }
  | { readonly type: 'working' }
  | { readonly type: 'hook'; readonly answer: unknown }
  | { readonly type: 'closed' };

const { adapter, shutdown, boot = 0 } = JSON.parse(process.env['SERVER_SETTINGS']!) as Settings;
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

  @Post('shutdown')
  @HttpCode(202)
  shutdown(): { accepted: boolean } {
    const accepted = !end.isShuttingDown;
    void end.shutdown('asked');
    return { accepted };
  }
}

@Module({
  imports: [ResilienceModule.forRoot()],
  controllers: [Pages],
  providers: [Work],
})
class App {}

const app = await NestFactory.create(
  App,
  adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter(),
  { logger: ['log', 'warn', 'error'] },
);
const end = app.get(ApplicationShutdown);
Object.assign(end, shutdown);
end.attach(app);
end.connect({
  hooks: () => [
    {
      name: 'last',
      from: 'server',
      dependsOn: [],
      run: async () => {
        const call = (): Promise<string> => Promise.resolve('kept');
        const answer = await app
          .get(ResilienceService)
          .execute('last', call, { circuitBreaker: {} });
        tell({ type: 'hook', answer });
      },
    },
  ],
  record: () => {},
});
await app.listen(0, '127.0.0.1');
const server = app.getHttpServer() as Server;
tell({ type: 'listening', port: (server.address() as AddressInfo).port });
