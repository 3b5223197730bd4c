// Many breakers of one kind, to know what one weighs.
import { EventEmitter } from 'node:events';

const COUNT = 10_000;
const keyOf = (i) => `account-${i}`;

async function keyedService(options) {
  const { CircuitBreaker, ResilienceModule } = await import('nestjs-bulwark');
  const { makeService, provide } = await import('./contenders/methods.mjs');
  const Service = makeService({ keyed: [CircuitBreaker({ key: (key) => key, ...options })] });
  return provide(ResilienceModule.forRoot({ health: false }), Service);
}

const MAKERS = {
  // a breaker of a key, with its place in the map of keys
  ours: async () => {
    const service = await keyedService({ maxKeys: 1_000_000 });
    return (i) => service.keyed(keyOf(i));
  },
  cockatiel: async () => {
    const c = await import('cockatiel');
    return () =>
      c.circuitBreaker(c.handleAll, { halfOpenAfter: 5_000, breaker: new c.ConsecutiveBreaker(5) });
  },
  opossum: async () => {
    const { default: CircuitBreaker } = await import('opossum');
    const rotateBucketController = new EventEmitter().setMaxListeners(0);
    const options = {
      rotateBucketController,
      enableSnapshots: false,
      rollingPercentilesEnabled: false,
    };
    return () => new CircuitBreaker(async () => 1, options);
  },
  // without the state, which it keeps elsewhere from the first call on
  'nestjs-resilience': async () => {
    const { CircuitBreakerStrategy } = await import('nestjs-resilience');
    return () => new CircuitBreakerStrategy();
  },
};

export async function idleBreakers(name, heap) {
  const make = await MAKERS[name]();
  const all = [];
  // an array that is long enough, and what the first ones cause to be made
  for (let i = 0; i < 2 * COUNT; i += 1) all.push(undefined);
  for (let i = 0; i < COUNT; i += 1) all[i] = await make(i);
  const before = await heap();
  for (let i = COUNT; i < 2 * COUNT; i += 1) all[i] = await make(i);
  const bytes = (await heap()) - before;
  // used once more, or they would have gone before they were weighed
  await make(0);
  return Math.round(bytes / (all.length - COUNT));
}

export async function keysOverTime(heap) {
  const service = await keyedService();
  const before = await heap();
  const bytes = {};
  let used = 0;
  for (const count of [1_000, 10_000, 100_000]) {
    for (; used < count; used += 1) await service.keyed(keyOf(used));
    bytes[count] = (await heap()) - before;
  }
  return bytes;
}
