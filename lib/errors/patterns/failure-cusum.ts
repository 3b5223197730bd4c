import type { Milliseconds } from '../../kernel/duration.js';

/** What tells a rise of the failure rate from chance. */
export interface CusumTerms {
  /** How much evidence it takes, in nats: the logarithm of the likelihood ratio. */
  readonly threshold: number;
  /** Calls that are only learnt from. */
  readonly warmUp: number;
  /** The least rise of the failure rate that is looked for, a share. */
  readonly minimumRise: number;
  /** After this long half of the weight of the past is gone. */
  readonly halfLife: Milliseconds;
  /** A rise that lasted this long is the new usual. */
  readonly relearnAfter: Milliseconds;
}

/** What the detector saw when it spoke. */
export interface CusumReading {
  /** The share of failures that was usual. */
  readonly usual: number;
  /** The share of failures since the rise began. */
  readonly rate: number;
  /** Calls and failures since the rise began. */
  readonly calls: number;
  readonly failures: number;
  /** When the rise began, as far as can be told: when there last was no evidence of one. */
  readonly since: Milliseconds;
}

/**
 * The usual rate is taken for no lower than this: where nothing ever failed, two or three failures
 * in a second are bad luck, not a rise.
 */
const LOWEST = 0.005;
/** However high the usual rate is, what is looked for leaves room for successes. */
const HIGHEST = 0.99;
/** From so many calls per second on the threshold is the one of the options. */
const FULL_TRAFFIC = 20;
/** The evidence that it takes however few calls there are. */
const LEAST = 5;

/**
 * Says when calls fail more often than they used to: a CUSUM of log-likelihood ratios on counts.
 *
 * Each batch of n calls with k failures adds what it says for the rate p1 against the usual p0,
 * k ln(p1/p0) + (n − k) ln((1 − p1)/(1 − p0)), to a sum that never falls below 0; at the threshold
 * it is a rise. The same sum the other way round ends it. Counts carry their own weight, so that one
 * failure of two calls is nearly nothing, where its rate, 50 %, would be everything.
 *
 * E. S. Page, "Continuous Inspection Schemes", Biometrika 41 (1954), 100–115, section 5; that no test is
 * quicker for the same number of false alarms is due to G. Lorden, "Procedures for Reacting to a
 * Change in Distribution", Annals of Mathematical Statistics 42 (1971), 1897–1908. What is usual is learnt: the
 * counts, decayed, as the evidence of a Beta distribution.
 */
export class FailureCusum {
  /** Decayed counts of the usual traffic. */
  private calls = 0;
  private failures = 0;
  /** The time in which they came, decayed as they are. */
  private time: Milliseconds = 0;
  private at: Milliseconds | undefined;
  /** Evidence of a rise, and while there is one, of its end. */
  private evidence = 0;
  private since: Milliseconds = 0;
  private risenCalls = 0;
  private risenFailures = 0;
  private alarm: { readonly at: Milliseconds; readonly usual: number } | undefined;

  constructor(private readonly terms: CusumTerms) {}

  get alarmed(): boolean {
    return this.alarm !== undefined;
  }

  /** Counts a batch that ended at `now`. True if this raised or ended the alarm. */
  observe(calls: number, failures: number, now: Milliseconds): boolean {
    this.at ??= now;
    if (this.alarm !== undefined) return this.observeRisen(calls, failures, now, this.alarm);
    const warm = this.calls >= this.terms.warmUp;
    if (warm) {
      const usual = this.usual();
      this.collect(calls, failures, this.gain(usual, calls, failures), now);
      if (this.evidence >= this.needed()) {
        this.alarm = { at: now, usual };
        this.evidence = 0;
        return true;
      }
    } else {
      this.since = now;
    }
    this.learn(calls, failures, now);
    return false;
  }

  /** Ends the alarm for want of calls. What was usual before it is still known. */
  giveUp(now: Milliseconds): void {
    this.alarm = undefined;
    this.at = now;
    this.restart(now);
  }

  reading(): CusumReading {
    const { risenCalls: calls, risenFailures: failures, since } = this;
    const usual = this.alarm?.usual ?? this.usual();
    return { usual, rate: calls === 0 ? 0 : failures / calls, calls, failures, since };
  }

  private observeRisen(
    calls: number,
    failures: number,
    now: Milliseconds,
    alarm: NonNullable<typeof this.alarm>,
  ): boolean {
    this.risenCalls += calls;
    this.risenFailures += failures;
    this.evidence = Math.max(0, this.evidence - this.gain(alarm.usual, calls, failures));
    const over = this.evidence >= this.needed();
    const stays = now - alarm.at >= this.terms.relearnAfter;
    if (!over && !stays) return false;
    if (stays && !over) {
      // what was measured since the rise began is what is usual from now on
      this.calls = this.risenCalls;
      this.failures = this.risenFailures;
      this.time = now - this.since;
    }
    this.giveUp(now);
    return true;
  }

  private collect(calls: number, failures: number, gain: number, now: Milliseconds): void {
    this.evidence += gain;
    if (this.evidence <= 0) {
      this.restart(now);
    } else {
      this.risenCalls += calls;
      this.risenFailures += failures;
    }
  }

  private restart(now: Milliseconds): void {
    this.evidence = 0;
    this.since = now;
    this.risenCalls = 0;
    this.risenFailures = 0;
  }

  private gain(usual: number, calls: number, failures: number): number {
    const { minimumRise } = this.terms;
    const risen = usual + Math.max(minimumRise, Math.min(usual, 2 * minimumRise));
    return (
      failures * Math.log(risen / usual) + (calls - failures) * Math.log((1 - risen) / (1 - usual))
    );
  }

  /** Each call is a chance for a false alarm, so fewer calls need less evidence for as few an hour. */
  private needed(): number {
    const perSecond = (this.calls / this.time) * 1_000;
    return Math.max(LEAST, this.terms.threshold + Math.min(0, Math.log(perSecond / FULL_TRAFFIC)));
  }

  private usual(): number {
    // Jeffreys' prior: half a failure and half a success more than were seen
    const mean = (this.failures + 0.5) / (this.calls + 1);
    return Math.min(Math.max(mean, LOWEST), HIGHEST - 2 * this.terms.minimumRise);
  }

  private learn(calls: number, failures: number, now: Milliseconds): void {
    const passed = Math.max(0, now - this.at!);
    const kept = 0.5 ** (passed / this.terms.halfLife);
    this.time = this.time * kept + passed;
    this.calls = this.calls * kept + calls;
    this.failures = this.failures * kept + failures;
    this.at = now;
  }
}
