import { HttpException } from '@nestjs/common';
import { defaultClassifier } from '../../../../lib/errors/default-classifier.js';
import { CODE_TABLES } from '../../../../lib/errors/classifier/classify-by-table.js';
import { BulkheadFullError } from '../../../../lib/policies/bulkhead/bulkhead-full.error.js';
import { CircuitOpenError } from '../../../../lib/policies/circuit-breaker/circuit-open.error.js';
import { RateLimitedError } from '../../../../lib/policies/rate-limit/rate-limited.error.js';
import { CallTimeoutError } from '../../../../lib/policies/time-limit/call-timeout.error.js';
import {
  aws,
  axios,
  betterSqlite,
  fetchFailed,
  grpc,
  http,
  ioredis,
  kafka,
  mongo,
  mysql2,
  mysqlFatal,
  named,
  node,
  nodeRedis,
  nodeSqlite,
  pg,
  postgresJs,
  prismaInit,
  prismaKnown,
  system,
  undici,
} from './driver-errors.js';

/** Everything that is said, in a line: flags only where they are set. */
function said(error: unknown): string {
  const { category, retryable, outcome, severity, fallback, configuration, rule } =
    defaultClassifier.classify(error);
  const flags = [fallback ? '' : ' unhidden', configuration ? ' configuration' : ''].join('');
  return `${rule}: ${category} ${retryable ? 'retry' : 'once'} ${outcome} ${severity}${flags}`;
}

const late = (started: boolean, blocked: boolean): CallTimeoutError =>
  new CallTimeoutError('time-limit', 'A.b', 1, started, false, { blocked });

type Rows = readonly (readonly [error: unknown, rule: string, says: string])[];

const COMMUNICATION = 'communication retry failure medium';
const TIMEOUT = 'timeout retry failure medium';
const DEPENDENCY = 'dependency retry failure medium';
const RESOURCE = 'resource retry failure medium';
const EXHAUSTED = 'resource retry failure high';
const CONFLICT = 'transient retry ignored low';
const VALIDATION = 'validation once ignored low';
const FORBIDDEN = 'permanent once ignored low unhidden';
const CREDENTIALS = 'permanent once ignored high unhidden configuration';
const MISCONFIGURED = 'permanent once failure high configuration';
const BAD_QUERY = 'permanent once ignored high';
const UNSUPPORTED = 'permanent once failure medium';
const PROGRAMMER = 'permanent once failure high unhidden';
const CANCELLED = 'transient once cancelled info unhidden';
const REJECTED = 'resource once rejected low';

