import { defaultClassifier } from '../../../lib/errors/default-classifier.js';
import { runPromise } from '../../../lib/pipeline/promise-face.js';
import { ResilienceRuntime } from '../../../lib/pipeline/runtime.js';
import { FakeClock, seededRandom, settle } from '../../../lib/testing/index.js';

it('a reset lets those go who wait for their turn, in order, and their timer has nothing left to do', async () => {
  const clock = new FakeClock();
  const runtime = new ResilienceRuntime({
    clock,
    random: seededRandom(1),
    classifier: defaultClassifier,
    report: () => {},
  });
  const target = runtime.register('A', { rateLimit: { limit: 2, per: 60_000, maxWait: 600_000 } });
  const ran: number[] = [];
  const call = (n: number): Promise<unknown> =>
    runPromise(target, async () => ran.push(n), undefined, []);
  const calls = [1, 2, 3, 4, 5].map(call);
  await settle();
  expect(ran).toEqual([1, 2]);

  runtime.reset();
  await settle();

  expect(ran).toEqual([1, 2, 3, 4]);
  await clock.advance(30_000);
  expect(ran).toEqual([1, 2, 3, 4, 5]);
  await Promise.all(calls);
  expect(clock.pending).toBe(0);
});
