// Bugs of peers: how long a retry waits, what it must not repeat, and how many there are.
import { CallTimeoutError, type PolicySet } from 'nestjs-bulwark';
import { checkRetry } from '../../lib/policies/retry/retry.options.js';
import { checkTimeLimit } from '../../lib/policies/time-limit/time-limit.options.js';
import { FACES, Stage } from '../support/stage.js';
import { down, PROMISE, settle, SIGNAL } from './support.js';

const INTERCEPTOR = FACES.find(({ name }) => name === 'interceptor')!;
const stageOf = (policies: PolicySet, face = PROMISE): Stage => new Stage(face, policies);

/** What the timer is asked to wait between the attempts of a call that fails each time. */
async function delaysOf(retry: PolicySet['retry'], advance: number): Promise<number[]> {
  const stage = stageOf({ retry });
  const asked: number[] = [];
  const schedule = stage.clock.schedule.bind(stage.clock);
  stage.clock.schedule = (run, delay) => {
    asked.push(delay);
    return schedule(run, delay);
  };
  stage.call(down);
  await stage.clock.advance(advance);
  return asked;
}

describe('how long', () => {
  // https://github.com/App-vNext/Polly/issues/2163
  it('Polly #2163: after more than 1,024 attempts no delay is negative, not a number or too long', async () => {
    const delays = await delaysOf({ maxAttempts: 1_100, delay: 1, maxDelay: 50 }, 60_000);

    expect(delays).toHaveLength(1_099);
    expect(delays.filter((delay) => !(delay >= 0 && delay <= 50))).toEqual([]);
    // it is still chance, and not stuck at nothing
    expect(delays.slice(1_030).reduce((sum, delay) => sum + delay)).toBeGreaterThan(50 * 10);
  });

  // https://github.com/App-vNext/Polly/issues/1866
  it('Polly #1866: a computation that overflows means maxDelay, and not for ever', async () => {
    const retry = { maxAttempts: 80, delay: 1, multiplier: 1e6, maxDelay: 50 };

    const delays = await delaysOf({ ...retry, jitter: 'none' }, 10_000);

    expect(delays).toEqual([1, ...Array.from({ length: 78 }, () => 50)]);
  });

  // https://github.com/pathosDev/actor-ts/issues/771
  it('actor-ts #771: without a maxDelay there is one, and it cannot be infinite', async () => {
    const delays = await delaysOf(
      { maxAttempts: 10, delay: 1_000, multiplier: 10, jitter: 'none' },
      200_000,
    );

    expect(delays).toHaveLength(9);
    expect(delays.filter((delay) => !(delay >= 1_000 && delay <= 10_000))).toEqual([]);
    expect(checkRetry('r', { maxDelay: Number.POSITIVE_INFINITY })).toHaveLength(1);
  });

  // https://github.com/getsentry/sentry-electron/pull/441
  it('sentry-electron #441: no wait is longer than a timer can hold, where it would be 1 ms', async () => {
    const delays = await delaysOf(
      { maxAttempts: 60, delay: 1_000, maxDelay: 2 ** 31 - 1, jitter: 'none' },
      2 ** 31 * 60,
    );

    expect(delays).toHaveLength(59);
    expect(Math.max(...delays)).toBe(2 ** 31 - 1);
    expect(checkRetry('r', { maxDelay: 2 ** 31 })).toHaveLength(1);
  });

  // https://github.com/apify/crawlee/issues/1115
  it('crawlee #1115: a time limit that no timer can hold is refused, not taken for 1 ms', () => {
    expect(checkTimeLimit('t', 9_999_999_000)).toHaveLength(1);
    expect(checkTimeLimit('t', { ms: 9_999_999_000 })).toHaveLength(1);
    expect(checkTimeLimit('t', 2 ** 31 - 1)).toEqual([]);
  });

  // https://github.com/dotnet/extensions/issues/7001
  it.each([1, 2, 3, 4, 5])(
    'dotnet/extensions #7001: never before the time that Retry-After names (dice %d)',
    async (seed) => {
      const stage = new Stage(PROMISE, { retry: { maxAttempts: 2, delay: 100 } }, seed);
      const busy = Object.assign(new Error('busy'), {
        status: 429,
        headers: { 'retry-after': '3' },
      });

      stage.call(() => Promise.reject(busy));
      await stage.clock.advance(2_999);
      expect(stage.executions).toBe(1);
      await stage.clock.advance(1);

      expect(stage.executions).toBe(2);
    },
  );

  // https://github.com/sindresorhus/p-retry/issues/97
  it('p-retry #97: an abort ends the wait at once', async () => {
    const stage = stageOf({ retry: { delay: 10_000, jitter: 'none' } }, SIGNAL);
    const call = await stage.run(down);

    call.cancel();
    await settle();

    expect(call.ending).toEqual({ cancelled: true });
    expect(stage.clock.pending).toBe(0);
    await stage.clock.advance(60_000);
    expect(stage.executions).toBe(1);
  });
});

