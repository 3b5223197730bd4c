import type { Classifier } from '../../kernel/classifier.js';
import { isCommitUnknown } from '../../kernel/commit-unknown.js';
import { isResilienceRejection } from '../../kernel/rejection.js';
import type { CallEnd } from './target-statistics.js';

/** Whether one of our policies refused, instead of giving up on work that had started. */
export function wasRefused(error: unknown): boolean {
  if (!isResilienceRejection(error) || isCommitUnknown(error)) return false;
  const { started } = error as { started?: unknown };
  return error.code !== 'CALL_TIMEOUT' || started !== true;
}

/** What a call came to whose caller gets that error. */
export function endedWith(error: unknown, classifier: Classifier): CallEnd {
  if (wasRefused(error)) return 'rejected';
  return classifier.classify(error).outcome === 'cancelled' ? 'cancelled' : 'failed';
}
