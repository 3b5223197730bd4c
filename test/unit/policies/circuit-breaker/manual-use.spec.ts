import { FRAGILE, make, probeDue } from './made-breaker.js';

describe('a permit taken by hand', () => {
  it('counts the first of its ends, and no other', () => {
    const { breaker } = make({ failureThreshold: 3 });
    const permit = breaker.acquire()!;
    permit.failure(Object.assign(new Error('secret'), { code: 'EPIPE' }));
    permit.failure();
    permit.success();
    permit.release();
    breaker.acquire()!.success();
    breaker.acquire()!.ignore();
    breaker.acquire()!.release();

    expect(breaker.counters).toMatchObject({ failure: 1, success: 1, ignored: 1, cancelled: 1 });
  });

  it('leaves the code of its error in the evidence', () => {
    const { breaker } = make(FRAGILE);
    breaker.acquire()!.failure(Object.assign(new Error('secret'), { code: 'EPIPE' }), 12);

    expect(breaker.snapshot().lastTrip!.outcomes).toEqual([
      { outcome: 'failure', error: 'EPIPE', duration: 12, age: 0 },
    ]);
  });

  it('is not given where a call would be refused', () => {
    const { breaker, clock } = make(FRAGILE);
    breaker.acquire()!.failure();
    expect(breaker.acquire()).toBeUndefined();
    expect(breaker.counters.notPermitted).toBe(1);
    clock.jump(1_000);

    const probe = breaker.acquire();
    expect(probe).toBeDefined();
    expect(breaker.acquire()).toBeUndefined();
    probe!.success();
    expect(breaker.current).toBe('closed');
  });

  it('#23 #24 of an older era changes nothing', () => {
    const { breaker, clock, run } = make(FRAGILE);
    const [good, bad] = [breaker.acquire()!, breaker.acquire()!];
    run(1, 'failure');
    clock.jump(1_000);
    const probe = breaker.acquire()!;
    good.success();
    bad.failure();

    expect(breaker.current).toBe('half-open');
    expect(breaker.counters.stale).toBe(2);
    probe.success();
    expect(breaker.current).toBe('closed');
  });

  it('#28 that never ends loses its place with its lease', () => {
    const { breaker, clock, moves } = probeDue({ halfOpenLease: 300 });
    breaker.acquire();
    expect(breaker.canExecute()).toBe(false);
    clock.jump(300);
    expect(breaker.canExecute()).toBe(true);

    breaker.acquire()!.success();

    expect(breaker.current).toBe('closed');
    expect(moves).toContain('probe lost');
  });

  it('is measured where that is needed and no duration is given', () => {
    const slow = { slowCallDuration: 100, slowCallRate: 0.1, window: { calls: 1 } };
    const measured = make(slow);
    const permit = measured.breaker.acquire()!;
    measured.clock.jump(101);
    permit.success();
    const told = make(slow);
    const other = told.breaker.acquire()!;
    told.clock.jump(101);
    other.success(100);

    expect(measured.breaker.current).toBe('open');
    expect(told.breaker.current).toBe('closed');
  });
});

describe('canExecute', () => {
  it('#34 looks and changes nothing', () => {
    const { breaker, clock, moves, run } = make(FRAGILE);
    expect(breaker.canExecute()).toBe(true);
    run(1, 'failure');
    moves.length = 0;
    expect(breaker.canExecute()).toBe(false);
    clock.jump(999);
    expect(breaker.canExecute()).toBe(false);
    clock.jump(1);
    expect([breaker.canExecute(), breaker.canExecute()]).toEqual([true, true]);

    expect(moves).toEqual([]);
    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      probeDue: true,
      counters: { notPermitted: 0 },
    });
  });

  it('is no for an isolated breaker and yes for a disabled one', () => {
    const { breaker } = make(FRAGILE);
    breaker.disable();
    expect(breaker.canExecute()).toBe(true);
    breaker.isolate();
    expect(breaker.canExecute()).toBe(false);
  });
});

describe('outcomes told without a permit', () => {
  it('count while closed as those of calls do', () => {
    const { breaker } = make({ failureThreshold: 2 });
    breaker.recordFailure();
    breaker.recordSuccess();
    breaker.recordFailure();
    expect(breaker.current).toBe('closed');
    breaker.recordFailure({ error: 'EPIPE', retryAfter: 9_000 }, 33);

    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      retryAfter: 9_000,
      counters: { success: 1, failure: 3 },
    });
    expect(breaker.snapshot().lastTrip!.outcomes[1]).toEqual({
      outcome: 'failure',
      error: 'EPIPE',
      duration: 33,
      age: 0,
    });
  });

  it('change nothing while it is open, nor where it is isolated or disabled', () => {
    const open = make(FRAGILE).breaker;
    open.recordFailure();
    open.recordSuccess();
    open.recordFailure();
    const isolated = make(FRAGILE).breaker;
    isolated.isolate();
    isolated.recordFailure();
    const disabled = make(FRAGILE).breaker;
    disabled.disable();
    disabled.recordFailure();

    expect(open.counters).toMatchObject({ failure: 1, success: 0, stale: 2, notPermitted: 0 });
    expect(open.retryAfter()).toBe(1_000);
    expect(isolated.counters).toMatchObject({ failure: 0, stale: 1, notPermitted: 0 });
    expect(disabled.counters).toMatchObject({ failure: 0, stale: 0 });
  });

  it('are probes once one is due: who looks and records is not stuck', () => {
    const { breaker, clock } = make({ ...FRAGILE, halfOpenCalls: 2, successThreshold: 2 });
    breaker.recordFailure();
    clock.jump(1_000);
    breaker.recordSuccess();
    expect(breaker.current).toBe('half-open');
    breaker.recordSuccess();

    expect(breaker.current).toBe('closed');
  });

  it('never make more probes than allowed', () => {
    const { breaker } = probeDue();
    const probe = breaker.acquire()!;
    breaker.recordSuccess();
    breaker.recordFailure();

    expect(breaker.current).toBe('half-open');
    expect(breaker.counters.stale).toBe(2);
    probe.success();
    expect(breaker.current).toBe('closed');
  });

  it('#29 lead through a gradual close, for who looks first', () => {
    const { breaker, clock } = probeDue({ gradualClose: true, halfOpenLease: 100 });
    for (let i = 0; i < 400 && breaker.current !== 'closed'; i += 1) {
      if (breaker.canExecute()) breaker.recordSuccess();
      clock.jump(10);
    }

    expect(breaker.current).toBe('closed');
  });
});

describe('shadow mode', () => {
  it('is the same machine; who would have been refused is counted apart', () => {
    const { breaker, run, clock } = make({ ...FRAGILE, mode: 'shadow' });
    run(1, 'failure');
    expect(run(7, 'success')).toBe(0);
    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      mode: 'shadow',
      counters: { wouldReject: 7, notPermitted: 0 },
    });
    clock.jump(1_000);

    expect(run(2, 'success')).toBe(2);
    expect(breaker.current).toBe('closed');
  });

  it('by hand everybody may go on, and what would have been refused says nothing', () => {
    const { breaker } = make({ ...FRAGILE, mode: 'shadow' });
    breaker.acquire()!.failure();
    expect(breaker.canExecute()).toBe(true);
    const unobserved = breaker.acquire()!;
    unobserved.failure();

    expect(breaker.counters).toMatchObject({ failure: 1, wouldReject: 1, stale: 0 });
  });
});
