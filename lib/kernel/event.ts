import type { ErrorCategory } from './classifier.js';
import type { Milliseconds } from './duration.js';
import type { PolicyKind } from './rejection.js';

/** How loud an event is; the logger maps it to its levels. */
export type Severity = 'debug' | 'info' | 'warning' | 'error';

/**
 * The states of a circuit breaker. `recovering` admits growing shares of the calls; `isolated`
 * refuses all of them and `disabled` admits all of them uncounted, both by hand.
 */
export type CircuitState = 'closed' | 'open' | 'half-open' | 'recovering' | 'isolated' | 'disabled';

interface EventBase<T extends string> {
  readonly type: T;
  readonly severity: Severity;
  /** The policy's name: the protected method, or the name given to a shared policy. */
  readonly target: string;
  /** Wall-clock time, milliseconds since 1970. */
  readonly at: Milliseconds;
}

/** A breaker changed state. */
export interface CircuitStateChanged extends EventBase<'circuit-state-changed'> {
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly reason: string;
  /** When open: milliseconds until the next probe may pass. */
  readonly retryAfter?: Milliseconds;
  /** Which of the keys, where each has its own breaker. */
  readonly key?: string;
}

/** One of our policies refused a call. */
export interface CallRejected extends EventBase<'call-rejected'> {
  readonly policy: PolicyKind;
  readonly code: string;
  readonly retryAfter?: Milliseconds;
}

/** An attempt failed and another is planned. */
export interface RetryScheduled extends EventBase<'retry-scheduled'> {
  /** The attempt that failed, counted from 1. */
  readonly attempt: number;
  readonly delay: Milliseconds;
  readonly error: unknown;
}

/** All attempts were used and the last error goes on to the fallback or the caller. */
export interface RetryExhausted extends EventBase<'retry-exhausted'> {
  readonly attempts: number;
  readonly error: unknown;
}

/** A time limit passed. */
export interface CallTimedOut extends EventBase<'call-timed-out'> {
  readonly limit: Milliseconds;
  /** False if the call was still waiting for its turn or a slot. */
  readonly started: boolean;
  /** True if our own event loop was blocked, so that the timer fired late: the dependency is not blamed. */
  readonly blocked: boolean;
}

/** A method blocked the event loop beyond its time limit, and its answer was given all the same. */
export interface LimitOverrun extends EventBase<'limit-overrun'> {
  readonly limit: Milliseconds;
  /** How long it took until there was an answer. */
  readonly took: Milliseconds;
}

/** Work that we no longer waited for has ended after all; its result went nowhere. */
export interface LateResult extends EventBase<'late-result'> {
  readonly outcome: 'success' | 'failure';
}

/** What a degraded answer came from. */
export type FallbackKind = 'handler' | 'method' | 'value' | 'cache' | 'alternative';

/** A fallback answered instead of the method: the caller got a degraded answer. */
export interface FallbackUsed extends EventBase<'fallback-used'> {
  readonly kind: FallbackKind;
  /** For `cache`: milliseconds since the method gave this answer. */
  readonly age?: Milliseconds;
  /** What the method failed with, as it was before the fallback had it. */
  readonly error: unknown;
}

/** A fallback failed too. */
export interface FallbackFailed extends EventBase<'fallback-failed'> {
  readonly error: unknown;
}

/** A half-open probe never settled; its place was given back. */
export interface ProbeLost extends EventBase<'probe-lost'> {
  readonly lease: Milliseconds;
  /** Which of the keys, where each has its own breaker. */
  readonly key?: string;
}

/** A function from the options threw; the call went on as if it had not answered. */
export interface PredicateFailed extends EventBase<'predicate-failed'> {
  readonly option: string;
  readonly error: unknown;
}

/** A decorated method was called on an instance that no module bound: it ran without policies. */
export interface UnboundCall extends EventBase<'unbound-call'> {}

/** A failed attempt that was worth another has none, for a reason of ours. */
export interface RetryDeclined extends EventBase<'retry-declined'> {
  /** The attempt that failed, counted from 1. */
  readonly attempt: number;
  /**
   * - `budget-exhausted`: too many retries run already beside the calls in flight.
   * - `no-time-left`: the delay would reach beyond the call's deadline.
   * - `spent-further-in`: another retry has tried this error already.
   * - `still-running`: our time limit gave up on work that goes on, and the method is not idempotent.
   * - `retry-after-too-long`: the dependency wants to be left alone for longer than `maxRetryAfter`.
   * - `shutting-down`: the application ends.
   */
  readonly why:
    | 'budget-exhausted'
    | 'no-time-left'
    | 'spent-further-in'
    | 'still-running'
    | 'retry-after-too-long'
    | 'shutting-down';
}

