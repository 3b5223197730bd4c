import { guarded } from './nest.mjs';
import { common, down, ended, OPEN_FOR, outcomeOf, up, within } from './situations.mjs';

export async function cockatiel() {
  const c = await import('cockatiel');
  const STATES = { 0: 'closed', 1: 'open', 2: 'half-open', 3: 'isolated' };
  const breaker = ({ ignore, window, minimum } = {}) => {
    const policy = c.circuitBreaker(
      ignore === undefined ? c.handleAll : c.handleWhen((error) => error.code !== ignore),
      {
        halfOpenAfter: OPEN_FOR,
        breaker:
          window === undefined
            ? new c.ConsecutiveBreaker(1)
            : new c.SamplingBreaker({
                threshold: 0.5,
                duration: window,
                minimumRps: (minimum * 1_000) / window,
              }),
      },
    );
    return { policy, run: (fn) => policy.execute(fn), state: () => STATES[policy.state] };
  };
  const listener = () => {
    throw new Error('listener');
  };
  return {
    openBreaker: () => ended(breaker().run(down)),
    cases: {
      ...common({
        breaker,
        bulkhead: (places, queue) => {
          const policy = c.bulkhead(places, queue);
          return (fn, signal) => policy.execute(fn, signal);
        },
        retry: (times, places) => {
          const retry = c.retry(c.handleAll, {
            maxAttempts: times,
            backoff: new c.ConstantBackoff(1),
          });
          const policy =
            places === undefined
              ? retry
              : c.wrap(
                  retry,
                  c.timeout(1_000, c.TimeoutStrategy.Aggressive),
                  c.bulkhead(places, 0),
                );
          return (fn, signal) => policy.execute(fn, signal);
        },
      }),
      1: async () => {
        await import('reflect-metadata');
        return await guarded(() => c.usePolicy(c.retry(c.handleAll, { maxAttempts: 1 })));
      },
      '40a': async () => {
        const { policy, run } = breaker();
        policy.onBreak(listener);
        const saw = outcomeOf(await within(500, run(down)), 'down');
        return { ok: saw === 'own error', saw };
      },
      '40b': async () => {
        const { policy, run } = breaker();
        policy.onSuccess(listener);
        const saw = outcomeOf(await within(500, run(up)), 'down');
        return { ok: saw === 'success', saw };
      },
    },
  };
}
