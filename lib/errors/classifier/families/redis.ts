import { but, type ErrorClassification, row, table } from '../error-classification.js';
import {
  COMMUNICATION,
  CONFLICT,
  CREDENTIALS,
  DEPENDENCY,
  EXHAUSTED,
  FULL,
  MISCONFIGURED,
  RESOURCE,
  TIMEOUT,
  TRANSIENT,
  VALIDATION,
  BAD_QUERY,
} from '../kinds.js';
import { read, type Reading } from '../reading.js';

/** By the word that an answer begins with. https://redis.io/docs/latest/develop/reference/protocol-spec/ */
const REPLIES = table('redis', {
  MOVED: TRANSIENT,
  ASK: TRANSIENT,
  TRYAGAIN: TRANSIENT,
  CLUSTERDOWN: DEPENDENCY,
  MASTERDOWN: DEPENDENCY,
  LOADING: DEPENDENCY,
  READONLY: DEPENDENCY, // a replica that was the primary
  UNBLOCKED: DEPENDENCY,
  NOREPLICAS: DEPENDENCY,
  MISCONF: but(DEPENDENCY, { severity: 'critical', configuration: true }),
  BUSY: RESOURCE,
  OOM: but(FULL, { retryable: true }),
  NOAUTH: CREDENTIALS,
  WRONGPASS: CREDENTIALS,
  NOPERM: CREDENTIALS,
  DENIED: CREDENTIALS,
  NOPROTO: MISCONFIGURED,
  CROSSSLOT: BAD_QUERY,
  WRONGTYPE: BAD_QUERY,
  EXECABORT: BAD_QUERY,
  NOSCRIPT: BAD_QUERY,
  NOGROUP: BAD_QUERY,
  BUSYGROUP: VALIDATION,
  BUSYKEY: VALIDATION,
  ERR: BAD_QUERY,
});
const CLIENTS = row('redis ERR max number of clients', EXHAUSTED);

/** ioredis by the names of its errors; node-redis names classes only. */
const NAMES = table('redis', {
  MaxRetriesPerRequestError: COMMUNICATION,
  ClusterAllFailedError: COMMUNICATION,
  ClientClosedError: COMMUNICATION,
  ClientOfflineError: COMMUNICATION,
  DisconnectsClientError: COMMUNICATION,
  SocketClosedUnexpectedlyError: COMMUNICATION,
  ReconnectStrategyError: COMMUNICATION,
  RootNodesUnavailableError: COMMUNICATION,
  ConnectionTimeoutError: TIMEOUT,
  SocketTimeoutError: TIMEOUT,
  WatchError: CONFLICT,
});
const CLOSED = row('redis connection closed', COMMUNICATION);

/** The class of an error, where it did not say its name. */
function classOf(at: Reading): string {
  if (at.name !== 'Error') return at.name;
  const name = read(at.get('constructor'), 'name');
  return typeof name === 'string' ? name : '';
}

export function byRedis(at: Reading): ErrorClassification | undefined {
  const type = classOf(at);
  switch (type) {
    case 'Error':
      // ioredis says it without a name
      return at.message === 'Connection is closed.' ? CLOSED : undefined;
    case 'AbortError':
      // no caller left: the commands that were on their way when the connection went
      return at.message.startsWith('Command aborted due to connection close') ? CLOSED : undefined;
    case 'ReplyError':
    case 'ErrorReply':
    case 'SimpleError':
    case 'BlobError':
      return byReply(at.message);
    default:
      return NAMES.get(type);
  }
}

function byReply(message: string): ErrorClassification | undefined {
  if (message.startsWith('ERR max number of clients')) return CLIENTS;
  const end = message.indexOf(' ');
  return REPLIES.get(end < 0 ? message : message.slice(0, end));
}
