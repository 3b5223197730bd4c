// The short ways that nearly all calls take: they come to the same as the long ones.
import { REFUSED } from '../../../../lib/kernel/permit.js';
import { CircuitOpenError } from '../../../../lib/policies/circuit-breaker/circuit-open.error.js';
import { entered, FRAGILE, make } from './made-breaker.js';

describe('a refusal without a permit', () => {
  it('says for how long, in whole milliseconds, and counts as one', () => {
    const { breaker, clock, tell } = make({ failureThreshold: 1, openFor: 1_000, openJitter: 0 });
    tell(true);
    clock.jump(0.5);

    expect(breaker.refuse()).toBe(1_000);
    expect(breaker.snapshot().counters.notPermitted).toBe(1);
    clock.jump(999);
    expect(breaker.refuse()).toBe(1);
    expect(breaker.snapshot().counters.notPermitted).toBe(2);
  });

  it('is none where a call would be let in, or it takes a permit to know', () => {
    const { breaker, clock, tell } = make({ failureThreshold: 1, openFor: 1_000, openJitter: 0 });
    expect(breaker.refuse()).toBeUndefined();
    tell(true);
    clock.jump(1_000);

    expect(breaker.refuse()).toBeUndefined();
    expect(breaker.enter()).not.toBe(REFUSED);
    expect([breaker.current, breaker.refuse()]).toEqual(['half-open', undefined]);
    breaker.isolate();
    expect(breaker.refuse()).toBeUndefined();
    expect(breaker.snapshot().counters.notPermitted).toBe(0);
  });

  it('is none of a breaker in shadow', () => {
    const { breaker, tell } = make({ failureThreshold: 1, mode: 'shadow' });
    tell(true);

    expect([breaker.current, breaker.refuse()]).toEqual(['open', undefined]);
    expect(breaker.snapshot().counters).toMatchObject({ notPermitted: 0, wouldReject: 0 });
  });
});

describe('a success that was not measured', () => {
  it('of a closed breaker counts, and ends a run of failures', () => {
    const { breaker, tell } = make({ failureThreshold: 2 });
    tell(true);
    breaker.succeeded(breaker.enter());
    tell(true);

    expect(breaker.current).toBe('closed');
    expect(breaker.snapshot().counters).toMatchObject({ success: 1, failure: 2 });
  });

  it('that is the last of so many calls opens it by their failures', () => {
    const { breaker, tell } = make({
      failureRate: 0.5,
      minimumCalls: 3,
      window: { calls: 3 },
    });
    tell(true);
    tell(true);
    expect(breaker.current).toBe('closed');

    breaker.succeeded(breaker.enter());

    expect(breaker.current).toBe('open');
  });

  it('of a probe closes, and one of another era is only counted', () => {
    const { breaker, clock, tell } = make(FRAGILE);
    const early = entered(breaker);
    tell(true);
    breaker.succeeded(early);
    expect(breaker.current).toBe('open');
    expect(breaker.snapshot().counters).toMatchObject({ success: 0, stale: 1 });

    clock.jump(1_000);
    breaker.succeeded(entered(breaker));

    expect(breaker.current).toBe('closed');
  });
});

it('a refusal is by the breaker that made it, and by no other', () => {
  const { breaker } = make({});
  const { breaker: other } = make({});
  const refusal = new CircuitOpenError('x', 'open', 1, false, breaker);

  expect(CircuitOpenError.isBy(breaker, refusal)).toBe(true);
  expect(CircuitOpenError.isBy(other, refusal)).toBe(false);
  expect(CircuitOpenError.isBy(breaker, new CircuitOpenError('x', 'open'))).toBe(false);
  for (const error of [undefined, null, 'x', {}, new Error('x')])
    expect(CircuitOpenError.isBy(breaker, error)).toBe(false);
});
