// What is measured, contender by contender. Each one answers a map from case name to the function of one call.
import 'reflect-metadata';

class Failure extends Error {}

const ok = async (value) => value;
const down = async () => {
  throw new Failure('down');
};

/** A call that rejects costs the catch as well, in every contender alike. */
const caught = (call) => async (value) => {
  try {
    return await call(value);
  } catch (error) {
    return error;
  }
};

async function bare() {
  class Service {
    async healthy(value) {
      return value;
    }
  }
  const service = new Service();
  const call = (value) => service.healthy(value);
  return {
    breaker: call,
    'breaker-rate': call,
    'stack-4': call,
    'stack-5': call,
    'open-rejected': caught(call),
  };
}

/** Decorators on a real Nest provider, applied as the TypeScript compiler does. */
async function ours() {
  const { Test } = await import('@nestjs/testing');
  const { Bulkhead, CircuitBreaker, Fallback, ResilienceModule, Retry, TimeLimit } =
    await import('nestjs-bulwark');
  class Service {
    async breaker(value) {
      return value;
    }
    async rate(value) {
      return value;
    }
    async four(value) {
      return value;
    }
    async five(value) {
      return value;
    }
    async open(_value) {
      throw new Failure('down');
    }
  }
  const decorate = (key, ...decorators) => {
    const descriptor = Object.getOwnPropertyDescriptor(Service.prototype, key);
    for (const decorator of decorators.reverse()) decorator(Service.prototype, key, descriptor);
    Object.defineProperty(Service.prototype, key, descriptor);
  };
  const four = [
    Fallback({ value: 0 }),
    Retry({ maxAttempts: 3 }),
    CircuitBreaker({ failureThreshold: 5 }),
    Bulkhead(),
  ];
  decorate('breaker', CircuitBreaker({ failureThreshold: 5 }));
  decorate('rate', CircuitBreaker());
  decorate('four', ...four);
  decorate('five', ...four, TimeLimit(1_000));
  decorate('open', CircuitBreaker({ failureThreshold: 5, openFor: 600_000 }));

  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ health: false })],
    providers: [Service],
  }).compile();
  module.useLogger(false);
  await module.init();
  const service = module.get(Service);
  for (let i = 0; i < 5; i += 1) await caught(() => service.open(i))();
  return {
    breaker: (value) => service.breaker(value),
    'breaker-rate': (value) => service.rate(value),
    'stack-4': (value) => service.four(value),
    'stack-5': (value) => service.five(value),
    'open-rejected': caught((value) => service.open(value)),
  };
}

async function cockatiel() {
  const c = await import('cockatiel');
  const breaker = () =>
    c.circuitBreaker(c.handleAll, { halfOpenAfter: 600_000, breaker: new c.ConsecutiveBreaker(5) });
  const sampling = c.circuitBreaker(c.handleAll, {
    halfOpenAfter: 600_000,
    breaker: new c.SamplingBreaker({ threshold: 0.5, duration: 30_000, minimumRps: 1 }),
  });
  const stack = () => [
    c.fallback(c.handleAll, 0),
    c.retry(c.handleAll, { maxAttempts: 2, backoff: new c.ExponentialBackoff() }),
    breaker(),
    c.bulkhead(10, 10),
  ];
  const single = breaker();
  const four = c.wrap(...stack());
  const [fallback, retry, inner, bulkhead] = stack();
  const five = c.wrap(
    fallback,
    retry,
    inner,
    c.timeout(1_000, c.TimeoutStrategy.Aggressive),
    bulkhead,
  );
  const open = breaker();
  for (let i = 0; i < 5; i += 1) await caught(() => open.execute(down))();
  return {
    breaker: (value) => single.execute(() => ok(value)),
    'breaker-rate': (value) => sampling.execute(() => ok(value)),
    'stack-4': (value) => four.execute(() => ok(value)),
    'stack-5': (value) => five.execute(() => ok(value)),
    'open-rejected': caught(() => open.execute(down)),
  };
}

async function opossum() {
  const { default: CircuitBreaker } = await import('opossum');
  // its time limit and its percentiles are off: the row is about the breaker
  const options = {
    timeout: false,
    rollingPercentilesEnabled: false,
    volumeThreshold: 5,
    resetTimeout: 600_000,
  };
  const healthy = new CircuitBreaker(ok, options);
  const broken = new CircuitBreaker(down, options);
  for (let i = 0; i < 6; i += 1) await caught(() => broken.fire())();
  return {
    breaker: (value) => healthy.fire(value),
    'breaker-rate': (value) => healthy.fire(value),
    'open-rejected': caught(() => broken.fire()),
  };
}

export const contenders = { bare, ours, cockatiel, opossum };
