// The deadline of a call, inherited by the protected calls that its method makes.
import { CallTimeoutError, currentCall, type PolicySet } from 'nestjs-bulwark';
import { Nested } from '../support/nested.js';
import { type Face, Gate, itCanLeave, onEveryFace, settle } from '../support/stage.js';

const down = (): Promise<never> => Promise.reject(new Error('down'));
const hang = (): Promise<never> => new Promise(() => {});

const propagating = (face: Face, ms: number, policies: PolicySet = {}): Nested =>
  new Nested(face, { ...policies, timeLimit: { ms, propagateDeadline: true } });

/** The ways to pass a deadline on. */
const WAYS: [string, PolicySet][] = [
  ['a time limit', { timeLimit: { ms: 100, propagateDeadline: true } }],
  ['a total timeout', { retry: { totalTimeout: 100, delay: 1, propagateDeadline: true } }],
  [
    'a total timeout before the time limit',
    { timeLimit: { ms: 500, propagateDeadline: true }, retry: { totalTimeout: 100, delay: 1 } },
  ],
];

onEveryFace((face) => {
  describe.each(WAYS)('the deadline of %s', (_name, policies) => {
    it('is that of a call further in, also after awaits', async () => {
      const stage = new Nested(face, policies);
      const inner = stage.inner({ circuitBreaker: {} });
      let error: unknown;
      let at = 0;
      const began = stage.clock.now();
      stage.call(async () => {
        await stage.sleep(30);
        await stage.ask(inner, hang).catch((e: unknown) => {
          error = e;
          at = stage.clock.now() - began;
        });
      });
      await stage.clock.advance(99);
      expect(error).toBeUndefined();

      await stage.clock.advance(1);

      expect(at).toBe(100);
      expect(error).toBeInstanceOf(CallTimeoutError);
      expect(error).toMatchObject({
        target: 'Inner.call',
        inherited: true,
        limit: 70,
        started: true,
        status: 504,
      });
      expect(stage.clock.pending).toBe(0);
    });

    it('refuses at once a call that is made after it, without running anything or blaming anybody', async () => {
      const stage = new Nested(face, policies);
      const inner = stage.inner({
        circuitBreaker: { failureThreshold: 1 },
        bulkhead: { maxConcurrent: 1 },
        retry: {},
      });
      const gate = new Gate();
      let error: unknown;
      let ran = false;
      stage.call(async () => {
        await gate.promise;
        await stage
          .ask(inner, () => {
            ran = true;
            return Promise.resolve();
          })
          .catch((e: unknown) => (error = e));
      });
      await stage.clock.advance(150);

      gate.resolve();
      await settle();

      expect(ran).toBe(false);
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', inherited: true, started: false });
      const { breaker, bulkhead, budget } = inner.pipeline;
      expect(breaker!.policy.counters).toMatchObject({ failure: 0, rejected: 0, success: 0 });
      expect(bulkhead!.policy.snapshot()).toMatchObject({ running: 0, queued: 0 });
      expect([budget!.calls, budget!.retries]).toEqual([0, 0]);
      expect(stage.clock.pending).toBe(0);
    });

    it('does not refuse what the method left behind when it ended', async () => {
      const stage = new Nested(face, policies);
      const inner = stage.inner({ circuitBreaker: {} });
      const gate = new Gate();
      let left!: Promise<unknown>;
      await stage.run(() => {
        left = gate.promise.then(() => stage.ask(inner, () => Promise.resolve('after')));
        return Promise.resolve('done');
      });
      await stage.clock.advance(1_000);

      gate.resolve();

      await expect(left).resolves.toBe('after');
    });

    it('ends a retry further in: no attempt is planned beyond it', async () => {
      const stage = new Nested(face, policies);
      const inner = stage.inner({ retry: { delay: 60, jitter: 'none', backoff: 'constant' } });
      let executions = 0;
      let error: unknown;
      stage.call(() =>
        stage
          .ask(inner, () => {
            executions += 1;
            return down();
          })
          .catch((e: unknown) => {
            error = e;
          }),
      );

      await stage.clock.advance(100);

      expect(executions).toBe(2);
      expect(error).toMatchObject({ message: 'down' });
      expect(stage.events).toContainEqual(
        expect.objectContaining({ type: 'retry-declined', why: 'no-time-left' }),
      );
    });

    it('is passed on through a call that only passes it on', async () => {
      const stage = new Nested(face, policies);
      const middle = stage.inner({ retry: { propagateDeadline: true } }, 'Middle.call');
      const inner = stage.inner({});
      let seen: unknown;
      stage.call(() =>
        stage.ask(middle, async () => {
          await stage.sleep(10);
          return stage.ask(inner, hang).catch((e: unknown) => {
            seen = e;
          });
        }),
      );

      await stage.clock.advance(100);

      expect(seen).toMatchObject({ inherited: true, limit: 90, target: 'Inner.call' });
    });

    it('currentCall is valid after awaits, and is that of the attempt', async () => {
      const stage = new Nested(face, policies);
      const seen: unknown[] = [];
      stage.call(async () => {
        await stage.sleep(40);
        const { attempt, target, remaining, deadline, signal } = currentCall();
        seen.push(attempt, target, remaining(), deadline, signal.aborted);
        await hang();
      });

      await stage.clock.advance(40);

      expect(seen).toEqual([1, 'Controller.handle', 60, stage.clock.epoch() + 60, false]);
    });
  });

  it('a shorter limit further in stays its own', async () => {
    const stage = propagating(face, 100);
    const inner = stage.inner({ timeLimit: 20, circuitBreaker: { failureThreshold: 1 } });
    let error: unknown;
    stage.call(() => stage.ask(inner, hang).catch((e: unknown) => (error = e)));

    await stage.clock.advance(20);

    expect(error).toMatchObject({ limit: 20, inherited: false, policy: 'time-limit' });
    expect(inner.pipeline.breaker!.policy.current).toBe('open');
  });

  it('is none in another application, whose clock is another', async () => {
    const stage = propagating(face, 100);
    const other = new Nested(face, {});
    await other.clock.advance(5_000);
    const inner = other.inner({ retry: {} });
    let value: unknown;

    await stage.run(async () => {
      value = await stage.ask(inner, () => Promise.resolve('asked'));
    });

    expect(value).toBe('asked');
    expect(other.clock.pending).toBe(0);
  });

  it('#79 a call that comes back to its own bulkhead after an await is told so, and does not wait for itself', async () => {
    const stage = propagating(face, 100, { bulkhead: { maxConcurrent: 1, name: 'one' } });
    const same = stage.inner({ bulkhead: { maxConcurrent: 1, name: 'one' } });
    let error: unknown;

    await stage.run(async () => {
      await settle();
      await stage.ask(same, hang).catch((e: unknown) => (error = e));
    });
    await settle();

    expect(error).toMatchObject({ code: 'BULKHEAD_REENTRANCY' });
  });

  it('a limit of its own that ends at the same moment is its own', async () => {
    const stage = propagating(face, 100);
    const inner = stage.inner({ retry: { totalTimeout: 100, delay: 1 }, circuitBreaker: {} });
    let error: unknown;
    stage.call(() => stage.ask(inner, hang).catch((e: unknown) => (error = e)));

    await stage.clock.advance(100);

    expect(error).toMatchObject({ inherited: false, policy: 'retry', limit: 100 });
    expect(inner.pipeline.breaker!.policy.counters).toMatchObject({ failure: 1 });
  });

  it.each<[string, 'blamed' | 'not blamed', PolicySet]>([
    ['has no limit of its own', 'blamed', {}],
    ['only passes the deadline on', 'blamed', { timeLimit: { propagateDeadline: true } }],
    ['only limits gaps in a stream', 'blamed', { timeLimit: { idle: 5 } }],
    ['has a longer time limit', 'not blamed', { timeLimit: 5_000 }],
    ['has a longer time limit by a function', 'not blamed', { timeLimit: { ms: () => 5_000 } }],
    ['has a longer total timeout', 'not blamed', { retry: { totalTimeout: 5_000 } }],
  ])('a call further in that %s is %s when its caller ran out of time', async (...row) => {
    const [, verdict, policies] = row;
    const stage = propagating(face, 100);
    const inner = stage.inner({ ...policies, circuitBreaker: {} });
    stage.call(() => stage.ask(inner, hang).catch(() => {}));

    await stage.clock.advance(100);

    expect(inner.pipeline.breaker!.policy.counters).toMatchObject(
      verdict === 'blamed' ? { failure: 1, cancelled: 0 } : { failure: 0, cancelled: 1 },
    );
  });

  it('a call further in that waited for its slot until the deadline is rejected, not failed', async () => {
    const stage = propagating(face, 100);
    const inner = stage.inner({ circuitBreaker: {}, bulkhead: { maxConcurrent: 1 } });
    const { policy } = inner.pipeline.bulkhead!;
    policy.enter();
    let error: unknown;
    stage.call(() => stage.ask(inner, hang).catch((e: unknown) => (error = e)));

    await stage.clock.advance(100);

    expect(error).toMatchObject({ started: false, inherited: true });
    expect(inner.pipeline.breaker!.policy.counters).toMatchObject({ failure: 0, rejected: 1 });
    expect(policy.snapshot()).toMatchObject({ running: 1, queued: 0 });
  });

  it('each attempt passes on its own deadline', async () => {
    const stage = new Nested(face, {
      retry: { idempotent: true, delay: 50, jitter: 'none', maxAttempts: 2 },
      timeLimit: { ms: 100, propagateDeadline: true },
    });
    const inner = stage.inner({});
    const limits: number[] = [];
    stage.call(() =>
      stage.ask(inner, hang).catch((e: unknown) => {
        limits.push((e as CallTimeoutError).limit);
        throw e;
      }),
    );

    await stage.clock.advance(10_000);

    expect(limits).toEqual([100, 100]);
  });

  itCanLeave(face, 'a caller who left passes on what time there was', async () => {
    const stage = propagating(face, 100);
    const inner = stage.inner({});
    const gate = new Gate();
    let error: unknown;
    const call = await stage.run(async () => {
      await gate.promise;
      await stage.ask(inner, hang).catch((e: unknown) => (error = e));
    });
    call.cancel();
    await stage.clock.advance(40);

    gate.resolve();
    await stage.clock.advance(59);
    expect(error).toBeUndefined();
    await stage.clock.advance(1);

    expect(error).toMatchObject({ inherited: true, limit: 60 });
  });

  it('a fallback is asked also where there was no time at all', async () => {
    const stage = propagating(face, 100);
    const inner = stage.inner({ fallback: { value: 'instead' } });
    const gate = new Gate();
    let value: unknown;
    stage.call(async () => {
      await gate.promise;
      value = await stage.ask(inner, hang);
    });
    await stage.clock.advance(100);

    gate.resolve();
    await settle();

    expect(value).toBe('instead');
  });
});
