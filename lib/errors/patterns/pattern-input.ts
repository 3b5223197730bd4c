import type { ErrorCategory } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** One error, as the patterns want to know it. */
export interface PatternInput {
  /** The target, such as `FeesClient.quote`. */
  readonly component: string;
  /** The dependency behind it. */
  readonly port?: string | undefined;
  readonly fingerprint: string;
  readonly category: ErrorCategory;
  /** Whether it says that something is set up wrongly. */
  readonly configuration: boolean;
  /** Monotonic milliseconds. */
  readonly now: Milliseconds;
}
