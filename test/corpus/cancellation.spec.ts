// Bugs of peers: signals and time limits belong to one call, and leave nothing behind.
import { getEventListeners } from 'node:events';
import { CallTimeoutError, currentCall, type PolicySet } from 'nestjs-bulwark';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import { Gate, Stage } from '../support/stage.js';
import { down, PROMISE, settle, up } from './support.js';

const ALL: PolicySet = {
  retry: { maxAttempts: 15, delay: 1, maxDelay: 10 },
  circuitBreaker: { failureThreshold: 1_000 },
  timeLimit: 100,
  bulkhead: {},
};
const stageOf = (policies: PolicySet): Stage => new Stage(PROMISE, policies);
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('listeners', () => {
  // https://github.com/connor4312/cockatiel/issues/81
  it('cockatiel #81: abort listeners do not pile up with the attempts of one call', async () => {
    const stage = stageOf(ALL);
    const { signal } = new AbortController();
    let most = 0;
    const work = (): Promise<never> => {
      most = Math.max(most, listeners(signal));
      return down();
    };

    const call = runPromise(stage.target, work, undefined, [], signal);
    const failed = expect(call).rejects.toThrow('down');
    await stage.clock.advance(1_000);
    await failed;

    expect(stage.pipeline.counters.retries).toBe(14);
    expect(most).toBe(1);
    expect(listeners(signal)).toBe(0);
  });

  // https://github.com/connor4312/cockatiel/issues/69
  it('cockatiel #69: several policies around many calls with one signal listen once per call at most', async () => {
    const stage = stageOf(ALL);
    const { signal } = new AbortController();
    for (let i = 0; i < 200; i += 1) {
      await runPromise(stage.target, up as never, undefined, [], signal);
      expect(listeners(signal)).toBe(0);
    }

    const running = new Gate();
    for (let i = 0; i < 5; i += 1) {
      void runPromise(stage.target, running.work, undefined, [], signal);
    }
    expect(listeners(signal)).toBe(1); // one for all of them
    running.resolve();
    await settle();
    expect(listeners(signal)).toBe(0);
  });

  // https://github.com/sindresorhus/p-retry/issues/71
  it('p-retry #71: the listener is gone when the call is over, whichever way it ended', async () => {
    const stage = stageOf({ retry: { maxAttempts: 2, delay: 1 } });
    const { signal } = new AbortController();
    const works = [
      up,
      down,
      () => {
        throw new Error('at once');
      },
    ];

    for (const work of works) {
      const call = runPromise(stage.target, work as never, undefined, [], signal).catch(() => {});
      await stage.clock.advance(10);
      await call;
      expect(listeners(signal)).toBe(0);
    }
  });
});

describe('whose signal', () => {
  // https://github.com/nodeshift/opossum/issues/780
  it('opossum #780: the timeout of one call does not abort the others', async () => {
    const stage = stageOf({ timeLimit: 100 });
    const signals: AbortSignal[] = [];
    const work = (): Promise<unknown> => {
      signals.push(currentCall().signal);
      return new Promise((resolve) => stage.clock.schedule(() => resolve('ok'), 80));
    };
    stage.call(() => {
      signals.push(currentCall().signal);
      return new Promise(() => {});
    });
    await stage.clock.advance(60);
    const bystander = stage.call(work);
    await stage.clock.advance(50);

    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await stage.clock.advance(50);
    expect(bystander.value).toBe('ok');
  });

  // https://github.com/nodeshift/opossum/issues/861
  it('opossum #861: after a timeout the next call, and the next attempt, has a signal of its own', async () => {
    const stage = stageOf({ timeLimit: 100, retry: { idempotent: true, delay: 1 } });
    const aborted: boolean[] = [];
    const work = (): Promise<unknown> => {
      aborted.push(currentCall().signal.aborted);
      return new Promise(() => {});
    };

    stage.call(work);
    await stage.clock.advance(1_000);
    stage.call(work);
    await stage.clock.advance(1_000);

    expect(aborted).toEqual(Array.from({ length: 6 }, () => false));
  });

  // https://github.com/connor4312/cockatiel/issues/99
  it('cockatiel #99: a caller who aborts gets its own reason, and no talk of a timeout', async () => {
    const stage = stageOf({ timeLimit: 5_000 });
    const controller = new AbortController();
    const reason = new Error('Fetch cancelled');
    let seen: unknown;
    const call = runPromise(
      stage.target,
      () => {
        const { signal } = currentCall();
        signal.addEventListener('abort', () => (seen = signal.reason));
        return new Promise(() => {});
      },
      undefined,
      [],
      controller.signal,
    );

    controller.abort(reason);

    await expect(call).rejects.toBe(reason);
    expect(seen).toBe(reason);
  });

  // https://github.com/apify/crawlee/issues/3427
  it('crawlee #3427: a queued call does not inherit the abort of the one before it', async () => {
    const stage = stageOf({ timeLimit: 100, bulkhead: { maxConcurrent: 1, maxHold: false } });
    const first = new Gate();
    let aborted: boolean | undefined;
    const timedOut = stage.call(first.work);
    await stage.clock.advance(99);
    const queued = stage.call(() => {
      aborted = currentCall().signal.aborted;
      return up();
    });
    await stage.clock.advance(1);
    expect(timedOut.error).toBeInstanceOf(CallTimeoutError);

    first.resolve();
    await settle();

    expect(queued.value).toBe('ok');
    expect(aborted).toBe(false);
  });
});
