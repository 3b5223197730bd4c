import { failureFacts } from '../../../../lib/policies/circuit-breaker/trip.js';
import { make, probeDue } from './made-breaker.js';

describe('the evidence of a trip', () => {
  it('names rule, counts, rate, the outcomes behind it, when, and when the next probe is due', () => {
    const { breaker, clock, run } = make({ failureRate: 0.5, minimumCalls: 4, openFor: 1_000 });
    run(2, 'success', 3);
    run(1, 'failure', 7, { error: 'ECONNRESET' });
    clock.jump(250);
    run(1, 'failure', undefined, { error: 'TimeoutError' });
    const at = clock.epoch();
    clock.jump(500);

    expect(breaker.snapshot().lastTrip).toEqual({
      rule: 'failure-rate',
      calls: 4,
      failures: 2,
      slow: 0,
      rate: 0.5,
      at,
      outcomes: [
        { outcome: 'failure', error: 'ECONNRESET', duration: 7, age: 250 },
        { outcome: 'failure', error: 'TimeoutError', age: 0 },
      ],
      openings: 1,
      openFor: 1_000,
      probeAt: at + 1_000,
    });
  });

  it('keeps the last ten outcomes, oldest first', () => {
    const { breaker, run } = make({ failureThreshold: 25 });
    for (let i = 1; i <= 25; i += 1) run(1, 'failure', i);

    const { outcomes } = breaker.snapshot().lastTrip!;
    expect(outcomes.map(({ duration }) => duration)).toEqual([
      16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    ]);
  });

  it('has no outcome that the rule did not count', () => {
    const { breaker, run, clock } = make({ failureRate: 0.5, minimumCalls: 2, window: 1_000 });
    run(1, 'success');
    run(1, 'success');
    run(1, 'failure', 1, { error: 'forgotten' });
    clock.jump(1_200);
    run(1, 'ignored');
    run(1, 'cancelled');
    run(2, 'failure', 2);

    expect(breaker.snapshot().lastTrip!.outcomes).toEqual([
      { outcome: 'failure', duration: 2, age: 0 },
      { outcome: 'failure', duration: 2, age: 0 },
    ]);
  });

  it('of slow calls are the slow ones, of a run the failures', () => {
    const slow = make({ slowCallDuration: 10, slowCallRate: 0.5, minimumCalls: 4 });
    slow.run(1, 'failure', 1, { error: 'quick' });
    slow.run(1, 'success', 1);
    slow.run(1, 'failure', 20, { error: 'lame' });
    slow.run(1, 'success', 30);
    const run = make({ failureThreshold: 2, slowCallDuration: 10 });
    run.run(1, 'success', 30);
    run.run(2, 'failure', 1);

    expect(slow.breaker.snapshot().lastTrip!.rule).toBe('failure-rate');
    expect(slow.breaker.snapshot().lastTrip!.outcomes).toHaveLength(2);
    expect(run.breaker.snapshot().lastTrip!.outcomes).toEqual([
      { outcome: 'failure', duration: 1, age: 0 },
      { outcome: 'failure', duration: 1, age: 0 },
    ]);
  });

  it('of a slow rate are slow successes and slow failures, and not the quick failures between', () => {
    const { breaker, run } = make({
      failureThreshold: 9,
      slowCallDuration: 10,
      slowCallRate: 0.5,
      minimumCalls: 4,
    });
    run(1, 'failure', 20, { error: 'lame' });
    run(2, 'failure', 1);
    run(1, 'success', 30);

    expect(breaker.snapshot().lastTrip).toMatchObject({
      rule: 'slow-rate',
      failures: 3,
      slow: 2,
      outcomes: [
        { outcome: 'failure', error: 'lame', duration: 20 },
        { outcome: 'success', duration: 30 },
      ],
    });
  });

  it('has no slow call that the window has forgotten', () => {
    const { breaker, run } = make({
      failureThreshold: 9,
      slowCallDuration: 10,
      slowCallRate: 0.5,
      window: { calls: 4 },
    });
    run(1, 'success', 99);
    run(4, 'success', 1);
    run(2, 'success', 11);

    expect(breaker.snapshot().lastTrip!.outcomes.map((o) => o.duration)).toEqual([11, 11]);
  });

  it('of probes are the probes, not what opened it before', () => {
    const { breaker, run } = probeDue();
    run(1, 'failure', 5, { error: 'ECONNREFUSED' });

    expect(breaker.snapshot().lastTrip).toMatchObject({
      rule: 'probes',
      openings: 2,
      outcomes: [{ outcome: 'failure', error: 'ECONNREFUSED', duration: 5 }],
    });
    expect(breaker.snapshot().lastTrip!.outcomes).toHaveLength(1);
  });

  it('stays after the close, for those who ask later', () => {
    const { breaker, run } = probeDue();
    run(1, 'success');

    expect(breaker.snapshot()).toMatchObject({ state: 'closed', lastTrip: { openings: 1 } });
  });

  it('has nothing of healthy calls', () => {
    const { breaker, run } = probeDue({ successThreshold: 2, halfOpenCalls: 2 });
    run(1, 'success', 1);
    run(1, 'failure', 2);

    expect(breaker.snapshot().lastTrip).toMatchObject({
      calls: 2,
      failures: 1,
      rate: 0.5,
      outcomes: [{ outcome: 'failure', duration: 2, age: 0 }],
    });
  });
});

describe('the facts of an error', () => {
  it.each([
    [Object.assign(new Error('secret'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [Object.assign(new Error('secret'), { code: 14 }), '14'],
    [new TypeError('secret'), 'TypeError'],
    [{ name: 'Odd', message: 'secret' }, 'Odd'],
    [{ code: {}, name: 7 }, undefined],
    [{ code: ['secret'], name: ['secret'] }, undefined],
    [5, undefined],
    ['secret', undefined],
    [undefined, undefined],
    [null, undefined],
  ])('of %p are its code, else its name, never its message', (error, expected) => {
    expect(failureFacts(error)).toEqual(expected === undefined ? {} : { error: expected });
  });

  it('are none where a getter throws', () => {
    const hostile = {
      get code() {
        throw new Error('gotcha');
      },
    };

    expect(failureFacts(hostile, 5)).toEqual({ retryAfter: 5 });
  });
});
