import type { ErrorCategory } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** What one kind of finding is about, and the numbers that it saw. */
export type FindingKind = Finding['kind'];

interface Found<K extends string, D> {
  readonly kind: K;
  /** The target, such as `FeesClient.quote`. Not there where it is about the whole application. */
  readonly component?: string;
  /** The dependency behind the component, where it is known. */
  readonly port?: string;
  readonly fingerprint?: string;
  readonly category?: ErrorCategory;
  /** When it began, as far as can be told. Monotonic milliseconds: a reading of the clock handed in. */
  readonly since: Milliseconds;
  /** The errors behind it when it was raised. */
  readonly count: number;
  readonly details: Readonly<D>;
}

/** Something about the errors that somebody should know: raised once, and ended once. */
export type Finding =
  /** A component fails more often than it used to. Shares, and counts since it began. */
  | Found<'spike', { rate: number; usual: number; calls: number; failures: number }>
  /** Errors of one kind come back at regular intervals. `variation`: standard deviation over mean. */
  | Found<'recurring', { period: Milliseconds; variation: number; episodes: number }>
  /** A component fails, call after call. `within`: the milliseconds in which the last `count` did. */
  | Found<'persistent', { failures: number; within: Milliseconds }>
  /** Something is set up wrongly: no attempt will help. `boot`: 1 if it was seen while starting. */
  | Found<'configuration', { failures: number; boot: number }>
  /** The whole application: errors per second over the window. */
  | Found<'high-error-rate', { rate: number; total: number }>
  /** The whole application: most of the errors in the window are of one category. */
  | Found<'pattern', { count: number; total: number; share: number }>;

/** Hears of a finding when it begins and when it is over. */
export type FindingListener = (finding: Finding, phase: 'raised' | 'ended') => void;
