// Who calls the service. Each contender makes the client of one process: `call(ask)` protects `ask(signal)`;
// `isRefusal(error)` knows its own refusals; `close()` ends its timers. All have the same limit for one attempt.
import 'reflect-metadata';

/** Milliseconds for one attempt. */
export const LIMIT = 1_000;

const sleep = (delay) => new Promise((done) => setTimeout(done, delay));
const never = () => false;
const nothingToDo = async () => {};

/** What everybody writes first: an AbortController and a timer. */
async function limited(ask) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error('timeout')), LIMIT);
  try {
    return await ask(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Three attempts around something. */
async function thrice(attempt, delay, isFinal = never) {
  for (let failed = 1; ; failed += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failed === 3 || isFinal(error)) throw error;
      await sleep(delay(failed));
    }
  }
}

const nothing = async () => ({
  call: limited,
  isRefusal: never,
  close: nothingToDo,
});

const naive = async () => ({
  call: (ask) =>
    thrice(
      () => limited(ask),
      () => 100,
    ),
  isRefusal: never,
  close: nothingToDo,
});

/** `policies(c)` makes what is wrapped, outermost first. */
const cockatielWith = (policies) => async () => {
  const c = await import('cockatiel');
  const policy = c.wrap(...policies(c));
  const isRefusal = (error) => c.isBrokenCircuitError(error) || c.isBulkheadRejectedError(error);
  return {
    call: (ask) => policy.execute(({ signal }) => ask(signal)),
    isRefusal,
    close: nothingToDo,
  };
};

// its README's retry (3 after the first attempt) and breaker, and the bulkhead that is our default
const cockatiel = cockatielWith((c) => [
  c.retry(c.handleAll, { maxAttempts: 3, backoff: new c.ExponentialBackoff() }),
  c.circuitBreaker(c.handleAll, { halfOpenAfter: 10_000, breaker: new c.ConsecutiveBreaker(5) }),
  c.timeout(LIMIT, c.TimeoutStrategy.Aggressive),
  c.bulkhead(10, 10),
]);

// what its documentation has to make that better: a rate rule, a short open time that grows, as
// many attempts as the others, and no retry of its own refusals
const cockatielTuned = cockatielWith((c) => [
  c.retry(
    c.handleWhen((error) => !c.isBrokenCircuitError(error) && !c.isBulkheadRejectedError(error)),
    { maxAttempts: 2, backoff: new c.ExponentialBackoff() },
  ),
  c.circuitBreaker(
    c.handleWhen((error) => !c.isBulkheadRejectedError(error)),
    {
      halfOpenAfter: new c.ExponentialBackoff({ initialDelay: 1_000, maxDelay: 5_000 }),
      breaker: new c.SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 2 }),
    },
  ),
  c.timeout(LIMIT, c.TimeoutStrategy.Aggressive),
  c.bulkhead(10, 10),
]);

/** Its time limit does not give the call a signal, and it has no retry. */
const opossumWith = (options) => async () => {
  const { default: CircuitBreaker } = await import('opossum');
  const breaker = new CircuitBreaker((ask) => ask(), { timeout: LIMIT, ...options });
  const isRefusal = ({ code }) => code === 'EOPENBREAKER' || code === 'ESEMLOCKED';
  const backoff = (failed) => 100 * 2 ** (failed - 1) * (0.5 + Math.random());
  return {
    call: (ask) => thrice(() => breaker.fire(ask), backoff, isRefusal),
    isRefusal,
    close: async () => breaker.shutdown(),
  };
};

// its defaults: 50 % within 10 s and be it of one call, 30 s open
const opossum = opossumWith({});
const opossumTuned = opossumWith({ volumeThreshold: 20, resetTimeout: 5_000, capacity: 20 });

/** Decorators on a provider of an application of its own, applied as the compiler does. */
const oursWith = (decorators) => async () => {
  const { Injectable } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const bulwark = await import('nestjs-bulwark');
  class Client {
    async call(ask) {
      return await ask(bulwark.currentCall().signal);
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Client.prototype, 'call');
  for (const decorator of decorators(bulwark).toReversed())
    decorator(Client.prototype, 'call', descriptor);
  Object.defineProperty(Client.prototype, 'call', descriptor);
  Injectable()(Client);
  class App {}
  const imports = [bulwark.ResilienceModule.forRoot({ health: false, recovery: false })];
  const module = { module: App, imports, providers: [Client] };
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  const client = app.get(Client);
  const { breakers, bulkheads } = app.get(bulwark.ResilienceRegistry);
  return {
    call: (ask) => client.call(ask),
    // the time limit is a refusal by its class, but here it is the answer of a slow service
    isRefusal: (error) =>
      bulwark.isResilienceRejection(error) && !(error instanceof bulwark.CallTimeoutError),
    close: () => app.close(),
    state: () => ({
      breaker: breakers.reader('Client.call')?.snapshot().state,
      running: bulkheads.reader('Client.call')?.snapshot().running,
      queued: bulkheads.reader('Client.call')?.snapshot().queued,
    }),
  };
};

const ours = oursWith(({ Retry, CircuitBreaker, TimeLimit, Bulkhead }) => [
  Retry(),
  CircuitBreaker(),
  TimeLimit(LIMIT),
  Bulkhead(),
]);

const oursTuned = oursWith(({ Retry, CircuitBreaker, TimeLimit, Bulkhead }) => [
  Retry({ idempotent: true, totalTimeout: 3_000 }),
  CircuitBreaker({ openFor: 1_000, maxOpenFor: 5_000 }),
  TimeLimit(LIMIT),
  Bulkhead(),
]);

/** Ours with options of one's own: `{ retry, circuitBreaker, bulkhead }`. */
export const oursLike = (options) =>
  oursWith(({ Retry, CircuitBreaker, TimeLimit, Bulkhead }) => [
    Retry(options.retry),
    CircuitBreaker(options.circuitBreaker),
    TimeLimit(LIMIT),
    Bulkhead(options.bulkhead),
  ]);

export const contenders = {
  nothing,
  'naive retry': naive,
  cockatiel,
  'cockatiel tuned': cockatielTuned,
  opossum,
  'opossum tuned': opossumTuned,
  ours,
  'ours tuned': oursTuned,
};
