import { Injectable, Module } from '@nestjs/common';
import {
  Bulkhead,
  type BulkheadOptions,
  CircuitBreaker,
  type CircuitBreakerOptions,
  Fallback,
  ResilienceConfigError,
  Retry,
  type RetryOptions,
  TimeLimit,
  type TimeLimitOptions,
} from 'nestjs-bulwark';
import { bootError, closeAll } from './support/app.js';

afterEach(closeAll);

type Case = [option: string, decorator: MethodDecorator];

const breaker = (option: string, options: Record<string, unknown>): Case => [
  `@CircuitBreaker ${option}`,
  CircuitBreaker(options as CircuitBreakerOptions) as MethodDecorator,
];
const retry = (option: string, options: Record<string, unknown>): Case => [
  `@Retry ${option}`,
  Retry(options as RetryOptions) as MethodDecorator,
];
const bulkhead = (option: string, options: Record<string, unknown>): Case => [
  `@Bulkhead ${option}`,
  Bulkhead(options as BulkheadOptions) as MethodDecorator,
];
const limit = (value: unknown): Case => [
  '@TimeLimit ms',
  TimeLimit(value as TimeLimitOptions) as MethodDecorator,
];
const fallback = (path: string, plan: unknown): Case => [
  `@Fallback${path}`,
  Fallback(plan as () => void) as MethodDecorator,
];

const CASES: Case[] = [
  breaker('failureThreshold', { failureThreshold: 0 }),
  breaker('failureThreshold', { failureThreshold: Number.NaN }),
  breaker('failureThreshold', { failureThreshold: '5' }),
  breaker('failureThreshold', { failureThreshold: 1.5 }),
  breaker('failureRate', { failureRate: 0 }),
  breaker('failureRate', { failureRate: 101 }),
  breaker('failureRate', { failureRate: -0.5 }),
  breaker('window', { window: 0 }),
  breaker('window', { window: Number.POSITIVE_INFINITY }),
  breaker('window', { window: { calls: 0 } }),
  breaker('window', { window: { calls: 10, time: 5 } }),
  breaker('minimumCalls', { failureRate: 0.5, window: { calls: 10 }, minimumCalls: 11 }),
  breaker('minimumCalls', { failureThreshold: 5, minimumCalls: 10 }),
  breaker('openFor', { openFor: -1 }),
  breaker('openFor', { openFor: 2 ** 31 }),
  breaker('maxOpenFor', { openFor: 10_000, maxOpenFor: 5_000 }),
  breaker('openJitter', { openJitter: 2 }),
  breaker('successThreshold', { successThreshold: 0 }),
  breaker('halfOpenCalls', { halfOpenCalls: 1, successThreshold: 2 }),
  breaker('halfOpenLease', { halfOpenLease: null }),
  breaker('failOn', { failOn: 5 }),
  breaker('ignore', { ignore: [Error, 7] }),
  breaker('name', { name: ' ' }),
  breaker('critical', { critical: 'yes' }),
  breaker('treshold', { treshold: 5 }),
  retry('maxAttempts', { maxAttempts: 0 }),
  retry('maxAttempts', { maxAttempts: Number.POSITIVE_INFINITY }),
  retry('delay', { delay: -1 }),
  retry('delay', { delay: '100' }),
  retry('backoff', { backoff: 'quadratic' }),
  retry('multiplier', { multiplier: 0.5 }),
  retry('maxDelay', { delay: 100, maxDelay: 50 }),
  retry('jitter', { jitter: true }),
  retry('totalTimeout', { totalTimeout: 0 }),
  retry('retryOn', { retryOn: {} }),
  retry('abortOn', { abortOn: [''] }),
  retry('idempotent', { idempotent: 1 }),
  retry('retries', { retries: 3 }),
  bulkhead('maxConcurrent', { maxConcurrent: 0 }),
  bulkhead('maxConcurrent', { maxConcurrent: Number.POSITIVE_INFINITY }),
  bulkhead('maxQueue', { maxQueue: -1 }),
  bulkhead('queueTimeout', { queueTimeout: 0 }),
  bulkhead('name', { name: 42 }),
  limit(0),
  limit(Number.NaN),
  limit('1s'),
  limit(2 ** 31),
  limit({}),
  ['@TimeLimit ms', TimeLimit(undefined as never) as MethodDecorator],
  fallback('', undefined),
  fallback('', []),
  fallback('', {}),
  fallback('', { value: 1, handler: () => 1 }),
  fallback(' method', { method: 'missing' }),
  fallback(' method', { method: 'call' }), // itself: it would ask itself for ever
  fallback(' handler', { handler: 'instead' }),
  fallback(' method', { method: 'constructor' }),
  fallback(' method', { method: 'toString' }),
  fallback(' method', { method: '__proto__' }),
  fallback(' handler', { handler: undefined }),
  fallback(' method', { method: undefined }),
  fallback(' on', { value: 1, on: undefined }),
  fallback(' [1] except', [() => 1, { value: 2, except: undefined }]),
  fallback(' [1] on', [() => 1, { value: 2, on: 3 }]),
];

