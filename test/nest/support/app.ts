import type {
  DynamicModule,
  INestApplication,
  INestApplicationContext,
  LoggerService,
  ModuleMetadata,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { CLOCK, RANDOM, type ResilienceConfig, ResilienceModule } from 'nestjs-bulwark';
import { FakeClock, seededRandom } from 'nestjs-bulwark/testing';
import { LogBook } from './log-book.js';

export const ADAPTERS = [
  ['Express', (): ExpressAdapter => new ExpressAdapter()],
  ['Fastify', (): FastifyAdapter => new FastifyAdapter()],
] as const;

type MakeAdapter = (typeof ADAPTERS)[number][1];

export interface Setting extends ModuleMetadata {
  /** Of `forRoot`; or the module itself; or none. */
  bulwark?: ResilienceConfig | DynamicModule | 'none';
  build?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  prepare?: (app: INestApplication) => void | Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly json: unknown;
}

export interface World<A = INestApplication> {
  readonly app: A;
  readonly clock: FakeClock;
  readonly log: LogBook;
  get(path: string): Promise<Answer>;
}

const open: INestApplicationContext[] = [];

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const app of open.splice(0)) await app.close();
}

/** An application that answers on a free port. */
export async function serve(adapter: MakeAdapter, setting: Setting): Promise<World> {
  const world = await assemble(adapter, setting);
  await world.app.listen(0, '127.0.0.1');
  return world;
}

/** An application that was initialised and does not listen. */
export async function boot(setting: Setting): Promise<World> {
  const world = await assemble(ADAPTERS[0][1], setting);
  await world.app.init();
  return world;
}

async function assemble(adapter: MakeAdapter, setting: Setting): Promise<World> {
  const {
    bulwark = { health: false, recovery: false },
    build = (b) => b,
    prepare,
    ...metadata
  } = setting;
  const clock = new FakeClock();
  const log = new LogBook();
  const ours =
    bulwark === 'none'
      ? []
      : ['module' in bulwark ? bulwark : ResilienceModule.forRoot({ recovery: false, ...bulwark })];
  const builder = Test.createTestingModule({
    ...metadata,
    imports: [...ours, ...(metadata.imports ?? [])],
  })
    .setLogger(log as LoggerService)
    .overrideProvider(CLOCK)
    .useValue(clock)
    .overrideProvider(RANDOM)
    .useValue(seededRandom(7));
  const module = await build(builder).compile();
  const app = module.createNestApplication(adapter());
  app.useLogger(log);
  open.push(app);
  await prepare?.(app);
  return { app, clock, log, get: (path) => get(app, path) };
}

async function get(app: INestApplication, path: string): Promise<Answer> {
  const { port } = app.getHttpServer().address() as { port: number };
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const text = await response.text();
  return {
    status: response.status,
    text,
    headers: response.headers,
    get json() {
      return JSON.parse(text) as unknown;
    },
  };
}

/** What the boot says is wrong; fails if it says nothing. */
export async function bootError(setting: Setting): Promise<Error> {
  try {
    await boot(setting);
  } catch (error) {
    return error as Error;
  }
  throw new Error('the application booted, and should not have');
}

/** Lets timers of zero and everything behind I/O run: what rxjs throws into the event loop comes then. */
export async function eventLoopTurns(): Promise<void> {
  const end = performance.now() + 5;
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise with its handles. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((good, bad) => {
    resolve = good;
    reject = bad;
  });
  return { promise, resolve, reject };
}
