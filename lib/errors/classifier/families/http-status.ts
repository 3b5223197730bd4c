import { ignore } from '../../../kernel/ignore.js';
import { but, type ErrorClassification, row } from '../error-classification.js';
import {
  COMMUNICATION,
  CREDENTIALS,
  DEPENDENCY,
  FORBIDDEN,
  RESOURCE,
  TIMEOUT,
  TRANSIENT,
  UNSUPPORTED,
  VALIDATION,
} from '../kinds.js';
import { read, type Reading } from '../reading.js';

/** RFC 9110, 15, and the register of status codes. */
const BY_STATUS: ReadonlyMap<number, ErrorClassification> = new Map(
  (
    [
      [401, FORBIDDEN],
      [403, FORBIDDEN],
      [407, CREDENTIALS],
      [408, TIMEOUT],
      [425, TRANSIENT],
      [429, RESOURCE],
      [500, DEPENDENCY],
      [501, UNSUPPORTED],
      [502, COMMUNICATION],
      [503, DEPENDENCY],
      [504, TIMEOUT],
      [505, UNSUPPORTED],
      [507, but(DEPENDENCY, { severity: 'high' })],
    ] as const
  ).map(([status, kind]) => [status, row(`http-status ${status}`, kind)]),
);
const OTHER_4XX = row('http-status 4xx', VALIDATION);
const OTHER_5XX = row('http-status 5xx', DEPENDENCY);

/** By what an HTTP answer said, however it is carried. */
export function byStatus(at: Reading): ErrorClassification | undefined {
  const status = statusOf(at);
  return status === undefined ? undefined : rowOfStatus(status);
}

/** The row of a status; undefined if it is no error's. */
export function rowOfStatus(status: number): ErrorClassification | undefined {
  const exact = BY_STATUS.get(status);
  if (exact !== undefined) return exact;
  if (status >= 400 && status < 500) return OTHER_4XX;
  return status >= 500 && status < 600 ? OTHER_5XX : undefined;
}

/** `HttpException`, axios, got, undici's and http-errors' shapes. */
function statusOf(at: Reading): number | undefined {
  const getStatus = at.get('getStatus');
  if (typeof getStatus === 'function') {
    const status = asked(getStatus as () => unknown, at.error);
    if (typeof status === 'number') return status;
  }
  const status = at.get('status');
  if (typeof status === 'number') return status;
  const statusCode = at.get('statusCode');
  if (typeof statusCode === 'number') return statusCode;
  const response = at.get('response');
  if (typeof response !== 'object' || response === null) return undefined;
  const given = read(response, 'status') ?? read(response, 'statusCode');
  return typeof given === 'number' ? given : undefined;
}

function asked(getStatus: () => unknown, error: object): unknown {
  try {
    const answer = Reflect.apply(getStatus, error, []);
    if (answer instanceof Promise) ignore(answer); // its rejection must not end the process
    return answer;
  } catch {
    return undefined;
  }
}
