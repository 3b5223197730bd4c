import type { Milliseconds } from '../../kernel/duration.js';
import { ignore } from '../../kernel/ignore.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import type { Random } from '../../kernel/random.js';
import type { BackoffFunction, RetryPlanOptions } from './retry.options.js';

/**
 * The delay after the n-th failed attempt, counted from 1, given its error and the delay before:
 * a whole number from 0 to `maxDelay`.
 */
export type Backoff = (
  failedAttempts: number,
  error: unknown,
  previousDelay: Milliseconds,
) => Milliseconds;

/** What a back-off is made of. */
export type BackoffPlan = Required<Omit<RetryPlanOptions, 'maxAttempts'>>;

/** Growth without bound ends at `maxDelay`, never in overflow. */
export function backoffOf(plan: BackoffPlan, random: Random, report: PredicateReport): Backoff {
  const { delay, multiplier, backoff, maxDelay, jitter } = plan;
  const capped = (wish: Milliseconds): Milliseconds => Math.floor(Math.min(wish, maxDelay));
  const between = (low: number, high: number): number =>
    low + Math.floor(random() * (high - low + 1));

  // Marc Brooker, "Exponential Backoff And Jitter" (AWS, 2015), with the cap inside the dice and
  // not after them, or most callers would end up in step at the cap
  if (jitter === 'decorrelated') {
    const first = capped(delay);
    return (_attempts, _error, previous) => between(first, capped(Math.max(first, previous) * 3));
  }

  const computed =
    typeof backoff === 'function'
      ? askedOf(backoff, delay, report)
      : (attempts: number) => (delay === 0 ? 0 : delay * growth(backoff, multiplier, attempts));
  return (attempts, error) => {
    const full = capped(computed(attempts, error));
    if (jitter === 'none') return full;
    if (jitter === 'full') return between(0, full);
    if (jitter === 'equal') return between(Math.ceil(full / 2), full);
    return between(Math.ceil(full * (1 - jitter)), capped(full * (1 + jitter)));
  };
}

const GOLDEN = (1 + Math.sqrt(5)) / 2;

function growth(
  kind: 'exponential' | 'linear' | 'constant' | 'fibonacci',
  multiplier: number,
  failedAttempts: number,
): number {
  switch (kind) {
    case 'exponential':
      return multiplier ** (failedAttempts - 1);
    case 'linear':
      return failedAttempts;
    case 'constant':
      return 1;
    case 'fibonacci': // Binet's formula: exact as long as it matters, and no loop
      return Math.round(GOLDEN ** (failedAttempts + 1) / Math.sqrt(5));
    default:
      return kind satisfies never;
  }
}

/** The user's function, kept from answering what is no delay. */
function askedOf(ask: BackoffFunction, instead: Milliseconds, report: PredicateReport) {
  return (attempts: number, error: unknown): Milliseconds => {
    try {
      const answer: unknown = ask(attempts, error);
      if (typeof answer === 'number' && answer >= 0 && answer < Number.POSITIVE_INFINITY) {
        return answer;
      }
      ignore(answer);
      const came = typeof answer === 'number' ? String(answer) : `a ${typeof answer}`;
      report('backoff', new TypeError(`answered ${came}, expected milliseconds of at least 0`));
    } catch (thrown) {
      report('backoff', thrown);
    }
    return instead;
  };
}
