import { type ErrorClassification, type Kind, row, table } from '../error-classification.js';
import {
  COMMUNICATION,
  CONFLICT,
  CREDENTIALS,
  DEPENDENCY,
  EXHAUSTED,
  FORBIDDEN,
  FULL,
  MISCONFIGURED,
  PROGRAMMER,
  TIMEOUT,
  VALIDATION,
  BAD_QUERY,
} from '../kinds.js';
import type { Reading } from '../reading.js';

/** The server's codes. `src/mongo/base/error_codes.yml` of the server. */
const BY_CODE: ReadonlyMap<unknown, ErrorClassification> = new Map(
  (
    [
      [2, 'BadValue', VALIDATION],
      [6, 'HostUnreachable', COMMUNICATION],
      [7, 'HostNotFound', COMMUNICATION],
      [9, 'FailedToParse', BAD_QUERY],
      [11, 'UserNotFound', CREDENTIALS],
      [13, 'Unauthorized', FORBIDDEN],
      [18, 'AuthenticationFailed', CREDENTIALS],
      [26, 'NamespaceNotFound', BAD_QUERY],
      [43, 'CursorNotFound', CONFLICT],
      [50, 'MaxTimeMSExpired', TIMEOUT],
      [64, 'WriteConcernFailed', DEPENDENCY],
      [89, 'NetworkTimeout', TIMEOUT],
      [91, 'ShutdownInProgress', DEPENDENCY],
      [112, 'WriteConflict', CONFLICT],
      [121, 'DocumentValidationFailure', VALIDATION],
      [133, 'FailedToSatisfyReadPreference', DEPENDENCY],
      [189, 'PrimarySteppedDown', DEPENDENCY],
      [251, 'NoSuchTransaction', CONFLICT],
      [262, 'ExceededTimeLimit', TIMEOUT],
      [8000, 'AtlasError', CREDENTIALS],
      [10107, 'NotWritablePrimary', DEPENDENCY],
      [11000, 'DuplicateKey', VALIDATION],
      [11600, 'InterruptedAtShutdown', DEPENDENCY],
      [11602, 'InterruptedDueToReplStateChange', DEPENDENCY],
      [13435, 'NotPrimaryNoSecondaryOk', DEPENDENCY],
      [13436, 'NotPrimaryOrSecondary', DEPENDENCY],
      [14031, 'OutOfDiskSpace', FULL],
      [17280, 'KeyTooLong', VALIDATION],
      [9001, 'SocketException', COMMUNICATION],
    ] as readonly (readonly [number, string, Kind])[]
  ).map(([code, name, kind]) => [code, row(`mongodb ${code} ${name}`, kind)]),
);

/** The driver's own errors. */
export const MONGODB_NAMES = table('mongodb', {
  MongoNetworkError: COMMUNICATION,
  MongoNetworkTimeoutError: TIMEOUT,
  MongoServerSelectionError: COMMUNICATION,
  MongooseServerSelectionError: COMMUNICATION,
  MongoServerClosedError: COMMUNICATION,
  MongoTopologyClosedError: COMMUNICATION,
  MongoNotConnectedError: COMMUNICATION,
  MongoPoolClearedError: COMMUNICATION,
  MongoPoolClosedError: COMMUNICATION,
  MongoWaitQueueTimeoutError: EXHAUSTED,
  MongoOperationTimeoutError: TIMEOUT,
  MongoParseError: MISCONFIGURED,
  MongoMissingCredentialsError: CREDENTIALS,
  MongoMissingDependencyError: MISCONFIGURED,
  MongoInvalidArgumentError: PROGRAMMER,
});

const TRANSACTION = row('mongodb TransientTransactionError', CONFLICT);
const RETRYABLE_WRITE = row('mongodb RetryableWriteError', COMMUNICATION);
const OTHER = row('mongodb server error', DEPENDENCY);

/** By what the server said, then by the labels that say whether a write or a transaction may be repeated. */
export function byMongo(at: Reading): ErrorClassification | undefined {
  if (!at.name.startsWith('Mongo')) return undefined;
  const known = BY_CODE.get(at.code);
  if (known !== undefined) return known;
  const labels = at.get('errorLabels');
  if (Array.isArray(labels)) {
    if (labels.includes('TransientTransactionError')) return TRANSACTION;
    if (labels.includes('RetryableWriteError')) return RETRYABLE_WRITE;
  }
  return MONGODB_NAMES.get(at.name) ?? (at.name === 'MongoServerError' ? OTHER : undefined);
}
