// Policies as its documentation makes them, kept by whoever calls. It has no rate limit and no keys:
// for those a map of policies is what one writes.
import * as c from 'cockatiel';
import { KEYS } from '../cases.mjs';
import { down, failing, failTimes, LONG, NEVER_REACHED, ok } from './methods.mjs';

const breaker = (failures = 5) =>
  c.circuitBreaker(c.handleAll, {
    halfOpenAfter: LONG,
    breaker: new c.ConsecutiveBreaker(failures),
  });
const sampling = () =>
  c.circuitBreaker(c.handleAll, {
    halfOpenAfter: LONG,
    breaker: new c.SamplingBreaker({ threshold: 0.5, duration: 30_000, minimumRps: 1 }),
  });
const retry = () => c.retry(c.handleAll, { maxAttempts: 2, backoff: new c.ExponentialBackoff() });
const fallback = () => c.fallback(c.handleAll, 0);
const bulkhead = (places = 10) => c.bulkhead(places, 10);
// as our limit does: the caller is answered when the time is over, whatever the method does
const timeLimit = () => c.timeout(1_000, c.TimeoutStrategy.Aggressive);
const four = (places) => c.wrap(fallback(), retry(), breaker(), bulkhead(places));

const guard =
  (make, method = ok) =>
  () => {
    const policy = make();
    return (value) => policy.execute(() => method(value));
  };

export async function cockatiel() {
  const open = breaker();
  await failTimes(5, () => open.execute(down));
  return {
    breaker: guard(breaker),
    'breaker-rate': guard(sampling),
    'breaker-failing': guard(() => breaker(NEVER_REACHED), failing),
    retry: guard(retry),
    bulkhead: guard(bulkhead),
    'time-limit': guard(timeLimit),
    fallback: guard(fallback),
    'fallback-used': guard(fallback, failing),
    'stack-4': guard(four),
    'stack-5': guard(() => c.wrap(fallback(), retry(), breaker(), timeLimit(), bulkhead())),
    success: guard(() => c.wrap(breaker(), timeLimit(), bulkhead())),
    failure: guard(() => c.wrap(breaker(NEVER_REACHED), timeLimit(), bulkhead()), failing),
    'open-rejected': guard(() => open, down),
    'breaker-1000': guard(breaker),
    'stack-4-1000': guard(() => four(1_000)),
    queued: guard(() => c.bulkhead(1, 1_000)),
    keyed: () => {
      const breakers = new Map();
      let turn = 0;
      return () => {
        const key = KEYS[(turn += 1) % KEYS.length];
        let policy = breakers.get(key);
        if (policy === undefined) breakers.set(key, (policy = breaker()));
        return policy.execute(() => ok(key));
      };
    },
  };
}
