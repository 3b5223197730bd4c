import { TrafficPlan } from '../../../../sample/banking-stage/src/tour/plan.js';
import { verifyTransaction } from '../../../../sample/banking-stage/src/transaction/verify-transaction.js';

function first(seed: number, count: number): unknown[] {
  const plan = new TrafficPlan(seed);
  return Array.from({ length: count }, () => plan.next());
}

describe('traffic plan', () => {
  it('is the same for the same seed, signatures included', () => {
    expect(first(3, 50)).toEqual(first(3, 50));
    expect(new TrafficPlan(3).fingerprint).toBe(new TrafficPlan(3).fingerprint);
  });

  it('is another for another seed', () => {
    expect(first(3, 5)).not.toEqual(first(4, 5));
    expect(new TrafficPlan(3).fingerprint).not.toBe(new TrafficPlan(4).fingerprint);
  });

  it('has the same fingerprint before and after the traffic', () => {
    const plan = new TrafficPlan(3);
    const before = plan.fingerprint;

    plan.next();

    expect(plan.fingerprint).toBe(before);
  });

  it('holds only transactions that a node accepts, none to oneself', () => {
    const plan = new TrafficPlan(5);

    for (let n = 0; n < 100; n++) {
      const { from, to } = verifyTransaction(plan.next());
      expect(to).not.toBe(from);
    }
  });

  it('shuffles by the seed and loses nothing', () => {
    const shuffled = [1, 2, 3, 4, 5].map((seed) => new TrafficPlan(seed).shuffled(['a', 'b', 'c']));

    for (const items of shuffled) expect(items.toSorted()).toEqual(['a', 'b', 'c']);
    expect(new Set(shuffled.map(String)).size).toBeGreaterThan(1);
  });
});
