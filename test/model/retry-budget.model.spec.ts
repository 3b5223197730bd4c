import fc from 'fast-check';
import { RetryBudget } from '../../lib/policies/retry/retry-budget.js';

/** The rule as it is written down, counted anew each time. */
class NaiveBudget {
  private readonly log: ('call' | 'retry')[] = [];

  constructor(
    private readonly percent: number,
    private readonly minimum: number,
  ) {}

  count(what: 'call' | 'retry'): number {
    return this.log.filter((entry) => entry === what).length;
  }

  start(what: 'call' | 'retry'): void {
    this.log.push(what);
  }

  end(what: 'call' | 'retry'): void {
    const at = this.log.indexOf(what);
    if (at >= 0) this.log.splice(at, 1);
  }

  mayRetry(): boolean {
    const wanted = this.count('retry') + 1;
    return wanted <= this.minimum || wanted * 100 <= this.percent * this.count('call');
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant('call' as const) },
  { weight: 4, arbitrary: fc.constant('call ended' as const) },
  { weight: 6, arbitrary: fc.constant('try' as const) },
  { weight: 3, arbitrary: fc.constant('retry ended' as const) },
);

it('#51 #192 equals its naive twin, is never negative and never above its limit, whatever the order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 0, max: 5 }),
      fc.array(step, { maxLength: 100, size: 'large' }),
      (percent, minimum, steps) => {
        const budget = new RetryBudget(percent / 100, minimum);
        const twin = new NaiveBudget(percent, minimum);
        const history: [boolean, number, number][] = [];
        const expected: typeof history = [];
        for (const s of steps) {
          let [got, may] = [false, false];
          if (s === 'call') {
            budget.callStarted();
            twin.start('call');
          } else if (s === 'call ended') {
            budget.callEnded();
            twin.end('call');
          } else if (s === 'retry ended') {
            budget.retryEnded();
            twin.end('retry');
          } else {
            [got, may] = [budget.tryRetry(), twin.mayRetry()];
            if (may) twin.start('retry');
          }
          history.push([got, budget.calls, budget.retries]);
          expected.push([may, twin.count('call'), twin.count('retry')]);
        }
        expect(history).toEqual(expected);
      },
    ),
    { numRuns: 1_000 },
  );
});