describe('what must not happen twice', () => {
  /** Work that writes after half a second, whatever its caller thinks by then. */
  function slowWrite(stage: Stage): { writes: number; work: () => Promise<void> } {
    const ledger = {
      writes: 0,
      work: () =>
        new Promise<void>((resolve) => {
          stage.clock.schedule(() => {
            ledger.writes += 1;
            resolve();
          }, 500);
        }),
    };
    return ledger;
  }

  // https://github.com/dotnet/extensions/issues/5248
  it('dotnet/extensions #5248: by default a slow request is not sent again', async () => {
    const stage = stageOf({ retry: {}, timeLimit: 100 });
    const ledger = slowWrite(stage);

    const call = stage.call(ledger.work);
    await stage.clock.advance(60_000);

    expect(call.error).toBeInstanceOf(CallTimeoutError);
    expect(stage.executions).toBe(1);
  });

  // https://github.com/dotnet/extensions/issues/6548
  it('dotnet/extensions #6548: an unsafe call is not retried after a timeout, not even where timeouts are listed', async () => {
    const stage = stageOf({ retry: { retryOn: CallTimeoutError }, timeLimit: 100 }, INTERCEPTOR);
    const ledger = slowWrite(stage);

    stage.call(ledger.work);
    await stage.clock.advance(60_000);

    expect(stage.executions).toBe(1);
  });

  // https://github.com/KanishJebaMathewM/Truxify/issues/11286 (not read)
  it('Truxify #11286: the attempt that we gave up on commits once, and no other beside it', async () => {
    const stage = stageOf({ retry: { maxAttempts: 5, delay: 1 }, timeLimit: 100 });
    const ledger = slowWrite(stage);

    stage.call(ledger.work);
    await stage.clock.advance(60_000);

    expect(ledger.writes).toBe(1);
    expect(stage.eventTypes()).toContain('late-result');
  });
});

describe('how many', () => {
  // https://github.com/resilience4j/resilience4j/issues/172 (not read)
  it('resilience4j #172: retries of a hundred callers do not triple the load on what is down', async () => {
    const stage = stageOf({ retry: { maxAttempts: 3, delay: 100 } });

    for (let i = 0; i < 100; i += 1) stage.call(down);
    await stage.clock.advance(60_000);

    // 100 first attempts, and at most 20 % of the calls in flight may be retries at any time
    expect(stage.executions).toBeGreaterThan(100);
    expect(stage.executions).toBeLessThanOrEqual(140);
  });

  // https://github.com/dotnet/extensions/issues/7686 (not read)
  it('dotnet/extensions #7686: that a budget forbade a retry is told as just that', async () => {
    const stage = stageOf({ retry: { maxAttempts: 3, budget: { ratio: 0, minimum: 1 } } });

    const calls = [stage.call(down), stage.call(down)];
    await stage.clock.advance(60_000);

    expect(calls.map(({ error }) => error.message)).toEqual(['down', 'down']);
    const declined = stage.events.filter((event) => event.type === 'retry-declined');
    expect(declined).toMatchObject([{ why: 'budget-exhausted', attempt: 1 }]);
  });

  // https://github.com/failsafe-go/failsafe-go/issues/66 (not read)
  it('failsafe-go #66: the budget is per dependency, and is there again when the storm is over', async () => {
    const stage = stageOf({ retry: { maxAttempts: 2, delay: 100, jitter: 'none' } });
    for (let i = 0; i < 50; i += 1) stage.call(down);
    await stage.clock.advance(10_000);
    stage.executions = 0;

    stage.call(down);
    await stage.clock.advance(10_000);

    expect(stage.executions).toBe(2);
  });
});
