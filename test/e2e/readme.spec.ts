// What README and docs say of running code: their programs run and do what stands beside them.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Controller, type DynamicModule, Get, type Type } from '@nestjs/common';
import { transformSync } from '@swc/core';
import {
  ApplicationRuntime,
  CircuitBreaker,
  RANDOM,
  ResilienceModule,
  ResilienceRegistry,
  ResilienceService,
} from 'nestjs-bulwark';
import { settle } from 'nestjs-bulwark/testing';
import { ADAPTERS, boot, closeAll, serve, type World } from '../nest/support/app.js';
import { blocks, documents, section, table, writeBlocks } from '../support/documents.js';

let place: string;
let files: readonly string[];

let data: string;

beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'bulwark-readme-'));
  process.env['DATA_DIR'] = data;
  for (const level of ['READ', 'OPERATE', 'DANGER'])
    process.env[`RECOVERY_${level}`] = randomBytes(32).toString('hex');
  ({ place, files } = writeBlocks());
  const { code } = transformSync(blocks[0]!.code, {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'es6' },
  });
  writeFileSync(join(place, 'block-0.mjs'), code);
});

afterEach(closeAll);
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Looks again and again until it succeeds; gives up with the process that is looked at. */
async function poll<T>(child: ChildProcess, look: () => Promise<T>): Promise<T> {
  let errors = '';
  child.stderr?.on('data', (chunk) => (errors += String(chunk)));
  while (child.exitCode === null && child.signalCode === null) {
    try {
      return await look();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`the program ended by itself: ${errors}`);
}

type Exported = Record<string, unknown>;
const load = (i: number): Promise<Exported> =>
  import(pathToFileURL(files[i]!).href) as Promise<Exported>;

const isClass = (value: unknown): value is Type =>
  typeof value === 'function' && /^class\b/.test(String(value));
const isController = (type: Type): boolean => Reflect.hasMetadata('path', type);

// oxlint-disable-next-line typescript/no-explicit-any -- whatever the block says they are
type Any = Record<string, (...args: any[]) => Promise<any>>;

/** The application of a block: its module if it makes one, and its classes. Dice always fall in the middle. */
async function applicationOf(exported: Exported, listening = false): Promise<World> {
  const classes = Object.values(exported).filter(isClass);
  const setting = {
    bulwark: (exported['resilience'] ?? ResilienceModule.forRoot()) as DynamicModule,
    providers: classes.filter((type) => !isController(type)),
    controllers: classes.filter(isController),
    build: (builder: import('@nestjs/testing').TestingModuleBuilder) =>
      builder.overrideProvider(RANDOM).useValue(() => 0.5),
  };
  return listening ? serve(ADAPTERS[0][1], setting) : boot(setting);
}

/** The application of the block that has this class, and its instance. */
async function classOf(name: string, listening = false): Promise<{ it: Any; world: World }> {
  const i = blocks.findIndex(({ code }) => code.includes(`export class ${name} `));
  const exported = await load(i);
  const world = await applicationOf(exported, listening);
  return { it: world.app.get(exported[name] as Type), world };
}

it('the first program answers with its fallback while the rates are away, and tells its health', async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [join(place, 'block-0.mjs')], {
    env: { ...process.env, PORT: String(port), RATES_URL: `http://127.0.0.1:${await freePort()}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const get = async (path: string): Promise<unknown> =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).json();
    expect(await poll(child, () => get('/health'))).toEqual({ status: 'ok' });
    for (let i = 0; i < 3; i += 1)
      expect(await get('/rates')).toEqual({ EUR: 1.1, degraded: true });
    expect(await get('/health')).toEqual({ status: 'degraded' });
  } finally {
    child.kill('SIGKILL');
  }
}, 30_000);

it.each(
  blocks.map(({ document, code }, i) => [document, code.split('\n').at(-2), i] as const).slice(1),
)('a block of %s runs, and an application made of it boots (… %s)', async (_document, _end, i) => {
  await applicationOf(await load(i));
});

/** Whether an answer looks like the documented one: an ellipsis stands for anything, a number for a number. */
function shapeOf(documented: unknown, real: unknown): unknown {
  if (typeof documented === 'number') return typeof real === 'number' ? documented : real;
  if (Array.isArray(documented))
    return Array.isArray(real) ? [shapeOf(documented[0], real[0]), '…'] : real;
  if (typeof documented !== 'object' || documented === null) return real;
  const known = documented as Record<string, unknown>;
  if ('…' in known) return documented;
  return Object.fromEntries(
    Object.entries(real as object).map(([key, value]) => [key, shapeOf(known[key], value)]),
  );
}

it('the health of the README is what /health answers', async () => {
  @Controller('rates')
  class RatesController {
    @Get()
    @CircuitBreaker({ failureThreshold: 5 })
    async today(): Promise<object> {
      throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    }
  }
  const { get } = await serve(ADAPTERS[0][1], {
    bulwark: { health: { details: 'always' } },
    controllers: [RatesController],
  });
  for (let i = 0; i < 5; i += 1) await get('/rates');
  const [, json] = /```json\n(.*?)```/s.exec(section('README.md', 'Bulwark.*'))!;
  const documented = JSON.parse(json!) as unknown;

  expect(shapeOf(documented, (await get('/health')).json)).toEqual(documented);
});

describe('fallback', () => {
  it('answers with the last good answer, the mirror, the constant, in turn', async () => {
    const { it: quotes, world } = await classOf('Quotes');
    const query = (tenant: string, symbol: string): object => ({ tenant, symbol });

    expect(await quotes['price']!(query('alice', 'ABC'))).toBe(42);
    expect(await quotes['price']!(query('', 'ABC'))).toBe(3);
    expect(await quotes['price']!(query('', 'GONE'))).toBe(0);
    expect(await quotes['describe']!('ABC')).toBe('ABC: no such symbol as ABC');
    expect(await quotes['volume']!('ABC')).toBe(3);
    expect(world.app.get(ResilienceService).fallbackUse('Quotes.price')).toMatchObject({
      calls: 3,
      answered: 2,
    });
  });
});

describe('retry', () => {
  it('retries results, and each category by its own plan', async () => {
    const { it: accounts, world } = await classOf('Accounts');
    const list = accounts['list']!('A');
    await world.clock.advance(2_000);
    expect(await list).toEqual(['A']);

    const balance = accounts['balance']!('A').catch((error: unknown) => error);
    await world.clock.advance(499);
    expect(accounts).toMatchObject({ asked: 4 });
    await world.clock.advance(1);
    expect(await balance).toMatchObject({ status: 429 });
    expect(accounts).toMatchObject({ asked: 5 });
  });
});

describe('circuit breaker', () => {
  it('has one per key, watches in shadow, and counts results', async () => {
    const { it: payments, world } = await classOf('Payments');
    for (let i = 0; i < 3; i += 1) await payments['ship']!('closed').catch(() => {});
    for (let i = 0; i < 5; i += 1) expect(await payments['balance']!()).toBe(0);

    await expect(payments['ship']!('closed')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(await payments['ship']!('open')).toBe('shipped from open');
    const { breakers } = world.app.get(ResilienceRegistry);
    expect(breakers.reader('Payments.balance')!.snapshot().counters.wouldReject).toBe(3);
  });

  it('explains itself in the words of the document', async () => {
    const { it: payments, world } = await classOf('Payments');
    for (let i = 0; i < 20; i += 1) await payments['charge']!(i % 2 === 0 ? 1 : -1).catch(() => {});
    const [, text] = /```text\n(.*?)\n```/s.exec(
      section('docs/policies/circuit-breaker.md', 'Circuit breaker'),
    )!;

    expect(world.app.get(ResilienceRegistry).breakers.reader('bank')!.explain()).toBe(text);
  });

  it('is in the hands of an operator', async () => {
    const { it: operator, world } = await classOf('Operator');
    await world.app.get(ResilienceService).execute('bank', async () => 1, {
      circuitBreaker: { failureThreshold: 1 },
    });
    const [why, isolate] = [operator['why'], operator['isolate']] as unknown as [
      (name: string) => string,
      (name: string) => () => void,
    ];
    expect(await operator['drain']!('bank', async () => {})).toBe(true);
    const release = isolate.call(operator, 'bank');
    expect(why.call(operator, 'bank')).toContain('isolated: maintenance');
    expect(await operator['drain']!('bank', async () => {})).toBe(false);
    release();
    const broken = operator['drain']!('bank', () => Promise.reject(new Error('spilled')));
    await expect(broken).rejects.toThrow('spilled');
    expect(why.call(operator, 'bank')).toContain('is open');
    expect(why.call(operator, 'nobody')).toBe('no breaker nobody');
  });
});

it('a rate limit lets a burst in, makes some wait, and tells others when to come back', async () => {
  const { it: mailer, world } = await classOf('Mailer');
  const sent = Array.from({ length: 8 }, () =>
    mailer['send']!('a').then(
      () => 'sent',
      (error: { code: string; retryAfter: number }) => `${error.code} ${error.retryAfter}`,
    ),
  );
  await world.clock.advance(2_000);

  expect(await Promise.all(sent)).toEqual([
    ...Array.from({ length: 7 }, () => 'sent'),
    'RATE_LIMITED 3000',
  ]);
  expect(await mailer['send']!('b')).toBe('sent for b');
});

it('a time limit follows the attempt, and is inherited', async () => {
  const { it: reports } = await classOf('Reports');

  expect(await reports['quick']!()).toBe(500);
  expect(await reports['nightly']!()).toBe(500);
});

it('a bulkhead runs', async () => {
  const { it: thumbnails } = await classOf('Thumbnails');

  expect(await thumbnails['render']!('a', true)).toBe('a!.png');
});

it('presets, defaults and overrides merge as it is said', async () => {
  const { it: prices, world } = await classOf('Prices');
  expect(await prices['latest']!()).toBe(42);

  expect(world.app.get(ApplicationRuntime).target('Prices.latest')!.policies).toEqual({
    circuitBreaker: { failureThreshold: 3, openFor: 10_000 },
    retry: { maxAttempts: 2 },
    timeLimit: { ms: 300 },
    bulkhead: { maxConcurrent: 2 },
  });
});

it('policies change at run time as it is said', async () => {
  const { world } = await classOf('Prices');
  const service = world.app.get(ResilienceService);
  const policies = (): object =>
    world.app.get(ApplicationRuntime).target('Prices.latest')!.policies;

  expect(service.reconfigure('Prices.latest', { timeLimit: 500, retry: false })).toBe(2);
  expect(policies()).toEqual({
    circuitBreaker: { failureThreshold: 3, openFor: 10_000 },
    timeLimit: { ms: 500 },
    bulkhead: { maxConcurrent: 2 },
  });
  service.reconfigure('Prices.latest', { circuitBreaker: { failureRate: 0.3 } });
  expect(policies()).toMatchObject({ circuitBreaker: { failureRate: 0.3, openFor: 10_000 } });
  expect(policies()).not.toHaveProperty('circuitBreaker.failureThreshold');
  for (const bad of [{ timeLimit: -1 }, { circuitBreaker: { key: () => 'a' } }])
    expect(() => service.reconfigure('Prices.latest', bad)).toThrow('Prices.latest');
});

it('the service runs what has no decorator', async () => {
  const { it: rates } = await classOf('Rates');

  expect(await rates['today']!()).toBe(1.1);
  await expect(rates['today']!(AbortSignal.abort('left'))).rejects.toBe('left');
  expect(await rates['tomorrow']!()).toBe('1.2');
  expect(await rates['convert']!(100)).toBeCloseTo(110);
  const { it: operations } = await classOf('Operations');
  expect(await operations['ping']!()).toBe('pong');
  expect(operations['stopAll']!()).toEqual([]);
});

it('an object that cannot be decorated is wrapped, and a second one gets a name of its own', async () => {
  const { it: sdk, world } = await classOf('Sdk');
  const { client } = sdk as unknown as { client: Any };
  expect(await client['fetch']!('a')).toBe('a #1');
  expect(client['describe']!()).toBe('1 calls');
  Reflect.construct(sdk.constructor, [world.app.get(ResilienceService)]);

  const names = world.app
    .get(ResilienceRegistry)
    .breakers.list()
    .map(({ name }) => name);
  expect(names).toEqual(['SdkClient.fetch', 'SdkClient.fetch#2']);
});

it('interceptors protect handlers', async () => {
  const { world } = await classOf('Pages', true);
  const index: string[] = [];
  void world.get('/pages').then(({ text }) => index.push(text));
  while (index.length === 0) {
    await world.clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve)); // for the socket
  }

  expect(index).toEqual(['attempt 3']);
  expect((await world.get('/pages/news')).text).toBe('no news');
});

it('the kill switch passes everything but fallbacks through', async () => {
  const { it: quotes, world } = await classOf('Quotes');
  world.app.get(ResilienceService).enabled = false;

  expect(await quotes['volume']!('ABC')).toBe(3);
  await settle();
});

it('every policy has a page, with a picture and the same headings', () => {
  const policies = table(section('README.md', 'Bulwark.*'), 'Policy');
  expect(policies).toHaveLength(6);
  for (const policy of policies) {
    const [, page] = /\((docs\/policies\/[\w-]+\.md)\)/.exec(policy['Policy']!)!;
    for (const part of ['Promise', 'Use', 'Options', 'Events', 'What it does not do'])
      expect([page, part, section(page!, part).trim().length > 20]).toEqual([page, part, true]);
    expect([page, documents.get(page!)]).toEqual([page, expect.stringContaining('```mermaid')]);
  }
});
