import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { Outcome } from '../kernel/outcome.js';
import { type Permit, REFUSED } from '../kernel/permit.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import type { RetryBudget } from '../policies/retry/retry-budget.js';
import type { Lane } from './lane.js';
import type { TargetStatistics } from './statistics/target-statistics.js';
import type { Timing } from './statistics/timing.js';

/** Takes the answer of a method, and hands it on. */
type OnAnswer = (value: unknown) => unknown;

/** The pipeline whose calls they are. */
interface Answering {
  readonly env: { readonly clock: Clock };
  readonly lane: Lane;
  readonly budget: RetryBudget | undefined;
  readonly counters: TargetStatistics;
  readonly judgesAnswers: boolean;
  outcomeOfValue(value: unknown): Outcome;
}

/** What follows when calls of a target are answered that ran without an engine. */
export class DirectEnds {
  /** Of the calls that `shared` is for: permits of one era are the same. */
  private permit: Permit = REFUSED;
  private shared: OnAnswer | undefined;

  constructor(private readonly pipeline: Answering) {}

  /**
   * Mostly nothing in it is of one call alone, so that one function does for every call of an era.
   *
   * @param permit of the breaker; `REFUSED` where there is none
   * @param timing of a call that is timed
   * @param startedAt when it began, where the breaker measures
   */
  of(
    lane: Lane,
    permit: Permit,
    timing: Timing | undefined,
    startedAt: Milliseconds | undefined,
  ): OnAnswer {
    if (timing !== undefined || startedAt !== undefined)
      return this.measured(lane, permit, timing, startedAt);
    if (lane !== this.pipeline.lane) return this.make(lane, permit);
    if (this.shared === undefined || permit !== this.permit) {
      this.permit = permit;
      this.shared = this.make(lane, permit);
    }
    return this.shared;
  }

  private measured(
    lane: Lane,
    permit: Permit,
    timing: Timing | undefined,
    startedAt: Milliseconds | undefined,
  ): OnAnswer {
    const rest = this.make(lane, permit, startedAt);
    return (value) => {
      timing?.answered();
      rest(value);
      timing?.settled();
      return value;
    };
  }

  private make(lane: Lane, permit: Permit, startedAt?: Milliseconds): OnAnswer {
    const { budget, counters, judgesAnswers } = this.pipeline;
    const breaker = lane.breaker?.policy;
    const bulkhead = lane.bulkhead?.policy;
    const plain = startedAt === undefined && !judgesAnswers;
    return (value) => {
      if (plain) breaker?.succeeded(permit);
      else this.settle(breaker!, permit, value, startedAt);
      bulkhead?.release();
      budget?.callEnded();
      counters.succeeded += 1;
      return value;
    };
  }

  private settle(
    breaker: CircuitBreaker,
    permit: Permit,
    value: unknown,
    startedAt: Milliseconds | undefined,
  ): void {
    const { pipeline } = this;
    const outcome = pipeline.outcomeOfValue(value);
    const duration = startedAt === undefined ? undefined : pipeline.env.clock.now() - startedAt;
    breaker.settle(permit, outcome, duration, outcome === 'failure' ? {} : undefined);
  }
}
