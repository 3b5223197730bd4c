// What the breaker makes of the errors that come out of the method, and of our own refusals.
import { CallTimeoutError, type CircuitBreakerOptions, CircuitOpenError } from 'nestjs-bulwark';
import { type Face, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');

const stageOf = (face: Face, circuitBreaker: CircuitBreakerOptions): Stage =>
  new Stage(face, { circuitBreaker });

onEveryFace((face) => {
  it('a refusal by an inner policy is not a failure of the dependency', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { failureThreshold: 1 },
      bulkhead: { maxConcurrent: 1, maxQueue: 0 },
    });
    const busy = new Gate();
    stage.call(busy.work);
    await settle();

    for (let i = 0; i < 10; i += 1)
      expect((await stage.run(up)).error).toMatchObject({ code: 'BULKHEAD_FULL' });

    expect(stage.breaker.current).toBe('closed');
    expect(stage.breaker.counters.rejected).toBe(10);
  });

  it('our own timeout of work that had started is a failure; one of queued work is not', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { failureThreshold: 2 },
      timeLimit: 100,
      bulkhead: { maxConcurrent: 1, maxQueue: 5 },
    });
    const running = stage.call(() => new Promise(() => {}));
    await stage.clock.advance(100);
    expect(running.error).toMatchObject({ code: 'CALL_TIMEOUT', started: true });
    stage.pipeline.bulkhead!.policy.enter();

    const queued = stage.call(up);
    await stage.clock.advance(100);

    expect(queued.error).toMatchObject({ code: 'CALL_TIMEOUT', started: false });
    expect(stage.breaker.counters).toMatchObject({ failure: 1, rejected: 1 });
  });

  it('a timeout that a protected call further in gave up on is a failure here too; its other refusals are not', async () => {
    const stage = stageOf(face, { failureThreshold: 2 });

    await stage.fail(1, new CallTimeoutError('time-limit', 'Inner.call', 100, true));
    await stage.fail(5, new CallTimeoutError('time-limit', 'Inner.call', 100, false));
    await stage.fail(5, new CircuitOpenError('Inner.call', 'open', 100));
    expect(stage.breaker.counters).toMatchObject({ failure: 1, rejected: 10 });

    await stage.fail(1, new CallTimeoutError('time-limit', 'Inner.call', 100, true));
    expect(stage.breaker.current).toBe('open');
  });

  it('failOn names what counts, ignore wins over it', async () => {
    class Fatal extends Error {}
    class Known extends Fatal {}
    const stage = stageOf(face, { failureThreshold: 1, failOn: Fatal, ignore: [Known, 'EKNOWN'] });

    await stage.fail(1, new Error('other'));
    await stage.fail(1, new Known());
    await stage.fail(1, Object.assign(new Fatal(), { code: 'EKNOWN' }));
    expect(stage.breaker.current).toBe('closed');

    await stage.fail(1, new Fatal());
    expect(stage.breaker.current).toBe('open');
  });

  it('#42 a predicate that throws lets the original error through and counts it as a failure', async () => {
    const original = new Error('down');
    const stage = stageOf(face, {
      failureThreshold: 1,
      ignore: () => {
        throw new Error('predicate');
      },
    });

    const call = await stage.run(() => Promise.reject(original));

    expect(call.error).toBe(original);
    expect(stage.breaker.current).toBe('open');
    expect(stage.eventTypes()).toContain('predicate-failed');
  });
});
