import type { Classification, ErrorCategory } from '../../kernel/classifier.js';
import type { Clock } from '../../kernel/clock.js';
import {
  CATEGORY_DEFAULTS,
  type ErrorClassification,
  row,
} from '../classifier/error-classification.js';
import type { PoisonLedger } from './poison-ledger.js';

const POISON = row('poison message', CATEGORY_DEFAULTS.poison);
const POISON_UNHIDDEN = row('poison message', { ...CATEGORY_DEFAULTS.poison, fallback: false });

/** These blame somebody else: in an outage every message would become poison. */
const NOT_THE_MESSAGE: ReadonlySet<ErrorCategory> = new Set([
  'communication',
  'dependency',
  'resource',
  'timeout',
]);

/**
 * One call that is about a message. It counts as one failure of the message however often it was
 * attempted, for three attempts within a second say less than three deliveries.
 */
export class Delivery {
  private hasFailed = false;
  private isPoison = false;

  constructor(
    private readonly ledger: PoisonLedger,
    readonly messageId: string,
    private readonly clock: Clock,
  ) {}

  /**
   * An attempt failed, with what the classifier says of it.
   *
   * @returns whether that makes the message poison
   */
  failed(said: Classification): boolean {
    if (this.hasFailed || !blamesMessage(said)) return false;
    this.hasFailed = true;
    this.isPoison = this.ledger.failed(this.messageId, this.clock.now());
    return this.isPoison;
  }

  /** The call has its answer. */
  succeeded(): void {
    this.ledger.succeeded(this.messageId);
  }

  /** What an error of this call means. */
  judge(said: Classification): Classification | ErrorClassification {
    if (!this.isPoison || !blamesMessage(said)) return said;
    return said.fallback ? POISON : POISON_UNHIDDEN;
  }
}

function blamesMessage(said: Classification & Partial<ErrorClassification>): boolean {
  const { category, outcome, configuration = false, severity } = said;
  // a wrong setting, or a broken store, is met by every message; of two that want the same at once
  // neither is bad
  if (configuration || severity === 'critical') return false;
  if (category === 'transient' && outcome === 'ignored') return false;
  const settled = outcome === 'failure' || outcome === 'ignored';
  return settled && !NOT_THE_MESSAGE.has(category);
}
