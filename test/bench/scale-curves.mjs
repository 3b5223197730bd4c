// The curves of `scale.mjs`. Each says for a size what a batch does and of how many steps.
import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { Bulkhead, CircuitBreaker, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { makeService, provide } from './contenders/methods.mjs';

const STEPS = 1_000;
const MEMORY =
  'named: what is used in turn leaves the processor’s caches, as it does with plain objects';

const module = (config) => ResilienceModule.forRoot({ health: false, ...config });
const serviceOf = (...decorators) => provide(module(), makeService({ call: decorators }));

/** Calls one after another, of which each is the next of `size`. */
function inTurn(size, call) {
  let next = 0;
  return {
    steps: STEPS,
    batch: async () => {
      for (let i = 0; i < STEPS; i += 1) {
        await call(next);
        next = next + 1 === size ? 0 : next + 1;
      }
    },
  };
}

/** All of them have been called, however few a batch calls. */
async function first(size, call) {
  for (let i = 0; i < size; i += 1) await call(i);
  return inTurn(size, call);
}

const keysOf = (size) => Array.from({ length: size }, (_, i) => `account-${i}`);
const decades = (from, to) => {
  const all = [];
  for (let size = from; size <= to; size *= 10) all.push(size);
  return all;
};

/** A bulkhead of one whose place is taken, and so many calls in its queue. */
async function waiting(size) {
  const service = (
    await Test.createTestingModule({ imports: [module()] })
      .compile()
      .then((app) => app.init())
  ).get(ResilienceService);
  const policies = { bulkhead: { maxConcurrent: 1, maxQueue: size + STEPS } };
  const call = (fn, signal) =>
    service.tryExecute('queue', fn, policies, signal === undefined ? undefined : { signal });
  void call(() => new Promise(() => {}));
  const now = async () => {};
  for (let i = 0; i < size; i += 1) void call(now);
  return (signal) => call(now, signal);
}

export const CURVES = {
  plain: {
    what: 'for comparison: plain objects with an async method and some state, called in turn',
    sizes: decades(1, 100_000),
    because: MEMORY,
    make: async (size) => {
      const objects = Array.from({ length: size }, (_, i) => ({
        state: { calls: 0, window: Array.from({ length: 40 }, () => i) },
        async call(value) {
          this.state.calls += 1;
          this.state.window[value % 40] += 1;
          return value;
        },
      }));
      return first(size, (i) => objects[i].call(i));
    },
  },
  keys: {
    what: 'circuit breaker, closed, of so many known keys',
    sizes: decades(1, 100_000),
    because: MEMORY,
    make: async (size) => {
      const keys = keysOf(size);
      const options = { failureThreshold: 5, key: (key) => key, maxKeys: size };
      const service = await serviceOf(CircuitBreaker(options));
      return first(size, (i) => service.call(keys[i]));
    },
  },
  'new keys': {
    what: 'the same where each call comes with a new key, and the oldest of so many is forgotten',
    sizes: decades(1, 100_000),
    because: MEMORY,
    make: async (size) => {
      const options = { failureThreshold: 5, key: (key) => key, maxKeys: size };
      const service = await serviceOf(CircuitBreaker(options));
      let key = 0;
      const call = () => service.call(`account-${(key += 1)}`);
      return first(size, call);
    },
  },
  'decorated methods': {
    what: 'circuit breaker, closed, of so many decorated methods, ten of a class',
    sizes: decades(10, 10_000),
    because: MEMORY,
    make: async (size) => {
      const titles = keysOf(10);
      const decorated = () =>
        Object.fromEntries(titles.map((key) => [key, [CircuitBreaker({ failureThreshold: 5 })]]));
      const classes = Array.from({ length: size / 10 }, (_, i) =>
        Object.defineProperty(makeService(decorated()), 'name', { value: `Service${i}` }),
      );
      const app = await Test.createTestingModule({
        imports: [module()],
        providers: classes,
      }).compile();
      await app.init();
      const all = classes.map((one) => app.get(one));
      return first(size, (i) => all[i % all.length][titles[i % 10]](i));
    },
  },
  names: {
    what: 'circuit breaker, closed, by `execute` with so many names',
    sizes: decades(1, 10_000),
    because: MEMORY,
    make: async (size) => {
      const names = keysOf(size);
      const app = await Test.createTestingModule({
        imports: [module({ maxNames: size })],
      }).compile();
      await app.init();
      const service = app.get(ResilienceService);
      const policies = { circuitBreaker: { failureThreshold: 5 } };
      return first(size, (i) => service.execute(names[i], async () => i, policies));
    },
  },
  queue: {
    what: 'bulkhead of one: so many calls at once, which enter the queue and leave it one by one',
    sizes: decades(1, 10_000),
    because:
      'named: 10,000 waiting calls outlive the young generation and are moved by the garbage collector; with 256 MB for it they grow a third as much',
    make: async (size) => {
      const service = await serviceOf(Bulkhead({ maxConcurrent: 1, maxQueue: size }));
      const rounds = Math.max(1, STEPS / size);
      const batch = async () => {
        for (let round = 0; round < rounds; round += 1)
          await Promise.all(Array.from({ length: size }, (_, i) => service.call(i)));
      };
      return { steps: size * rounds, batch };
    },
  },
  'leaving the queue': {
    what: 'bulkhead: 1,000 join behind so many who wait, and leave again from the middle',
    sizes: decades(1, 10_000),
    because: 'named: the first point comes before much else has run; from 10 on it is flat',
    make: async (size) => {
      const join = await waiting(size);
      const batch = async () => {
        const controllers = Array.from({ length: STEPS }, () => new AbortController());
        const calls = controllers.map(({ signal }) => join(signal));
        const half = STEPS / 2;
        for (let i = 0; i < half; i += 1) {
          controllers[half + i].abort();
          controllers[half - 1 - i].abort();
        }
        await Promise.all(calls);
      };
      return { steps: STEPS, batch };
    },
  },
  'time window': {
    what: 'circuit breaker with a failure rate over so many milliseconds',
    sizes: decades(10, 10_000_000),
    make: async (window) => {
      const service = await serviceOf(CircuitBreaker({ failureRate: 0.5, window }));
      return first(1, (i) => service.call(i));
    },
  },
  'count window': {
    what: 'circuit breaker with a failure rate over so many calls',
    sizes: decades(10, 1_000_000),
    make: async (calls) => {
      const options = { failureRate: 0.5, window: { calls }, minimumCalls: 10 };
      const service = await serviceOf(CircuitBreaker(options));
      return first(1, (i) => service.call(i));
    },
  },
};
