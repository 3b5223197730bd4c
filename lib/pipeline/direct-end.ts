import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import { type Permit, REFUSED } from '../kernel/permit.js';
import type { RetryBudget } from '../policies/retry/retry-budget.js';
import type { Lane } from './lane.js';
import type { TargetStatistics } from './statistics/target-statistics.js';
import type { Timing } from './statistics/timing.js';

/** Takes the answer of a method, and hands it on. */
type OnAnswer = (value: unknown) => unknown;

/** What follows when calls of a target are answered that ran without an engine. */
export class DirectEnds {
  /** Of the calls that `shared` is for: permits of one era are the same. */
  private permit: Permit = REFUSED;
  private shared: OnAnswer | undefined;

  /** @param lane of the calls that meet no policy of a key */
  constructor(
    private readonly lane: Lane,
    private readonly budget: RetryBudget | undefined,
    private readonly counters: TargetStatistics,
    private readonly clock: Clock,
  ) {}

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
    if (lane !== this.lane) return this.make(lane, permit);
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
    const rest = this.make(lane, startedAt === undefined ? permit : REFUSED);
    return (value) => {
      timing?.answered();
      if (startedAt !== undefined) {
        const duration = this.clock.now() - startedAt;
        lane.breaker!.policy.settle(permit, 'success', duration);
      }
      rest(value);
      timing?.settled();
      return value;
    };
  }

  /** @param permit to be settled; `REFUSED` if there is none */
  private make(lane: Lane, permit: Permit): OnAnswer {
    const { budget, counters } = this;
    const breaker = permit === REFUSED ? undefined : lane.breaker?.policy;
    const bulkhead = lane.bulkhead?.policy;
    return (value) => {
      bulkhead?.release();
      breaker?.succeeded(permit);
      budget?.callEnded();
      counters.succeeded += 1;
      return value;
    };
  }
}
