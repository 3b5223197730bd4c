import { common, down, ended, OPEN_FOR, outcomeOf, up, within } from './situations.mjs';

export async function opossum() {
  const { default: CircuitBreaker } = await import('opossum');
  const action = (fn) => fn();
  const make = (options) => new CircuitBreaker(action, { timeout: false, ...options });
  const breaker = ({ ignore, window, minimum } = {}) => {
    const made = make({
      resetTimeout: OPEN_FOR,
      ...(ignore && { errorFilter: (error) => error.code === ignore }),
      ...(window && {
        rollingCountTimeout: window,
        rollingCountBuckets: 5,
        volumeThreshold: minimum,
      }),
    });
    const state = () => (made.closed ? 'closed' : made.halfOpen ? 'half-open' : 'open');
    return { made, run: (fn) => made.fire(fn), state };
  };
  const listener = () => {
    throw new Error('listener');
  };
  return {
    openBreaker: () => ended(make({ resetTimeout: 60_000 }).fire(down)),
    cases: {
      ...common({
        breaker,
        bulkhead: (places) => {
          const made = make({ capacity: places, volumeThreshold: 1_000 });
          return (fn) => made.fire(fn);
        },
      }),
      '40a': async () => {
        const { made, run } = breaker();
        made.on('open', listener);
        const saw = outcomeOf(await within(500, run(down)), 'down');
        return { ok: saw === 'own error', saw };
      },
      '40b': async () => {
        const { made, run } = breaker();
        made.on('success', listener);
        const saw = outcomeOf(await within(500, run(up)), 'down');
        return { ok: saw === 'success', saw };
      },
    },
  };
}
