import type { Milliseconds } from '../kernel/duration.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import type { Judge } from './judge.js';
import type { Lane } from './lane.js';
import type { Pipeline } from './pipeline.js';
import type { Trace } from './trace.js';

/** The call that an attempt belongs to. */
export interface AttemptOwner<A> {
  readonly pipeline: Pipeline;
  readonly lane: Lane;
  /** After a wait: the lane is what its keys have now. */
  lookAgain(): void;
  readonly args: readonly unknown[];
  readonly trace: Trace | undefined;
  /** The instance whose method it is. */
  readonly self: unknown;
  /** When the whole call ends, by the monotonic clock. */
  readonly totalEnds: Milliseconds | undefined;
  readonly retries: Judge;
  /** Ends the call if its time is over, and answers whether it was. */
  endIfLate(): boolean;
  /** What it did is in the journal: no limit ends it any more. */
  committed(): void;
  /** Starts the method for the attempt and tells the attempt how it ends. Must not throw. */
  invoke(attempt: A): void;
  /** Ends the work of an abandoned attempt, where the face can. */
  stopWork(attempt: A): void;
  /** The attempt has an answer. @param good whether the breaker heard of it as a success */
  succeeded(value: unknown, good: boolean): void;
  /** One of our policies refused the attempt before its method was called. */
  refused(error: ResilienceRejection): void;
  /** The attempt failed. @param stillRunning our time limit gave up on work that has not ended */
  failed(error: unknown, stillRunning: boolean): void;
}
