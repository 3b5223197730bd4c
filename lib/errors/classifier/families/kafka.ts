import { type ErrorClassification, row, table } from '../error-classification.js';
import {
  COMMUNICATION,
  CREDENTIALS,
  DEPENDENCY,
  FORBIDDEN,
  MISCONFIGURED,
  RESOURCE,
  TIMEOUT,
  UNSUPPORTED,
  VALIDATION,
} from '../kinds.js';
import { but } from '../error-classification.js';
import type { Reading } from '../reading.js';

/** What a broker said, where that is more than whether to ask again. https://kafka.apache.org/protocol#protocol_error_codes */
const TYPES = table('kafka', {
  TOPIC_AUTHORIZATION_FAILED: FORBIDDEN,
  GROUP_AUTHORIZATION_FAILED: FORBIDDEN,
  CLUSTER_AUTHORIZATION_FAILED: FORBIDDEN,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: FORBIDDEN,
  SASL_AUTHENTICATION_FAILED: CREDENTIALS,
  UNSUPPORTED_SASL_MECHANISM: MISCONFIGURED,
  MESSAGE_TOO_LARGE: VALIDATION,
  RECORD_LIST_TOO_LARGE: VALIDATION,
  INVALID_RECORD: VALIDATION,
  CORRUPT_MESSAGE: VALIDATION,
  REQUEST_TIMED_OUT: TIMEOUT,
  NETWORK_EXCEPTION: COMMUNICATION,
  THROTTLING_QUOTA_EXCEEDED: RESOURCE,
  NOT_ENOUGH_REPLICAS: DEPENDENCY,
  LEADER_NOT_AVAILABLE: DEPENDENCY,
});

const NAMES = table('kafka', {
  KafkaJSConnectionError: COMMUNICATION,
  KafkaJSConnectionClosedError: COMMUNICATION,
  KafkaJSBrokerNotFound: COMMUNICATION,
  KafkaJSNoBrokerAvailableError: COMMUNICATION,
  KafkaJSRequestTimeoutError: TIMEOUT,
  KafkaJSLockTimeout: TIMEOUT,
  KafkaJSSASLAuthenticationError: CREDENTIALS,
  KafkaJSNotImplemented: UNSUPPORTED,
  // it says false, but of itself: the brokers were asked often enough
  KafkaJSNumberOfRetriesExceeded: but(DEPENDENCY, { retryable: false }),
});

const RETRIABLE = row('kafka retriable', DEPENDENCY);
const NOT_RETRIABLE = row('kafka not retriable', UNSUPPORTED);

/** KafkaJS says `retriable` of everything; so does librdkafka, as `isRetriable`. */
export function byKafka(at: Reading): ErrorClassification | undefined {
  if (at.name.startsWith('KafkaJS')) {
    const type = at.get('type');
    const known = (typeof type === 'string' ? TYPES.get(type) : undefined) ?? NAMES.get(at.name);
    return known ?? (at.get('retriable') === false ? NOT_RETRIABLE : RETRIABLE);
  }
  if (at.name !== 'LibrdKafkaError' && at.name !== 'KafkaError') return undefined;
  const flag = at.get('isRetriable') ?? at.get('retriable');
  if (typeof flag !== 'boolean') return undefined;
  return flag ? RETRIABLE : NOT_RETRIABLE;
}
