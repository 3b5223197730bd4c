// Retries inside retries, and work that still runs, on every face.
import { CallTimeoutError, type PolicySet, type RetryOptions } from 'nestjs-bulwark';
import { Nested } from '../support/nested.js';
import { type Face, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const retry = (more: RetryOptions = {}): PolicySet => ({
  retry: { maxAttempts: 3, delay: 1, jitter: 'none', budget: false, ...more },
});

/** Three protected methods, each calling the next one; the innermost calls the leaf. */
function tower(face: Face, [outer, middle, inner]: readonly [PolicySet, PolicySet, PolicySet]) {
  const stage = new Nested(face, outer);
  const second = stage.inner(middle, 'Middle.call');
  const third = stage.inner(inner, 'Inner.call');
  let leaves = 0;
  const call = (
    leaf: () => Promise<unknown>,
    through: (asked: Promise<unknown>) => Promise<unknown> = (asked) => asked,
  ) =>
    stage.call(() =>
      through(
        stage.ask(second, () =>
          through(
            stage.ask(third, () => {
              leaves += 1;
              return leaf();
            }),
          ),
        ),
      ),
    );
  return { stage, call, leaves: () => leaves };
}

onEveryFace((face) => {
  describe('#52 three nested methods of three attempts', () => {
    const all = [retry(), retry(), retry()] as const;

    it('make three calls of the leaf, and the caller gets its error', async () => {
      const { stage, call, leaves } = tower(face, all);
      const error = new Error('down');

      const running = call(() => Promise.reject(error));
      await stage.clock.advance(10_000);

      expect(leaves()).toBe(3);
      expect(stage.executions).toBe(1);
      expect(running.error).toBe(error);
      expect(stage.events.filter((e) => e.type === 'retry-exhausted')).toHaveLength(1);
      expect(
        stage.events.filter((e) => e.type === 'retry-declined').map((e) => [e.target, e.why]),
      ).toEqual([
        ['Middle.call', 'spent-further-in'],
        ['Controller.handle', 'spent-further-in'],
      ]);
    });

    it('also where a new error names the old one as its cause', async () => {
      const { stage, call, leaves } = tower(face, all);

      call(
        () => Promise.reject(new Error('down')),
        (asked) => asked.catch((cause: unknown) => Promise.reject(new Error('wrapped', { cause }))),
      );
      await stage.clock.advance(10_000);

      expect(leaves()).toBe(3);
    });

    it('make 27 where each asks for it by retryNested', async () => {
      const nested = retry({ retryNested: true });
      const { stage, call, leaves } = tower(face, [nested, nested, nested]);

      call(() => Promise.reject(new Error('down')));
      await stage.clock.advance(10_000);

      expect(leaves()).toBe(27);
    });

    it('make nine where only the one in the middle asks', async () => {
      const { stage, call, leaves } = tower(face, [retry(), retry({ retryNested: true }), retry()]);

      call(() => Promise.reject(new Error('down')));
      await stage.clock.advance(10_000);

      expect(leaves()).toBe(9);
    });

    it('make as many as come when the error is one constant object, in call after call', async () => {
      const { stage, call, leaves } = tower(face, all);
      const constant = new Error('down');
      for (let i = 0; i < 5; i += 1) {
        call(() => Promise.reject(constant));
        await stage.clock.advance(10_000);
      }

      expect(leaves()).toBe(15);
    });

    it('retry further out what further in was not worth it', async () => {
      const { stage, call, leaves } = tower(face, [
        retry(),
        {},
        retry({ retryOn: () => false }),
      ] as const);

      call(() => Promise.reject(new Error('down')));
      await stage.clock.advance(10_000);

      expect(leaves()).toBe(3);
      expect(stage.executions).toBe(3);
    });

    it.each<[string, RetryOptions, number]>([
      ['an exhausted budget', { budget: { ratio: 0, minimum: 1 } }, 2],
      ['want of time', { totalTimeout: 2, delay: 1, backoff: 'constant' }, 2],
    ])('further in, %s is not made up for further out', async (_name, more, expected) => {
      const stage = new Nested(face, retry());
      const inner = stage.inner(retry(more));
      const busy = new Gate();
      if (more.budget) {
        stage.ask(inner, busy.work).catch(() => {}); // to fail, and to hold the only leave
        busy.reject(new Error('x'));
        await settle();
      }
      let leaves = 0;
      stage.call(() =>
        stage.ask(inner, () => {
          leaves += 1;
          return Promise.reject(new Error('down'));
        }),
      );

      await stage.clock.advance(more.budget ? 0 : 10_000);

      expect(leaves).toBe(more.budget ? 1 : expected);
      expect(stage.executions).toBe(1);
      expect(stage.events.at(-1)).toMatchObject({
        target: 'Controller.handle',
        why: 'spent-further-in',
      });
      await stage.clock.advance(10_000);
    });
  });

  it('#52 the total timeout that ends a hook before the retry has spent the error too', async () => {
    const stage = new Nested(face, retry());
    const inner = stage.inner(
      retry({ totalTimeout: 100, beforeRetry: () => new Promise(() => {}) }),
    );
    let leaves = 0;

    const call = stage.call(() =>
      stage.ask(inner, () => {
        leaves += 1;
        return Promise.reject(new Error('down'));
      }),
    );
    await stage.clock.advance(10_000);

    expect([leaves, stage.executions]).toEqual([1, 1]);
    expect(call.error.message).toBe('down');
  });

  describe('#53 work that we timed out and that still runs', () => {
    it('is never run a second time: one write, not two', async () => {
      const stage = new Stage(face, { retry: {}, timeLimit: 100 });
      let writes = 0;

      const call = stage.call(
        () =>
          new Promise<void>((resolve) =>
            stage.clock.schedule(() => {
              writes += 1;
              resolve();
            }, 500),
          ),
      );
      await stage.clock.advance(100_000);

      expect([stage.executions, writes]).toEqual([1, 1]);
      expect(call.error).toBeInstanceOf(CallTimeoutError);
      expect(call.error['started']).toBe(true);
      expect(stage.events).toContainEqual(
        expect.objectContaining({ type: 'retry-declined', attempt: 1, why: 'still-running' }),
      );
    });

    it.each<[string, RetryOptions]>([
      ['retryOn', { retryOn: CallTimeoutError }],
      ['byCategory', { byCategory: { timeout: { maxAttempts: 5 } } }],
    ])('also where %s asks for timeouts', async (_name, options) => {
      const stage = new Stage(face, { retry: options, timeLimit: 100 });

      stage.call(() => new Promise(() => {}));
      await stage.clock.advance(100_000);

      expect(stage.executions).toBe(1);
    });

    it('is run again where the method is idempotent, though it overlaps', async () => {
      const stage = new Stage(face, {
        retry: { idempotent: true, maxAttempts: 2, delay: 10, jitter: 'none' },
        timeLimit: 100,
      });
      const gates = [new Gate(), new Gate()];
      const call = stage.call(() => gates[stage.executions - 1]!.work());
      await stage.clock.advance(110);

      gates[1]!.resolve('second');
      gates[0]!.resolve('first');
      await settle();

      expect(call.value).toBe('second');
    });

    it('a timeout that the dependency reports is retried: its work is over', async () => {
      const stage = new Stage(face, { retry: { delay: 1 } });

      stage.call(() => Promise.reject(new DOMException('slow', 'TimeoutError')));
      await stage.clock.advance(100_000);

      expect(stage.executions).toBe(3);
    });

    it('a timeout of a call that was still queued is retried where retryOn asks for it', async () => {
      const stage = new Stage(face, {
        retry: { retryOn: CallTimeoutError, delay: 10, jitter: 'none', maxAttempts: 2 },
        timeLimit: 100,
        bulkhead: { maxConcurrent: 1 },
      });
      stage.pipeline.bulkhead!.policy.enter();

      const call = stage.call(() => Promise.resolve());
      await stage.clock.advance(10_000);

      expect(stage.executions).toBe(0);
      expect(stage.events.filter((e) => e.type === 'call-timed-out')).toHaveLength(2);
      expect(call.error['started']).toBe(false);
    });
  });
});