const FAMILIES: Record<string, Rows> = {
  'Node codes': [
    [system('ECONNRESET', 'read'), 'node-code ECONNRESET', COMMUNICATION],
    [system('ECONNREFUSED'), 'node-code ECONNREFUSED', COMMUNICATION],
    [system('ECONNABORTED', 'write'), 'node-code ECONNABORTED', COMMUNICATION],
    [system('EPIPE', 'write'), 'node-code EPIPE', COMMUNICATION],
    [system('EHOSTUNREACH'), 'node-code EHOSTUNREACH', COMMUNICATION],
    [system('ENETUNREACH'), 'node-code ENETUNREACH', COMMUNICATION],
    [node('ERR_STREAM_PREMATURE_CLOSE'), 'node-code ERR_STREAM_PREMATURE_CLOSE', COMMUNICATION],
    [node('ERR_HTTP2_STREAM_ERROR'), 'node-code ERR_HTTP2_STREAM_ERROR', COMMUNICATION],
    [system('ETIMEDOUT'), 'node-code ETIMEDOUT', TIMEOUT],
    [node('ERR_SOCKET_CONNECTION_TIMEOUT'), 'node-code ERR_SOCKET_CONNECTION_TIMEOUT', TIMEOUT],
    [system('EADDRNOTAVAIL'), 'node-code EADDRNOTAVAIL', EXHAUSTED],
    [system('EMFILE', 'open'), 'node-code EMFILE', EXHAUSTED],
    [system('ENFILE', 'open'), 'node-code ENFILE', EXHAUSTED],
    [system('ENOBUFS', 'write'), 'node-code ENOBUFS', EXHAUSTED],
    [system('ENOMEM', 'spawn'), 'node-code ENOMEM', 'resource retry failure critical'],
    [
      node('ERR_WORKER_OUT_OF_MEMORY'),
      'node-code ERR_WORKER_OUT_OF_MEMORY',
      'resource retry failure critical',
    ],
    [system('ENOSPC', 'write'), 'node-code ENOSPC', 'resource once failure critical'],
    [system('EDQUOT', 'write'), 'node-code EDQUOT', 'resource once failure critical'],
    [system('EIO', 'read'), 'node-code EIO', 'dependency retry failure critical'],
    [system('EROFS', 'open'), 'node-code EROFS', 'permanent once failure critical configuration'],
    [system('EACCES', 'open'), 'node-code EACCES', MISCONFIGURED],
    [system('EADDRINUSE', 'listen'), 'node-code EADDRINUSE', MISCONFIGURED],
    [system('ENOENT', 'open'), 'node-code ENOENT', UNSUPPORTED],
    [
      node('ERR_INVALID_URL', TypeError),
      'node-code ERR_INVALID_URL',
      `${PROGRAMMER} configuration`,
    ],
    [
      fetchFailed(node('ERR_INVALID_URL', TypeError)),
      'node-code ERR_INVALID_URL',
      `${PROGRAMMER} configuration`,
    ],
    [node('ERR_INVALID_ARG_TYPE', TypeError), 'name TypeError', PROGRAMMER],
  ],
  DNS: [
    [system('ENOTFOUND', 'getaddrinfo', -3008), 'dns ENOTFOUND', `${COMMUNICATION} configuration`],
    [system('EAI_AGAIN', 'getaddrinfo', -3001), 'dns EAI_AGAIN', COMMUNICATION],
    [system('ESERVFAIL', 'queryA'), 'dns ESERVFAIL', COMMUNICATION],
    [system('ENODATA', 'queryA'), 'dns ENODATA', `${COMMUNICATION} configuration`],
    [system('ETIMEOUT', 'queryA'), 'dns ETIMEOUT', TIMEOUT],
  ],
  TLS: [
    [node('CERT_HAS_EXPIRED'), 'tls CERT_HAS_EXPIRED', MISCONFIGURED],
    [node('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls DEPTH_ZERO_SELF_SIGNED_CERT', MISCONFIGURED],
    [node('SELF_SIGNED_CERT_IN_CHAIN'), 'tls SELF_SIGNED_CERT_IN_CHAIN', MISCONFIGURED],
    [node('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'tls UNABLE_TO_VERIFY_LEAF_SIGNATURE', MISCONFIGURED],
    [node('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls ERR_TLS_CERT_ALTNAME_INVALID', MISCONFIGURED],
    [fetchFailed(node('CERT_HAS_EXPIRED')), 'tls CERT_HAS_EXPIRED', MISCONFIGURED],
    [system('EPROTO', 'write', -71), 'tls EPROTO', `${COMMUNICATION} configuration`],
    [node('ERR_TLS_HANDSHAKE_TIMEOUT'), 'tls ERR_TLS_HANDSHAKE_TIMEOUT', TIMEOUT],
  ],
  'undici and fetch': [
    [undici('SocketError', 'UND_ERR_SOCKET'), 'undici UND_ERR_SOCKET', COMMUNICATION],
    [
      fetchFailed(undici('ConnectTimeoutError', 'UND_ERR_CONNECT_TIMEOUT')),
      'undici UND_ERR_CONNECT_TIMEOUT',
      TIMEOUT,
    ],
    [
      fetchFailed(undici('HeadersTimeoutError', 'UND_ERR_HEADERS_TIMEOUT')),
      'undici UND_ERR_HEADERS_TIMEOUT',
      TIMEOUT,
    ],
    [
      undici('ResponseExceededMaxSizeError', 'UND_ERR_RES_EXCEEDED_MAX_SIZE'),
      'undici UND_ERR_RES_EXCEEDED_MAX_SIZE',
      UNSUPPORTED,
    ],
    [
      undici('InvalidArgumentError', 'UND_ERR_INVALID_ARG'),
      'undici UND_ERR_INVALID_ARG',
      PROGRAMMER,
    ],
    [fetchFailed(system('ECONNREFUSED')), 'node-code ECONNREFUSED', COMMUNICATION],
    [fetchFailed(new Error('bad port')), 'fetch TypeError with a cause', COMMUNICATION],
    [
      fetchFailed(
        Object.assign(new AggregateError([system('ECONNREFUSED')]), { code: 'ETIMEDOUT' }),
      ),
      'node-code ETIMEDOUT',
      TIMEOUT,
    ],
    [undici('AbortError', 'UND_ERR_ABORTED'), 'name AbortError', CANCELLED],
  ],
  axios: [
    [axios('Network Error', 'ERR_NETWORK'), 'axios ERR_NETWORK', COMMUNICATION],
    [axios('timeout of 1000ms exceeded', 'ECONNABORTED'), 'axios timeout', TIMEOUT],
    [axios('timeout of 1 ms', 'ERR_NETWORK'), 'axios ERR_NETWORK', COMMUNICATION],
    [axios('Request aborted', 'ECONNABORTED'), 'node-code ECONNABORTED', COMMUNICATION],
    [axios('x', 'ERR_BAD_REQUEST', { status: 404 }), 'http-status 4xx', VALIDATION],
    [axios('x', 'ERR_BAD_RESPONSE', { status: 503 }), 'http-status 503', DEPENDENCY],
    [axios('maxContentLength', 'ERR_BAD_RESPONSE'), 'axios ERR_BAD_RESPONSE', DEPENDENCY],
    [axios('x', 'ERR_FR_TOO_MANY_REDIRECTS'), 'axios ERR_FR_TOO_MANY_REDIRECTS', UNSUPPORTED],
    [
      named('CanceledError', 'canceled', { code: 'ERR_CANCELED', __CANCEL__: true }),
      'name CanceledError',
      CANCELLED,
    ],
  ],
  'HTTP status and HttpException': [
    [new HttpException('x', 400), 'http-status 4xx', VALIDATION],
    [new HttpException('x', 401), 'http-status 401', FORBIDDEN],
    [http('status', 403), 'http-status 403', FORBIDDEN],
    [http('response', 407), 'http-status 407', CREDENTIALS],
    [http('statusCode', 408), 'http-status 408', TIMEOUT],
    [http('status', 425), 'http-status 425', 'transient retry failure medium'],
    [http('status', 429), 'http-status 429', RESOURCE],
    [new HttpException('x', 500), 'http-status 500', DEPENDENCY],
    [http('status', 501), 'http-status 501', UNSUPPORTED],
    [http('response', 502), 'http-status 502', COMMUNICATION],
    [http('statusCode', 503), 'http-status 503', DEPENDENCY],
    [Object.assign(new Error('x'), { response: { statusCode: 504 } }), 'http-status 504', TIMEOUT],
    [http('status', 504), 'http-status 504', TIMEOUT],
    [http('status', 505), 'http-status 505', UNSUPPORTED],
    [http('status', 507), 'http-status 507', 'dependency retry failure high'],
    [http('status', 599), 'http-status 5xx', DEPENDENCY],
    [Object.assign(system('ECONNRESET'), { status: 403 }), 'http-status 403', FORBIDDEN],
    [Object.assign(system('ECONNRESET'), { status: 500 }), 'node-code ECONNRESET', COMMUNICATION],
  ],
  gRPC: [
    [grpc(1, 'CANCELLED', 'Cancelled on client'), 'grpc 1 CANCELLED by the client', CANCELLED],
    [grpc(1, 'CANCELLED', 'Call cancelled'), 'grpc 1 CANCELLED', DEPENDENCY],
    [grpc(2, 'UNKNOWN'), 'grpc 2 UNKNOWN', DEPENDENCY],
    [grpc(3, 'INVALID_ARGUMENT'), 'grpc 3 INVALID_ARGUMENT', VALIDATION],
    [grpc(4, 'DEADLINE_EXCEEDED'), 'grpc 4 DEADLINE_EXCEEDED', TIMEOUT],
    [grpc(5, 'NOT_FOUND'), 'grpc 5 NOT_FOUND', VALIDATION],
    [grpc(7, 'PERMISSION_DENIED'), 'grpc 7 PERMISSION_DENIED', FORBIDDEN],
    [grpc(8, 'RESOURCE_EXHAUSTED'), 'grpc 8 RESOURCE_EXHAUSTED', RESOURCE],
    [grpc(10, 'ABORTED'), 'grpc 10 ABORTED', CONFLICT],
    [grpc(12, 'UNIMPLEMENTED'), 'grpc 12 UNIMPLEMENTED', UNSUPPORTED],
    [grpc(13, 'INTERNAL'), 'grpc 13 INTERNAL', DEPENDENCY],
    [grpc(14, 'UNAVAILABLE'), 'grpc 14 UNAVAILABLE', COMMUNICATION],
    [grpc(15, 'DATA_LOSS'), 'grpc 15 DATA_LOSS', 'permanent once failure critical'],
    [grpc(16, 'UNAUTHENTICATED'), 'grpc 16 UNAUTHENTICATED', FORBIDDEN],
  ],
  'PostgreSQL, by SQLSTATE': [
    [pg('40001'), 'sqlstate 40001', CONFLICT],
    [pg('40P01'), 'sqlstate 40P01', CONFLICT],
    [named('error', 'x', { code: '40001', routine: 'x' }), 'sqlstate 40001', CONFLICT],
    [pg('55P03'), 'sqlstate 55P03', CONFLICT],
    [pg('08006'), 'sqlstate class 08', COMMUNICATION],
    [pg('08004'), 'sqlstate 08004', CREDENTIALS],
    [pg('53300'), 'sqlstate 53300', EXHAUSTED],
    [pg('53100'), 'sqlstate 53100', 'resource once failure critical'],
    [pg('53200'), 'sqlstate 53200', 'resource retry failure critical'],
    [pg('53400'), 'sqlstate class 53', RESOURCE],
    [pg('57P01'), 'sqlstate 57P01', DEPENDENCY],
    [pg('57P03'), 'sqlstate 57P03', DEPENDENCY],
    [pg('57014'), 'sqlstate 57014', TIMEOUT],
    [pg('22001'), 'sqlstate class 22', VALIDATION],
    [pg('23505'), 'sqlstate class 23', VALIDATION],
    [postgresJs('23503'), 'sqlstate class 23', VALIDATION],
    [pg('42P01'), 'sqlstate class 42', BAD_QUERY],
    [pg('42501'), 'sqlstate 42501', FORBIDDEN],
    [pg('28P01'), 'sqlstate class 28', CREDENTIALS],
    [pg('3D000'), 'sqlstate 3D000', MISCONFIGURED],
    [pg('25006'), 'sqlstate 25006', DEPENDENCY],
    [pg('XX001'), 'sqlstate class XX', 'permanent once failure critical'],
    // the wrappers of the usual ORMs
    [
      Object.assign(named('QueryFailedError'), pg('23505'), { driverError: pg('23505') }),
      'sqlstate class 23',
      VALIDATION,
    ],
    [named('SequelizeDatabaseError', 'x', { original: pg('40P01') }), 'sqlstate 40P01', CONFLICT],
    [
      Object.assign(named('DrizzleQueryError'), { cause: pg('53300') }),
      'sqlstate 53300',
      EXHAUSTED,
    ],
  ],
  MySQL: [
    [mysql2('ER_LOCK_DEADLOCK', 1213, '40001'), 'mysql ER_LOCK_DEADLOCK', CONFLICT],
    [mysql2('ER_LOCK_WAIT_TIMEOUT', 1205, 'HY000'), 'mysql ER_LOCK_WAIT_TIMEOUT', CONFLICT],
    [mysql2('ER_CON_COUNT_ERROR', 1040, '08004'), 'mysql ER_CON_COUNT_ERROR', EXHAUSTED],
    [mysql2('ER_DUP_ENTRY', 1062, '23000'), 'mysql ER_DUP_ENTRY', VALIDATION],
    [mysql2('ER_ACCESS_DENIED_ERROR', 1045, '28000'), 'mysql ER_ACCESS_DENIED_ERROR', CREDENTIALS],
    [
      mysql2('ER_TABLEACCESS_DENIED_ERROR', 1142, '42000'),
      'mysql ER_TABLEACCESS_DENIED_ERROR',
      FORBIDDEN,
    ],
    [mysql2('ER_PARSE_ERROR', 1064, '42000'), 'mysql ER_PARSE_ERROR', BAD_QUERY],
    [mysql2('ER_BAD_DB_ERROR', 1049, '42000'), 'mysql ER_BAD_DB_ERROR', MISCONFIGURED],
    [
      mysql2('ER_OPTION_PREVENTS_STATEMENT', 1290, 'HY000'),
      'mysql ER_OPTION_PREVENTS_STATEMENT',
      DEPENDENCY,
    ],
    [mysql2('ER_QUERY_TIMEOUT', 3024, 'HY000'), 'mysql ER_QUERY_TIMEOUT', TIMEOUT],
    [mysqlFatal('PROTOCOL_CONNECTION_LOST'), 'mysql PROTOCOL_CONNECTION_LOST', COMMUNICATION],
    [mysql2(undefined, 1205, 'HY000'), 'mysql ER_LOCK_WAIT_TIMEOUT', CONFLICT],
    [mysql2(undefined, 9999, '23000'), 'sqlstate class 23', VALIDATION],
    [mysql2('ER_OF_TOMORROW', 9999, '22001'), 'sqlstate class 22', VALIDATION],
  ],
  SQLite: [
    [betterSqlite('SQLITE_BUSY'), 'sqlite SQLITE_BUSY', CONFLICT],
    [betterSqlite('SQLITE_BUSY_SNAPSHOT'), 'sqlite SQLITE_BUSY', CONFLICT],
    [betterSqlite('SQLITE_LOCKED'), 'sqlite SQLITE_LOCKED', CONFLICT],
    [betterSqlite('SQLITE_FULL'), 'sqlite SQLITE_FULL', 'resource once failure critical'],
    [betterSqlite('SQLITE_CONSTRAINT_UNIQUE'), 'sqlite SQLITE_CONSTRAINT', VALIDATION],
    [
      betterSqlite('SQLITE_IOERR_FSYNC'),
      'sqlite SQLITE_IOERR',
      'dependency retry failure critical',
    ],
    [betterSqlite('SQLITE_CORRUPT'), 'sqlite SQLITE_CORRUPT', 'permanent once failure critical'],
    [betterSqlite('SQLITE_CANTOPEN'), 'sqlite SQLITE_CANTOPEN', MISCONFIGURED],
    [nodeSqlite(5, 'database is locked'), 'sqlite SQLITE_BUSY', CONFLICT],
    [nodeSqlite(2067, 'UNIQUE constraint failed'), 'sqlite SQLITE_CONSTRAINT', VALIDATION],
    [nodeSqlite(1, 'SQL logic error'), 'sqlite SQLITE_ERROR', BAD_QUERY],
    [
      nodeSqlite(26, 'file is not a database'),
      'sqlite SQLITE_NOTADB',
      'permanent once failure critical',
    ],
  ],
  MongoDB: [
    [
      mongo('MongoServerError', { labels: ['TransientTransactionError'] }),
      'mongodb TransientTransactionError',
      CONFLICT,
    ],
    [
      mongo('MongoServerError', { code: 112, labels: ['TransientTransactionError'] }),
      'mongodb 112 WriteConflict',
      CONFLICT,
    ],
    [
      mongo('MongoWriteConcernError', { labels: ['RetryableWriteError'] }),
      'mongodb RetryableWriteError',
      COMMUNICATION,
    ],
    [mongo('MongoNetworkError'), 'mongodb MongoNetworkError', COMMUNICATION],
    [mongo('MongoNetworkTimeoutError'), 'mongodb MongoNetworkTimeoutError', TIMEOUT],
    [mongo('MongoServerSelectionError'), 'mongodb MongoServerSelectionError', COMMUNICATION],
    [mongo('MongoWaitQueueTimeoutError'), 'mongodb MongoWaitQueueTimeoutError', EXHAUSTED],
    [mongo('MongoServerError', { code: 11_000 }), 'mongodb 11000 DuplicateKey', VALIDATION],
    [mongo('MongoBulkWriteError', { code: 11_000 }), 'mongodb 11000 DuplicateKey', VALIDATION],
    [mongo('MongoServerError', { code: 13 }), 'mongodb 13 Unauthorized', FORBIDDEN],
    [mongo('MongoServerError', { code: 18 }), 'mongodb 18 AuthenticationFailed', CREDENTIALS],
    [mongo('MongoServerError', { code: 50 }), 'mongodb 50 MaxTimeMSExpired', TIMEOUT],
    [mongo('MongoServerError', { code: 10_107 }), 'mongodb 10107 NotWritablePrimary', DEPENDENCY],
    [mongo('MongoServerError', { code: 999_999 }), 'mongodb server error', DEPENDENCY],
    [mongo('MongoParseError'), 'mongodb MongoParseError', MISCONFIGURED],
    [named('ValidationError', 'x', { errors: { path: {} } }), 'name ValidationError', VALIDATION],
  ],
  Prisma: [
    [prismaKnown('P1001'), 'prisma P1001', COMMUNICATION],
    [prismaInit('P1001'), 'prisma P1001', COMMUNICATION],
    [prismaInit('P1000'), 'prisma P1000', CREDENTIALS],
    [prismaInit(), 'prisma PrismaClientInitializationError', `${COMMUNICATION} configuration`],
    [prismaKnown('P1002'), 'prisma P1002', TIMEOUT],
    [prismaKnown('P1017'), 'prisma P1017', COMMUNICATION],
    [prismaKnown('P2002'), 'prisma P2xxx', VALIDATION],
    [prismaKnown('P2025'), 'prisma P2xxx', VALIDATION],
    [prismaKnown('P2024'), 'prisma P2024', EXHAUSTED],
    [prismaKnown('P2034'), 'prisma P2034', CONFLICT],
    [prismaKnown('P5011'), 'prisma P5011', RESOURCE],
    [named('PrismaClientValidationError'), 'prisma PrismaClientValidationError', PROGRAMMER],
    [
      named('PrismaClientUnknownRequestError'),
      'prisma PrismaClientUnknownRequestError',
      DEPENDENCY,
    ],
    [
      named('PrismaClientRustPanicError'),
      'prisma PrismaClientRustPanicError',
      'dependency once failure critical',
    ],
  ],
  Redis: [
    [ioredis('MOVED 3999 127.0.0.1:6381'), 'redis MOVED', 'transient retry failure medium'],
    [ioredis('LOADING Redis is loading the dataset in memory'), 'redis LOADING', DEPENDENCY],
    [
      ioredis("READONLY You can't write against a read only replica."),
      'redis READONLY',
      DEPENDENCY,
    ],
    [ioredis('BUSY Redis is busy running a script.'), 'redis BUSY', RESOURCE],
    [
      ioredis("OOM command not allowed when used memory > 'maxmemory'."),
      'redis OOM',
      'resource retry failure critical',
    ],
    [ioredis('CLUSTERDOWN The cluster is down'), 'redis CLUSTERDOWN', DEPENDENCY],
    [
      ioredis('MISCONF Redis is configured to save RDB snapshots'),
      'redis MISCONF',
      'dependency retry failure critical configuration',
    ],
    [ioredis('NOAUTH Authentication required.'), 'redis NOAUTH', CREDENTIALS],
    [ioredis('WRONGTYPE Operation against a key'), 'redis WRONGTYPE', BAD_QUERY],
    [ioredis("ERR unknown command 'foo'"), 'redis ERR', BAD_QUERY],
    [ioredis('ERR max number of clients reached'), 'redis ERR max number of clients', EXHAUSTED],
    [named('MaxRetriesPerRequestError'), 'redis MaxRetriesPerRequestError', COMMUNICATION],
    [new Error('Connection is closed.'), 'redis connection closed', COMMUNICATION],
    [
      named('AbortError', 'Command aborted due to connection close'),
      'redis connection closed',
      COMMUNICATION,
    ],
    [
      nodeRedis('SimpleError', 'WRONGPASS invalid username-password pair'),
      'redis WRONGPASS',
      CREDENTIALS,
    ],
    [nodeRedis('ErrorReply', 'CLUSTERDOWN'), 'redis CLUSTERDOWN', DEPENDENCY],
    [
      nodeRedis('SocketClosedUnexpectedlyError', 'Socket closed unexpectedly'),
      'redis SocketClosedUnexpectedlyError',
      COMMUNICATION,
    ],
    [nodeRedis('ConnectionTimeoutError', 'x'), 'redis ConnectionTimeoutError', TIMEOUT],
    [nodeRedis('WatchError', 'x'), 'redis WatchError', CONFLICT],
  ],
  Kafka: [
    [kafka('KafkaJSConnectionError', true), 'kafka KafkaJSConnectionError', COMMUNICATION],
    [kafka('KafkaJSRequestTimeoutError', true), 'kafka KafkaJSRequestTimeoutError', TIMEOUT],
    [
      kafka('KafkaJSNumberOfRetriesExceeded', false, { retryCount: 5 }),
      'kafka KafkaJSNumberOfRetriesExceeded',
      'dependency once failure medium',
    ],
    [
      kafka('KafkaJSProtocolError', true, { type: 'NOT_LEADER_FOR_PARTITION', code: 6 }),
      'kafka retriable',
      DEPENDENCY,
    ],
    [
      kafka('KafkaJSProtocolError', false, { type: 'INVALID_TOPIC_EXCEPTION', code: 17 }),
      'kafka not retriable',
      UNSUPPORTED,
    ],
    [
      kafka('KafkaJSProtocolError', false, { type: 'TOPIC_AUTHORIZATION_FAILED', code: 29 }),
      'kafka TOPIC_AUTHORIZATION_FAILED',
      FORBIDDEN,
    ],
    [
      kafka('KafkaJSProtocolError', false, { type: 'MESSAGE_TOO_LARGE', code: 10 }),
      'kafka MESSAGE_TOO_LARGE',
      VALIDATION,
    ],
    [
      named('LibrdKafkaError', 'x', { code: -195, isRetriable: true, isFatal: false }),
      'kafka retriable',
      DEPENDENCY,
    ],
  ],
  AWS: [
    [aws('ThrottlingException', 400), 'aws ThrottlingException', RESOURCE],
    [
      aws('ProvisionedThroughputExceededException', 400),
      'aws ProvisionedThroughputExceededException',
      RESOURCE,
    ],
    [aws('SlowDown', 503, { fault: 'server' }), 'aws SlowDown', RESOURCE],
    [aws('AccessDeniedException', 400), 'aws AccessDeniedException', FORBIDDEN],
    [aws('ExpiredTokenException', 400), 'aws ExpiredTokenException', CREDENTIALS],
    [
      aws('ConditionalCheckFailedException', 400),
      'aws ConditionalCheckFailedException',
      VALIDATION,
    ],
    [aws('NoSuchKey', 404), 'http-status 4xx', VALIDATION],
    [aws('InternalServiceException', 500, { fault: 'server' }), 'http-status 500', DEPENDENCY],
    [
      aws('OfTomorrow', 400, { retryable: { throttling: true } }),
      'aws $retryable throttling',
      RESOURCE,
    ],
    [aws('OfTomorrow', 400, { retryable: {} }), 'aws $retryable', 'transient retry failure medium'],
    [aws('OfTomorrow', undefined, { fault: 'server' }), 'aws $fault server', DEPENDENCY],
    [aws('OfTomorrow', undefined), 'aws $fault client', VALIDATION],
    [named('CredentialsProviderError'), 'aws CredentialsProviderError', CREDENTIALS],
  ],
  'out of memory': [
    [
      new RangeError('Array buffer allocation failed'),
      'message out of memory',
      'resource retry failure critical',
    ],
    [
      new Error('Worker terminated: out of memory'),
      'message out of memory',
      'resource retry failure critical',
    ],
    [new RangeError('Invalid array length'), 'name RangeError', PROGRAMMER],
  ],
  'our own': [
    [new CircuitOpenError('A.b', 'open'), 'own CIRCUIT_OPEN', REJECTED],
    [new BulkheadFullError('A.b', 1, 1), 'own BULKHEAD_FULL', REJECTED],
    [new RateLimitedError('A.b', 1), 'own RATE_LIMITED', REJECTED],
    [late(false, false), 'own CALL_TIMEOUT', REJECTED],
    [late(true, false), 'own CALL_TIMEOUT of started work', 'timeout once failure medium'],
    [late(true, true), 'own CALL_TIMEOUT while blocked', 'timeout once rejected medium'],
    [
      new Error('wrapped', { cause: new CircuitOpenError('A.b', 'open') }),
      'own CIRCUIT_OPEN',
      REJECTED,
    ],
  ],
  'names alone': [
    [new DOMException('x', 'AbortError'), 'name AbortError', CANCELLED],
    [new DOMException('x', 'TimeoutError'), 'name TimeoutError', TIMEOUT],
    [new TypeError('x'), 'name TypeError', PROGRAMMER],
    [new SyntaxError('x'), 'name SyntaxError', PROGRAMMER],
    [new URIError('x'), 'name URIError', PROGRAMMER],
    [named('ZodError'), 'name ZodError', VALIDATION],
  ],
  'nothing known': [
    [new Error('x'), 'unknown', 'transient retry failure medium'],
    ['x', 'unknown', 'transient retry failure medium'],
    [undefined, 'unknown', 'transient retry failure medium'],
    [null, 'unknown', 'transient retry failure medium'],
    [{}, 'unknown', 'transient retry failure medium'],
    // words and numbers that are codes only in the mouth of whoever they belong to
    [node('23505'), 'unknown', 'transient retry failure medium'],
    [node('P2002'), 'unknown', 'transient retry failure medium'],
    [
      Object.assign(new Error('x'), { code: 14, details: 'x' }),
      'unknown',
      'transient retry failure medium',
    ],
    [
      Object.assign(new Error('x'), { code: 14, metadata: {} }),
      'unknown',
      'transient retry failure medium',
    ],
    [named('LibrdKafkaError', 'x', { code: -1 }), 'unknown', 'transient retry failure medium'],
    [new Error(`${'x'.repeat(200)} out of memory`), 'unknown', 'transient retry failure medium'],
    [Object.assign(new Error('x'), { code: 14 }), 'unknown', 'transient retry failure medium'],
    [Object.assign(new Error('x'), { code: 11_000 }), 'unknown', 'transient retry failure medium'],
    [new Error('MOVED to another office'), 'unknown', 'transient retry failure medium'],
    [named('ThrottlingException'), 'unknown', 'transient retry failure medium'],
    [
      Object.assign(new Error('x'), { retriable: false }),
      'unknown',
      'transient retry failure medium',
    ],
    [Object.assign(new Error('x'), { status: 302 }), 'unknown', 'transient retry failure medium'],
    [
      new Error('outer', { cause: new TypeError('x') }),
      'unknown',
      'transient retry failure medium',
    ],
  ],
};

describe.each(Object.entries(FAMILIES))('%s', (_family, rows) => {
  it.each(rows)('%p is %s', (error, rule, says) => {
    expect(said(error)).toBe(`${rule}: ${says}`);
  });
});

it('has at least 120 rows under test', () => {
  const rules = new Set(Object.values(FAMILIES).flatMap((rows) => rows.map(([, rule]) => rule)));
  expect(rules.size).toBeGreaterThanOrEqual(120);
});

it('gives the same frozen object for all errors of a row', () => {
  const one = defaultClassifier.classify(system('ECONNRESET'));
  expect(defaultClassifier.classify(system('ECONNRESET'))).toBe(one);
  expect(Object.isFrozen(one)).toBe(true);
});

it('no code is claimed by two families', () => {
  const codes = CODE_TABLES.flatMap((codes) => [...codes.keys()]);
  expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([]);
});

it('each row is whole, and a refusal of access or a mistake in a program is never hidden', () => {
  const rows = CODE_TABLES.flatMap((codes) => [...codes.values()]);
  for (const row of rows) {
    expect(Object.keys(row).toSorted()).toEqual(
      [
        'category',
        'configuration',
        'fallback',
        'outcome',
        'retryable',
        'rule',
        'severity',
      ].toSorted(),
    );
    if (row.category === 'permanent' || row.category === 'validation')
      expect([row.rule, row.retryable]).toEqual([row.rule, false]);
    if (row.retryable) expect([row.rule, row.fallback]).toEqual([row.rule, true]);
  }
});
