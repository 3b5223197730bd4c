// One object that is breaker, time limit, bulkhead without a queue, and fallback: a case has those of them
// on that it is about, and the breaker always. It retries nothing, limits no rates and queues nobody.
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import { KEYS } from '../cases.mjs';
import { down, failing, failTimes, LONG, ok } from './methods.mjs';

// its percentiles are off: nobody else keeps any
const options = {
  timeout: false,
  rollingPercentilesEnabled: false,
  volumeThreshold: 5,
  resetTimeout: LONG,
};
// opens above the percentage, so never
const patient = { errorThresholdPercentage: 100 };
const limits = { timeout: 1_000, capacity: 10 };

const guard =
  (more, method = ok, fallback) =>
  () => {
    const breaker = new CircuitBreaker(method, { ...options, ...more });
    if (fallback) breaker.fallback(fallback);
    return (value) => breaker.fire(value);
  };

export async function opossum() {
  const broken = new CircuitBreaker(down, options);
  await failTimes(6, () => broken.fire());
  return {
    breaker: guard(),
    'breaker-rate': guard(),
    'breaker-failing': guard(patient, failing),
    bulkhead: guard({ capacity: 10 }),
    'time-limit': guard({ timeout: 1_000 }),
    fallback: guard({}, ok, () => 0),
    'fallback-used': guard(patient, failing, () => 0),
    success: guard(limits),
    failure: guard({ ...limits, ...patient }, failing),
    'open-rejected': () => (value) => broken.fire(value),
    'breaker-1000': guard(),
    keyed: () => {
      // one timer for all of them, as it advises for many
      const rotateBucketController = new EventEmitter().setMaxListeners(0);
      setInterval(() => rotateBucketController.emit('rotate'), 1_000).unref();
      const breakers = new Map();
      let turn = 0;
      return () => {
        const key = KEYS[(turn += 1) % KEYS.length];
        let breaker = breakers.get(key);
        if (breaker === undefined) {
          breaker = new CircuitBreaker(ok, {
            ...options,
            rotateBucketController,
            enableSnapshots: false,
          });
          breakers.set(key, breaker);
        }
        return breaker.fire(key);
      };
    },
  };
}
