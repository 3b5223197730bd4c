import { type ErrorClassification, row, table } from '../error-classification.js';
import {
  COMMUNICATION,
  CONFLICT,
  CREDENTIALS,
  DEPENDENCY,
  FORBIDDEN,
  RESOURCE,
  TIMEOUT,
  TRANSIENT,
  VALIDATION,
} from '../kinds.js';
import { read, type Reading } from '../reading.js';
import { rowOfStatus } from './http-status.js';

/** Names that services use. Many answer 400 whatever it is, so the name goes before the status. */
const NAMES = table('aws', {
  BandwidthLimitExceeded: RESOURCE,
  EC2ThrottledException: RESOURCE,
  LimitExceededException: RESOURCE,
  PriorRequestNotComplete: RESOURCE,
  ProvisionedThroughputExceededException: RESOURCE,
  RequestLimitExceeded: RESOURCE,
  RequestThrottled: RESOURCE,
  RequestThrottledException: RESOURCE,
  SlowDown: RESOURCE,
  ThrottledException: RESOURCE,
  Throttling: RESOURCE,
  ThrottlingException: RESOURCE,
  TooManyRequestsException: RESOURCE,
  TransactionInProgressException: CONFLICT,
  TransactionCanceledException: VALIDATION,
  TransactionConflictException: CONFLICT,
  ConditionalCheckFailedException: VALIDATION,
  RequestTimeout: TIMEOUT,
  RequestTimeoutException: TIMEOUT,
  TimeoutError: TIMEOUT,
  NetworkingError: COMMUNICATION,
  InternalFailure: DEPENDENCY,
  InternalServerError: DEPENDENCY,
  ServiceUnavailable: DEPENDENCY,
  AccessDenied: FORBIDDEN,
  AccessDeniedException: FORBIDDEN,
  UnauthorizedOperation: FORBIDDEN,
  NotAuthorizedException: FORBIDDEN,
  ExpiredToken: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  InvalidAccessKeyId: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  UnrecognizedClientException: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  RequestTimeTooSkewed: CREDENTIALS,
  RequestExpired: CREDENTIALS,
});
const NO_CREDENTIALS = row('aws CredentialsProviderError', CREDENTIALS);
const THROTTLED = row('aws $retryable throttling', RESOURCE);
const RETRYABLE = row('aws $retryable', TRANSIENT);
const SERVER = row('aws $fault server', DEPENDENCY);
const CLIENT = row('aws $fault client', VALIDATION);

/** `ServiceException` of the AWS SDK for JavaScript, version 3: it has `$metadata` and `$fault`. */
export function byAws(at: Reading): ErrorClassification | undefined {
  if (at.name === 'CredentialsProviderError') return NO_CREDENTIALS;
  const metadata = at.get('$metadata');
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const named = NAMES.get(at.name);
  if (named !== undefined) return named;
  const retryable = at.get('$retryable');
  if (typeof retryable === 'object' && retryable !== null)
    return read(retryable, 'throttling') === true ? THROTTLED : RETRYABLE;
  const status = read(metadata, 'httpStatusCode');
  const answered = typeof status === 'number' ? rowOfStatus(status) : undefined;
  if (answered !== undefined) return answered;
  const fault = at.get('$fault');
  if (fault === 'server') return SERVER;
  return fault === 'client' ? CLIENT : undefined;
}
