import { isResilienceRejection } from '../../../kernel/rejection.js';
import { but, type ErrorClassification, row, table } from '../error-classification.js';
import { GIVEN_UP, REJECTED } from '../kinds.js';
import { read } from '../reading.js';

const CODES = table('own', {
  CIRCUIT_OPEN: REJECTED,
  RATE_LIMITED: REJECTED,
  BULKHEAD_FULL: REJECTED,
  BULKHEAD_QUEUE_TIMEOUT: REJECTED,
  BULKHEAD_REENTRANCY: REJECTED,
  COMPONENT_BUSY: REJECTED,
  COMPONENT_DEADLOCK: REJECTED,
  CHECKPOINT_UNAVAILABLE: but(REJECTED, { severity: 'high' }),
  COMMIT_UNKNOWN: but(REJECTED, { severity: 'high' }),
  CALL_TIMEOUT: REJECTED,
  SHUTTING_DOWN: REJECTED,
});
const OTHER = row('own rejection', REJECTED);
const STARTED = row('own CALL_TIMEOUT of started work', GIVEN_UP);
/** Nobody could have read its answer: our own event loop was blocked. */
const BLOCKED = row('own CALL_TIMEOUT while blocked', but(GIVEN_UP, { outcome: 'rejected' }));

/** What this library refused, or gave up on; also another copy of it. */
export function byRejection(error: object): ErrorClassification | undefined {
  if (!isResilienceRejection(error)) return undefined;
  const code = read(error, 'code');
  if (typeof code !== 'string') return OTHER;
  if (code === 'CALL_TIMEOUT' && read(error, 'started') === true)
    return read(error, 'blocked') === true ? BLOCKED : STARTED;
  return CODES.get(code) ?? OTHER;
}
