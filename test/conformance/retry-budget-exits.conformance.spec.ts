// However a call ends, the budget of retries counts it no longer.
import type { PolicySet } from 'nestjs-bulwark';
import { itCanLeave, onEveryFace, settle, Stage } from '../support/stage.js';

const down = (): Promise<never> => Promise.reject(new Error('down'));
const hang = (): Promise<never> => new Promise(() => {});

const counts = ({ pipeline }: Stage): [calls: number, retries: number] => [
  pipeline.budget!.calls,
  pipeline.budget!.retries,
];

onEveryFace((face) => {
  describe('after every exit no count is left', () => {
    const exits: Record<string, [PolicySet, (stage: Stage) => Promise<void>]> = {
      'an answer in the fast lane': [
        {},
        async (stage) => {
          await stage.run(() => Promise.resolve('ok'));
        },
      ],
      'an answer with the engine': [
        { timeLimit: 1_000 },
        async (stage) => {
          await stage.run(() => Promise.resolve('ok'));
        },
      ],
      'a synchronous throw': [
        {},
        async (stage) => {
          stage.call(() => {
            throw new TypeError('sync');
          });
          await settle();
        },
      ],
      'a failure that is not retried': [
        {},
        async (stage) => {
          await stage.run(() => Promise.reject(new TypeError('x')));
        },
      ],
      'the last attempt': [
        {},
        async (stage) => {
          stage.call(down);
          await stage.clock.advance(10_000);
        },
      ],
      'an answer of the second attempt': [
        {},
        async (stage) => {
          stage.call(() => (stage.executions === 1 ? down() : Promise.resolve()));
          await stage.clock.advance(10_000);
        },
      ],
      'an open breaker': [
        { circuitBreaker: {} },
        async (stage) => {
          stage.breaker.isolate();
          await stage.run(down);
        },
      ],
      'a breaker that opens in the delay': [
        { circuitBreaker: {} },
        async (stage) => {
          await stage.run(down);
          stage.breaker.isolate();
          await stage.clock.advance(10_000);
        },
      ],
      'a full bulkhead': [
        { bulkhead: { maxConcurrent: 1, maxQueue: 0 } },
        async (stage) => {
          stage.pipeline.bulkhead!.policy.enter();
          await stage.run(down);
        },
      ],
      'a rate limit': [
        { rateLimit: { limit: 1, per: 60_000 } },
        async (stage) => {
          await stage.run(() => Promise.resolve());
          await stage.run(down);
        },
      ],
      'a time limit': [
        { timeLimit: 100 },
        async (stage) => {
          stage.call(hang);
          await stage.clock.advance(100);
        },
      ],
      'the total timeout in an attempt': [
        { retry: { totalTimeout: 1_000 } },
        async (stage) => {
          stage.call(hang);
          await stage.clock.advance(1_000);
        },
      ],
      'the total timeout, come late, in a delay': [
        { retry: { totalTimeout: 200 } },
        async (stage) => {
          await stage.run(down);
          stage.clock.jump(500);
          await stage.clock.advance(0);
        },
      ],
      'a fallback': [
        { fallback: { value: 1 } },
        async (stage) => {
          stage.call(down);
          await stage.clock.advance(10_000);
        },
      ],
      'a fallback that fails': [
        { fallback: () => Promise.reject(new Error('too')) },
        async (stage) => {
          stage.call(down);
          await stage.clock.advance(10_000);
        },
      ],
      'a beforeRetry that fails': [
        { retry: { beforeRetry: () => Promise.reject(new Error('before')) } },
        async (stage) => {
          stage.call(down);
          await stage.clock.advance(10_000);
        },
      ],
      'a change of the policies on the way': [
        {},
        async (stage) => {
          await stage.run(down);
          stage.runtime.reconfigure('Controller.handle', { retry: { maxAttempts: 1 } });
          await stage.clock.advance(10_000);
        },
      ],
      'the kill switch on the way': [
        {},
        async (stage) => {
          await stage.run(down);
          stage.runtime.setEnabled(false);
          await stage.clock.advance(10_000);
          stage.runtime.setEnabled(true);
        },
      ],
    };

    it.each(Object.entries(exits))('%s', async (_name, [policies, run]) => {
      const stage = new Stage(face, { ...policies, retry: { jitter: 'none', ...policies.retry } });

      await run(stage);

      expect(counts(stage)).toEqual([0, 0]);
      expect(stage.clock.pending).toBe(0);
    });

    const leaving: Record<string, [PolicySet, (stage: Stage) => Promise<void>, number]> = {
      'while the method runs': [{}, settle, 0],
      'while a second attempt runs': [
        {},
        async (stage) => {
          await stage.clock.advance(100);
        },
        1,
      ],
      'in a delay': [{}, settle, 3],
      'in beforeRetry': [
        { retry: { beforeRetry: hang } },
        async (stage) => {
          await stage.clock.advance(100);
        },
        3,
      ],
      'while a fallback answers': [
        { fallback: hang },
        async (stage) => {
          await stage.clock.advance(10_000);
        },
        3,
      ],
    };

    for (const [name, [policies, wait, failing]] of Object.entries(leaving)) {
      itCanLeave(face, `a caller who leaves ${name}`, async () => {
        const stage = new Stage(face, {
          ...policies,
          retry: { jitter: 'none', ...policies.retry },
        });
        const call = stage.call(() => (stage.executions <= failing ? down() : hang()));
        await wait(stage);
        expect(call.isPending).toBe(true);

        call.cancel();
        await settle();

        expect(counts(stage)).toEqual([0, 0]);
        expect(stage.clock.pending).toBe(0);
      });
    }
  });
});