/** Options whose field cannot be read. */
const throwing = (field: string): Record<string, unknown> =>
  Object.defineProperty({}, field, {
    enumerable: true,
    get() {
      throw new Error('no such variable');
    },
  });

function client(decorator: MethodDecorator): new () => object {
  class Client {
    async call(): Promise<void> {}
  }
  const descriptor = Object.getOwnPropertyDescriptor(Client.prototype, 'call')!;
  decorator(Client.prototype, 'call', descriptor);
  Object.defineProperty(Client.prototype, 'call', descriptor);
  Injectable()(Client);
  return Client;
}

describe('#18 options are validated at boot', () => {
  it('#18 there are at least 40 bad ones', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(40);
  });

  it.each(CASES.map(([path, decorator], i) => [`${i + 1}: ${path}`, path, decorator] as const))(
    '#18 bad option %s stops the boot and is named',
    async (_, path, decorator) => {
      const error = await bootError({ providers: [client(decorator)] });

      expect(error).toBeInstanceOf(ResilienceConfigError);
      expect((error as ResilienceConfigError).mistakes).toHaveLength(1);
      expect((error as ResilienceConfigError).mistakes[0]!.at).toBe(`Client.call ${path}`);
    },
  );

  it.each([
    ['null', null],
    ['a number', 7],
    ['a list', []],
    ['a string', 'fast'],
  ])('#18 %s instead of the options is reported', async (_, options) => {
    const { message } = await bootError({
      providers: [
        client(CircuitBreaker(options as unknown as CircuitBreakerOptions) as MethodDecorator),
      ],
    });

    expect(message).toContain('Client.call @CircuitBreaker: got');
    expect(message).toContain('expected an options object');
  });

  class Settings {
    get maxAttempts(): number {
      return 5;
    }
  }
  it.each([
    ['a Map', new Map([['maxAttempts', 5]]), ': got a Map, expected an options object'],
    ['a promise', Promise.resolve({}), ': got a Promise, expected an options object'],
    ['a getter of a class', new Settings(), ' maxAttempts: is inherited'],
    ['inherited fields', Object.create({ maxAttempts: 5 }), ' maxAttempts: is inherited'],
    [
      'a Map that says what the method returns',
      Object.assign(new Map(), { returns: 'promise' }),
      ': got a Map',
    ],
    [
      'a getter that throws',
      throwing('maxAttempts'),
      ' maxAttempts: cannot be read: no such variable',
    ],
  ])('#18 %s is not read as the defaults', async (_, options, problem) => {
    const { message } = await bootError({
      providers: [client(Retry(options as RetryOptions) as MethodDecorator)],
      bulwark: { health: false, defaults: { retry: { delay: 5 } } },
    });

    expect(message).toContain(`Client.call @Retry${problem}`);
  });

  it('#18 an instance of a class with fields of its own is read like a plain object', async () => {
    class Typed {
      maxAttempts = 0;
    }

    const { message } = await bootError({
      providers: [client(Retry(new Typed()) as MethodDecorator)],
    });

    expect(message).toContain('Client.call @Retry maxAttempts: got 0');
  });

  it('#18 one boot lists every mistake of every class, each with class and method', async () => {
    @Injectable()
    class Fees {
      @Retry({ maxAttempts: 0, delay: -1 })
      @CircuitBreaker({ failureRate: 2 })
      async quote(): Promise<void> {}

      @TimeLimit(0)
      async check(): Promise<void> {}
    }
    @Injectable()
    class Ledger {
      @Bulkhead({ maxConcurrent: 0 })
      @(Fallback({ method: 'nowhere' }) as MethodDecorator)
      async post(): Promise<void> {}

      @Retry()
      static async stat(): Promise<void> {}
    }
    @Module({ providers: [Ledger], exports: [Ledger] })
    class LedgerModule {}

    const error = await bootError({
      imports: [LedgerModule],
      providers: [Fees],
      bulwark: {
        health: { timeout: 0 },
        defaults: { retry: { maxDelay: -1 } },
        nonsense: 1,
      } as never,
    });

    expect(error.message.split('\n').toSorted()).toEqual([
      '  - Fees.check @TimeLimit ms: got 0, expected a number of milliseconds from 1 to 2147483647, or a function',
      '  - Fees.quote @CircuitBreaker failureRate: got 2, expected a number above 0 and at most 1',
      '  - Fees.quote @Retry delay: got -1, expected a number of milliseconds from 0 to 2147483647',
      '  - Fees.quote @Retry maxAttempts: got 0, expected a whole number from 1 to 1000000',
      '  - Ledger.post @Bulkhead maxConcurrent: got 0, expected a whole number from 1 to 1000000',
      '  - Ledger.post @Fallback method: got "nowhere", expected a method of the class',
      '  - ResilienceModule defaults @Retry maxDelay: got -1, expected a number of milliseconds from 0 to 2147483647',
      '  - ResilienceModule health timeout: got 0, expected a number of milliseconds from 1 to 2147483647',
      '  - ResilienceModule nonsense: unknown option; known are enabled, defaults, presets, policies, checkpoint, errors, health, recovery, stack, trace, latencySample, lint, maxNames',
      '  - static Ledger.stat @Retry: static members have no application to belong to; expected a method of instances',
      'Bulwark cannot start, 10 mistakes in its configuration:',
    ]);
  });

  it('#18 a conflict between the defaults and the options of a method is reported', async () => {
    const { message } = await bootError({
      providers: [client(CircuitBreaker({ maxOpenFor: 8_000 }) as MethodDecorator)],
      bulwark: {
        health: false,
        defaults: { circuitBreaker: { openFor: 20_000, maxOpenFor: 30_000 } },
      },
    });

    expect(message).toContain('Client.call @CircuitBreaker maxOpenFor: got 8000');
  });

  it.each([
    ['null', null],
    ['undefined from a factory', undefined],
    ['a string', 'config'],
    ['a wrong enabled', { enabled: 'yes' }],
    ['a wrong maxNames', { maxNames: 0 }],
    ['a default fallback', { defaults: { fallback: { value: 1 } } }],
    ['an unknown default', { defaults: { cache: {} } }],
    ['health as a word', { health: 'yes' }],
    ['health as null', { health: null }],
    ['an empty health path', { health: { path: '' } }],
    ['unknown details', { health: { details: 'sometimes' } }],
    ['indicators that are no functions', { health: { indicators: { db: true } } }],
    ['decorators that are no list', { health: { decorators: () => {} } }],
    ['a Map', new Map()],
    ['a getter that throws', throwing('health')],
    ['a getter of defaults that throws', { defaults: throwing('retry') }],
    ['a getter of health that throws', { health: throwing('path') }],
    [
      'getters of a class',
      new (class {
        get enabled(): boolean {
          return false;
        }
      })(),
    ],
    ['a Map of indicators', { health: { indicators: new Map([['db', () => {}]]) } }],
    ['inherited indicators', { health: { indicators: Object.create({ db: () => {} }) } }],
  ])('#18 a configuration of the module that is wrong (%s) stops the boot', async (_, config) => {
    const { ResilienceModule } = await import('nestjs-bulwark');
    const direct = config === undefined ? undefined : ResilienceModule.forRoot(config as never);

    for (const bulwark of [
      direct,
      ResilienceModule.forRootAsync({ useFactory: () => config as never }),
    ]) {
      if (bulwark === undefined) continue;
      const error = await bootError({ bulwark });

      expect(error).toBeInstanceOf(ResilienceConfigError);
      expect(error.message).toContain('ResilienceModule');
    }
  });
});
