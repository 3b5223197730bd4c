import { CircuitOpenError } from '../../../../lib/policies/circuit-breaker/circuit-open.error.js';
import { failureFacts } from '../../../../lib/policies/circuit-breaker/trip.js';
import { FRAGILE, make, probeDue } from './made-breaker.js';

describe('a refusal', () => {
  it('says which breaker, in which state, and when it is worth another try', () => {
    expect(new CircuitOpenError('Fees.quote', 'isolated')).toMatchObject({
      message: 'circuit breaker Fees.quote is isolated',
      code: 'CIRCUIT_OPEN',
      policy: 'circuit-breaker',
      target: 'Fees.quote',
      status: 503,
    });
    expect(new CircuitOpenError('Fees.quote', 'open', 0.2)).toMatchObject({
      message: 'circuit breaker Fees.quote is open; next probe in 1 ms',
      retryAfter: 0.2,
    });
  });
});

describe('a move says why', () => {
  it('for each of the rules that open a breaker', () => {
    const run = make({ failureThreshold: 3 });
    run.run(3, 'failure');
    const rate = make({ failureRate: 0.5, minimumCalls: 4 });
    rate.run(2, 'success');
    rate.run(2, 'failure');
    const slow = make({ slowCallDuration: 10, slowCallRate: 0.5, minimumCalls: 2 });
    slow.run(1, 'success', 1);
    slow.run(1, 'success', 11);
    const probes = probeDue({ successThreshold: 2, halfOpenCalls: 2 });
    probes.run(1, 'success');
    probes.run(1, 'failure');
    const step = probeDue({ gradualClose: { steps: [0.5, 1], calls: 1 } });
    step.run(1, 'success');
    step.run(1, 'failure');

    expect([run, rate, slow].flatMap(({ moves }) => moves)).toEqual([
      'open: 3 failures in a row',
      'open: 2 of the last 4 calls failed',
      'open: 1 of the last 2 calls were slow',
    ]);
    expect(probes.moves).toEqual([
      'half-open: the open time has passed',
      'open: 1 of 2 probes failed',
    ]);
    expect(step.moves.slice(1)).toEqual([
      'recovering: 1 of 1 probes succeeded',
      'open: a call failed at the first step of recovery',
    ]);
  });

  it('for what is done by hand, in the words of who does it or in ours', () => {
    const { breaker, moves } = make(FRAGILE);
    const isolation = breaker.isolate();
    isolation();
    breaker.disable();
    breaker.release();
    breaker.open(5);
    breaker.reset();
    breaker.isolate('incident 7');
    breaker.release('incident 7 is over');

    expect(moves).toEqual([
      'isolated: isolated by hand',
      'closed: released by hand',
      'disabled: disabled by hand',
      'closed: released by hand',
      'open: opened by hand',
      'closed: reset by hand',
      'isolated: incident 7',
      'closed: incident 7 is over',
    ]);
  });

  it('for a restart and for other options', () => {
    const { breaker, moves, clock } = make(FRAGILE);
    breaker.restore({ state: 'open', probeAt: clock.epoch() + 100 });
    breaker.restore({ state: 'closed' });
    breaker.restore({ state: 'closed', isolated: ['incident 7'] });
    const closing = probeDue({ gradualClose: { steps: [0.5, 1], calls: 1 } });
    closing.run(1, 'success');
    closing.breaker.reconfigure(FRAGILE);

    expect(moves).toEqual(['open: restored', 'closed: restored', 'isolated: restored']);
    expect(closing.moves.at(-1)).toBe('closed: gradual close was switched off');
  });

  it('for each step of a gradual close, in the snapshot', () => {
    const { breaker, run, moves } = probeDue({ gradualClose: { steps: [0.9, 1], calls: 1 } });
    run(1, 'success');
    run(1, 'success');
    expect(breaker.snapshot().reason).toBe('a step up');
    run(1, 'failure');
    expect(breaker.snapshot().reason).toBe('a step back');
    run(2, 'success');

    expect(moves.at(-1)).toBe('closed: every step of recovery succeeded');
  });
});

describe('what is not known is left out', () => {
  it('of the facts of an error and of the outcomes behind a trip', () => {
    const { breaker, run } = make(FRAGILE);
    run(1, 'failure');

    expect(failureFacts('text')).toStrictEqual({});
    expect(breaker.snapshot().lastTrip!.outcomes).toStrictEqual([{ outcome: 'failure', age: 0 }]);
  });

  it('of a snapshot', () => {
    const { breaker, run, clock } = make(FRAGILE);
    const counts = ['calls', 'failures', 'slow', 'consecutiveFailures'];
    const always = ['state', 'mode', 'version', 'probeDue', ...counts, 'counters'];
    expect(Object.keys(breaker.snapshot()).toSorted()).toEqual(always.toSorted());
    expect(breaker.snapshot().probeDue).toBe(false);
    run(1, 'failure');

    expect(Object.keys(breaker.snapshot()).toSorted()).toEqual(
      [...always, 'reason', 'retryAfter', 'lastTrip'].toSorted(),
    );
    expect(breaker.snapshot().probeDue).toBe(false);
    clock.jump(1_000);
    expect(breaker.snapshot().probeDue).toBe(true);
  });

  it('a word of a hundred letters is kept whole, a longer one is cut', () => {
    const of = (code: string): string | undefined => failureFacts({ code }).error;

    expect(of('x'.repeat(100))).toBe('x'.repeat(100));
    expect(of('x'.repeat(101))).toBe(`${'x'.repeat(100)}…`);
  });
});