/** Work held its slot for longer than `maxHold`: others may have it, and the work still runs. */
export interface BulkheadReclaimed extends EventBase<'bulkhead-reclaimed'> {}

/** The policies of a target were changed while it runs. */
export interface PoliciesChanged extends EventBase<'policies-changed'> {
  /** The new version, counted from 1. */
  readonly version: number;
  /** The policies that the change names. */
  readonly policies: readonly string[];
}

/** The states of all components were saved, or of one by name. */
export interface CheckpointSaved extends EventBase<'checkpoint-saved'> {
  /** The number of the generation, or the name it was given. */
  readonly id: string;
  readonly bytes: number;
}

/** A save failed; nothing acknowledged is lost, for the journal goes on. */
export interface CheckpointFailed extends EventBase<'checkpoint-failed'> {
  readonly error: unknown;
}

/** The states were taken from the store, at start or after a fence. */
export interface CheckpointRecovered extends EventBase<'checkpoint-recovered'> {
  /** The last entry of the journal. */
  readonly sequence: number;
  /** Bytes at the end of the journal that belonged to no whole entry. */
  readonly tailTruncatedBytes: number;
  /** Saved states that were damaged, and were not needed. */
  readonly skipped: number;
}

/** An earlier state was restored by hand. */
export interface CheckpointRestored extends EventBase<'checkpoint-restored'> {
  readonly id: string;
  readonly components: readonly string[];
}

/** A write or a sync failed, or the state of a component could not be put back: nothing is accepted until the store has been opened again. */
export interface StoreFenced extends EventBase<'store-fenced'> {
  readonly error: unknown;
}

/** A call had its component for longer than is good for those who wait. */
export interface SlowCheckpointCall extends EventBase<'slow-checkpoint-call'> {
  readonly duration: Milliseconds;
}

/** Errors follow a pattern, or no longer. */
export interface ErrorPatternSeen extends EventBase<'error-pattern'> {
  readonly pattern: ErrorPatternKind;
  /** True when it is over. */
  readonly ended: boolean;
  /** The dependency, by the name of its circuit breaker. */
  readonly port?: string;
  /** The kind of error. */
  readonly fingerprint?: string;
  readonly category?: ErrorCategory;
  /** Errors that it was seen in. */
  readonly count: number;
  /** The figures that it was seen by. */
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * - `spike`: a larger share of the calls fails than is usual here.
 * - `recurring`: one kind of error comes back at regular intervals.
 * - `persistent`: nothing but errors for a while.
 * - `configuration`: something is missing or wrong that no retry brings about.
 * - `high-error-rate`: more errors a second than can be looked at one by one.
 * - `pattern`: most of the errors are of one kind.
 */
export type ErrorPatternKind =
  'spike' | 'recurring' | 'persistent' | 'configuration' | 'high-error-rate' | 'pattern';

/** A message has failed so often that the message is to blame: it is tried no more. */
export interface PoisonMessage extends EventBase<'poison-message'> {
  readonly messageId: string;
}

/** Something was done to recover, or to be able to. */
export interface RecoveryActionTaken extends EventBase<'recovery-action'> {
  readonly action: string;
  readonly status: 'started' | 'success' | 'failed' | 'refused';
  readonly details: string;
}

/** Everything this library reports. Closed: a `switch` over `type` can be exhaustive. */
export type ResilienceEvent =
  | CircuitStateChanged
  | CallRejected
  | RetryScheduled
  | RetryExhausted
  | CallTimedOut
  | LateResult
  | LimitOverrun
  | FallbackUsed
  | FallbackFailed
  | ProbeLost
  | PredicateFailed
  | UnboundCall
  | RetryDeclined
  | BulkheadReclaimed
  | PoliciesChanged
  | CheckpointSaved
  | CheckpointFailed
  | CheckpointRecovered
  | CheckpointRestored
  | StoreFenced
  | SlowCheckpointCall
  | ErrorPatternSeen
  | PoisonMessage
  | RecoveryActionTaken;

/** An event as it is made; when and how loud is added where it is sent. */
export type EventBody = ResilienceEvent extends infer E
  ? E extends ResilienceEvent
    ? Omit<E, 'at' | 'severity'>
    : never
  : never;
