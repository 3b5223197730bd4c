import type { Milliseconds } from '../../kernel/duration.js';
import type { Outcome } from '../../kernel/outcome.js';
import type { FailureFacts, TripEvidence, TripOutcome } from './trip.js';

const KEPT = 10;

interface Noted {
  readonly outcome: Outcome;
  readonly slow: boolean;
  readonly duration: Milliseconds | undefined;
  readonly error: string | undefined;
  readonly retryAfter: Milliseconds | undefined;
  readonly at: Milliseconds;
}

/** The last few bad outcomes of an era: what to show, and whom to obey, if they open the breaker. */
export class OutcomeLog {
  private noted: Noted[] | undefined = undefined;

  /** Keeps a bad outcome, and forgets the oldest beyond ten. Good ones are never told. */
  note(
    outcome: Outcome,
    slow: boolean,
    now: Milliseconds,
    duration: Milliseconds | undefined,
    facts: FailureFacts | undefined,
  ): void {
    const noted = (this.noted ??= []);
    if (noted.length === KEPT) noted.shift();
    const { error, retryAfter } = facts ?? {};
    noted.push({ outcome, slow, duration, error, retryAfter, at: now });
  }

  /** The outcomes behind the evidence, oldest first. */
  causes(evidence: TripEvidence, now: Milliseconds): TripOutcome[] {
    return this.behind(evidence).map(({ outcome, error, duration, at }) => ({
      outcome,
      ...(error === undefined ? {} : { error }),
      ...(duration === undefined ? {} : { duration }),
      age: now - at,
    }));
  }

  /**
   * How long, from now, the dependency asked us to stay away: the latest moment that any of the
   * outcomes behind the evidence named, no matter which of them came last.
   *
   * @param max each wish is cut to this
   */
  retryAfter(evidence: TripEvidence, now: Milliseconds, max: Milliseconds): Milliseconds {
    let longest = 0;
    for (const { retryAfter, at } of this.behind(evidence)) {
      if (retryAfter !== undefined && retryAfter > 0) {
        longest = Math.max(longest, at + Math.min(retryAfter, max) - now);
      }
    }
    return longest;
  }

  clear(): void {
    this.noted = undefined;
  }

  /** The last n failures are the n that the rule counted, because they are noted in order. */
  private behind({ rule, failures, slow }: TripEvidence): Noted[] {
    const noted = this.noted ?? [];
    switch (rule) {
      case 'failure-threshold':
      case 'failure-rate':
        return noted.filter((n) => n.outcome === 'failure').slice(-failures);
      case 'slow-rate':
        return noted.filter((n) => n.slow).slice(-slow);
      case 'probes':
      case 'recovery':
        return noted;
      default:
        return rule satisfies never;
    }
  }
}
