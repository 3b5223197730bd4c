// What 100,000 calls leave behind: nothing.
import { getEventListeners } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import type { PolicySet } from 'nestjs-bulwark';
import { defaultClassifier } from '../../lib/errors/default-classifier.js';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import { ResilienceRuntime } from '../../lib/pipeline/runtime.js';
import { systemClock } from '../../lib/pipeline/system-clock.js';
import type { Target } from '../../lib/pipeline/target.js';
import { seededRandom } from '../../lib/testing/index.js';

const CALLS = 100_000;
const ALL: PolicySet = {
  retry: { totalTimeout: 90_000 },
  circuitBreaker: {},
  timeLimit: 60_000,
  bulkhead: { maxConcurrent: 1_000, queueTimeout: 60_000, maxHold: false },
  fallback: { value: 'instead' },
};

const targetOf = (policies: PolicySet): Target =>
  new ResilienceRuntime({
    clock: systemClock,
    random: seededRandom(1),
    classifier: defaultClassifier,
    report: () => {},
  }).register('A', policies);

const timers = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

const up = (): Promise<string> => Promise.resolve('ok');
const forbidden = (): Promise<never> => Promise.reject(new TypeError('x'));

const faces: Record<string, (target: Target, signal: AbortSignal) => Promise<unknown>> = {
  promise: (target) => runPromise(target, up, undefined, []),
  'promise with signal': (target, signal) => runPromise(target, up, undefined, [], signal),
  observable: (target) => lastValueFrom(runObservable(target, up, undefined, [])),
  'interceptor, around a promise': (target) =>
    lastValueFrom(runObservable(target, up, undefined, [], false)),
};

it.each(Object.entries(faces))(
  '#63 #64 no timer and no listener, where limits of a minute were set: %s',
  async (_name, run) => {
    const target = targetOf(ALL);
    const { signal } = new AbortController();
    const before = timers();

    for (let i = 0; i < CALLS / 500; i += 1)
      await Promise.all(Array.from({ length: 500 }, () => run(target, signal)));

    expect(timers()).toBe(before);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(target.pipeline.bulkhead!.policy.snapshot()).toMatchObject({ running: 0, queued: 0 });
    expect(target.pipeline.breaker!.policy.counters.success).toBe(CALLS);
  },
  60_000,
);

it('#64 a signal has one listener of ours, however many calls it could end at once', async () => {
  const target = targetOf(ALL);
  const leaving = new AbortController();
  const calls = Array.from({ length: 500 }, () =>
    runPromise(target, () => new Promise(() => {}), undefined, [], leaving.signal),
  );
  const failing = runPromise(target, forbidden, undefined, [], leaving.signal);
  expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(1);
  await Promise.allSettled([failing]);
  expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(1);
  const reason = new Error('left');

  leaving.abort(reason);

  expect(await Promise.allSettled(calls)).toEqual(
    calls.map(() => ({ status: 'rejected', reason })),
  );
  expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
  expect(target.pipeline.breaker!.policy.counters.cancelled).toBe(500);
});

it('#65 nothing on the way of a call races promises or joins signals, which keeps every loser alive', () => {
  const files = readdirSync('lib', { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => /^(?:kernel|policies|pipeline)\/.*\.ts$/.test(file));
  const racing = sources.filter((file) =>
    /Promise\.(?:race|any)\(|AbortSignal\.any\(/.test(readFileSync(join('lib', file), 'utf8')),
  );

  expect(sources.length).toBeGreaterThan(50);
  expect(racing).toEqual([]);
});
