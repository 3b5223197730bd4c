/** Errors in the shapes in which the drivers and clients throw them. */

type Bag = Record<string, unknown>;

const withAll = <E extends Error>(error: E, properties: Bag): E => Object.assign(error, properties);

/** What libuv reports, as `connect`, `open` and `getaddrinfo` give it. */
export const system = (code: string, syscall = 'connect', errno = -111): Error =>
  withAll(new Error(`${syscall} ${code} 10.0.0.1:5432`), { errno, code, syscall });

/** Node's own errors: the code is in the stack too. */
export const node = (code: string, Type: ErrorConstructor = Error): Error =>
  withAll(new Type(`message of ${code}`), { code });

export const named = (name: string, message = 'x', properties: Bag = {}): Error => {
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: name, configurable: true, enumerable: false });
  return withAll(error, properties);
};

export const undici = (name: string, code: string): Error => named(name, name, { code });

export const fetchFailed = (cause: unknown): TypeError => new TypeError('fetch failed', { cause });

export const axios = (
  message: string,
  code: string | undefined,
  response?: { status: number; data?: unknown },
): Error =>
  named('AxiosError', message, {
    isAxiosError: true,
    ...(code === undefined ? {} : { code }),
    config: { url: '/fees', headers: { Authorization: 'Bearer x' } },
    request: {},
    ...(response === undefined ? {} : { response, status: response.status }),
  });

/** `ServiceError` of grpc-js. */
export const grpc = (code: number, status: string, details = 'x'): Error =>
  withAll(new Error(`${code} ${status}: ${details}`), {
    code,
    details,
    metadata: { internalRepr: new Map(), options: {} },
  });

/** `DatabaseError` of pg, whose name is the kind of message that the server sent. */
export const pg = (code: string): Error =>
  named('error', 'x', {
    length: 100,
    severity: 'ERROR',
    code,
    detail: undefined,
    position: undefined,
    file: 'nbtinsert.c',
    line: '664',
    routine: '_bt_check_unique',
  });

/** `PostgresError` of postgres.js. */
export const postgresJs = (code: string): Error =>
  named('PostgresError', 'x', {
    severity_local: 'ERREUR',
    severity: 'ERROR',
    code,
    file: 'x.c',
    routine: 'x',
  });

export const mysql2 = (code: string | undefined, errno: number, sqlState: string): Error =>
  withAll(new Error('x'), { code, errno, sqlState, sqlMessage: 'x', sql: 'SELECT 1' });

/** mysql2, of a connection that it lost. */
export const mysqlFatal = (code: string): Error => withAll(new Error('x'), { code, fatal: true });

export const betterSqlite = (code: string): Error => named('SqliteError', 'x', { code });

/** `node:sqlite`. */
export const nodeSqlite = (errcode: number, errstr: string): Error =>
  withAll(new Error(errstr), { code: 'ERR_SQLITE_ERROR', errcode, errstr });

/** The driver's names are getters of the class, its labels a set behind another. */
export const mongo = (
  name: string,
  { code, labels = [] }: { code?: number | string; labels?: string[] } = {},
): Error => {
  class MongoError extends Error {
    override get name(): string {
      return name;
    }
    get errorLabels(): string[] {
      return [...labels];
    }
    hasErrorLabel(label: string): boolean {
      return labels.includes(label);
    }
  }
  return withAll(new MongoError('x'), code === undefined ? {} : { code });
};

export const prismaKnown = (code: string): Error =>
  named('PrismaClientKnownRequestError', 'x', { code, clientVersion: '6.0.0', meta: {} });

export const prismaInit = (errorCode?: string): Error =>
  named('PrismaClientInitializationError', 'x', { clientVersion: '6.0.0', errorCode });

/** `ReplyError` of redis-errors, which ioredis throws with the command. */
export const ioredis = (message: string): Error =>
  named('ReplyError', message, { command: { name: 'set', args: ['secret'] } });

/** node-redis names its classes and not its errors. */
export const nodeRedis = (type: string, message: string): Error => {
  const Type = { [type]: class extends Error {} }[type]!;
  return new Type(message);
};

export const kafka = (name: string, retriable: boolean, properties: Bag = {}): Error =>
  named(name, 'x', { retriable, helpUrl: undefined, ...properties });

/** `ServiceException` of the AWS SDK, version 3. */
export const aws = (
  name: string,
  status: number | undefined,
  { fault = 'client', retryable }: { fault?: string; retryable?: object } = {},
): Error =>
  named(name, 'x', {
    $fault: fault,
    $service: 'DynamoDB',
    $metadata: { httpStatusCode: status, requestId: 'x', attempts: 3, totalRetryDelay: 90 },
    ...(retryable === undefined ? {} : { $retryable: retryable }),
  });

export const http = (shape: 'status' | 'statusCode' | 'response', status: number): Error =>
  withAll(new Error('x'), shape === 'response' ? { response: { status } } : { [shape]: status });
