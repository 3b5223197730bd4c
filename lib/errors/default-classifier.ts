import type { Classification, Classifier, ErrorCategory } from '../kernel/classifier.js';
import { isResilienceRejection, type ResilienceRejection } from '../kernel/rejection.js';

const blame = (category: ErrorCategory): Classification => ({
  category,
  retryable: true,
  outcome: 'failure',
  fallback: true,
});

const TRANSIENT = blame('transient');
const TIMEOUT = blame('timeout');
const RESOURCE = blame('resource');
const COMMUNICATION = blame('communication');
const DEPENDENCY = blame('dependency');
/** The dependency cannot do it at all; another attempt will not help, a fallback may. */
const UNSUPPORTED: Classification = { ...DEPENDENCY, category: 'permanent', retryable: false };
/** The dependency answered, and the answer is that the request was wrong. */
const VALIDATION: Classification = {
  category: 'validation',
  retryable: false,
  outcome: 'ignored',
  fallback: true,
};
/** A refusal of access: turned into data by a fallback it would be a hole. */
const FORBIDDEN: Classification = { ...VALIDATION, category: 'permanent', fallback: false };
/** A mistake in a program: it will happen again, and hiding it helps nobody. */
const PROGRAMMER: Classification = {
  category: 'permanent',
  retryable: false,
  outcome: 'failure',
  fallback: false,
};
const CANCELLED: Classification = {
  category: 'transient',
  retryable: false,
  outcome: 'cancelled',
  fallback: false,
};
/** One of our own policies refused; the dependency was not heard. */
const REJECTED: Classification = {
  category: 'resource',
  retryable: false,
  outcome: 'rejected',
  fallback: true,
};
/** We gave up on work that had started, and that may still be running. */
const GIVEN_UP: Classification = { ...REJECTED, category: 'timeout', outcome: 'failure' };
/** The same, but nobody could have read its answer: our own event loop was blocked. */
const BLOCKED: Classification = { ...GIVEN_UP, outcome: 'rejected' };

const BY_STATUS: Record<number, Classification> = {
  401: FORBIDDEN,
  403: FORBIDDEN,
  407: FORBIDDEN,
  408: TIMEOUT,
  425: TRANSIENT,
  429: RESOURCE,
  500: DEPENDENCY,
  501: UNSUPPORTED,
  502: COMMUNICATION,
  503: DEPENDENCY,
  504: TIMEOUT,
  505: UNSUPPORTED,
};

const BY_CODE: Record<string, Classification> = {
  ECONNRESET: COMMUNICATION,
  ECONNREFUSED: COMMUNICATION,
  ECONNABORTED: COMMUNICATION,
  EPIPE: COMMUNICATION,
  EHOSTUNREACH: COMMUNICATION,
  ENETUNREACH: COMMUNICATION,
  ENETDOWN: COMMUNICATION,
  ENOTFOUND: COMMUNICATION,
  EAI_AGAIN: COMMUNICATION,
  UND_ERR_SOCKET: COMMUNICATION,
  UND_ERR_CONNECT_TIMEOUT: TIMEOUT,
  UND_ERR_HEADERS_TIMEOUT: TIMEOUT,
  UND_ERR_BODY_TIMEOUT: TIMEOUT,
  ETIMEDOUT: TIMEOUT,
  ESOCKETTIMEDOUT: TIMEOUT,
  EMFILE: RESOURCE,
  ENFILE: RESOURCE,
  ENOMEM: RESOURCE,
};

const BY_NAME: Record<string, Classification> = {
  AbortError: CANCELLED,
  TimeoutError: TIMEOUT,
  TypeError: PROGRAMMER,
  ReferenceError: PROGRAMMER,
  SyntaxError: PROGRAMMER,
  RangeError: PROGRAMMER,
  EvalError: PROGRAMMER,
  URIError: PROGRAMMER,
};

/** How deep `cause` is followed: `fetch` hides the code of a broken connection one level down. */
const MAX_CAUSES = 5;

/**
 * What an error is, by its code, its HTTP status and its name, in this order, then by its causes.
 * A plain error is transient: it blames the dependency and is worth another attempt.
 */
export const defaultClassifier: Classifier = {
  classify(error) {
    try {
      return byFacts(error);
    } catch {
      return TRANSIENT; // an error whose getters throw tells us nothing
    }
  },
};

function byFacts(error: unknown): Classification {
  let name: Classification | undefined;
  let current = error;
  for (
    let depth = 0;
    depth < MAX_CAUSES && typeof current === 'object' && current !== null;
    depth += 1
  ) {
    // whoever wraps our error says the same in other words
    if (isResilienceRejection(current)) return byRejection(current);
    // a refusal of access is one whatever the transport says beside it
    const status = byStatus(current);
    const facts = status === FORBIDDEN ? status : (byCode(current) ?? status);
    if (facts !== undefined) return facts;
    if (depth === 0) name = lookUp(BY_NAME, (current as { name?: unknown }).name);
    current = (current as { cause?: unknown }).cause;
    // the engine's own TypeErrors have no cause; one that has is a library's, such as fetch's
    if (depth === 0 && name === PROGRAMMER && current !== undefined) name = COMMUNICATION;
  }
  return name ?? TRANSIENT;
}

function byRejection(error: ResilienceRejection): Classification {
  const { started, blocked } = error as { started?: unknown; blocked?: unknown };
  if (error.code !== 'CALL_TIMEOUT' || started !== true) return REJECTED;
  return blocked === true ? BLOCKED : GIVEN_UP;
}

function byCode(error: object): Classification | undefined {
  return lookUp(BY_CODE, (error as { code?: unknown }).code);
}

function byStatus(error: object): Classification | undefined {
  const status = statusOf(error);
  if (status === undefined) return undefined;
  const exact = BY_STATUS[status];
  if (exact !== undefined) return exact;
  if (status >= 400 && status < 500) return VALIDATION;
  return status >= 500 && status < 600 ? DEPENDENCY : undefined;
}

/** `HttpException`, axios, got, undici's and http-errors' shapes. */
function statusOf(error: object): number | undefined {
  const e = error as {
    getStatus?: unknown;
    status?: unknown;
    statusCode?: unknown;
    response?: unknown;
  };
  if (typeof e.getStatus === 'function') {
    const status: unknown = Reflect.apply(e.getStatus, error, []);
    if (typeof status === 'number') return status;
  }
  if (typeof e.status === 'number') return e.status;
  if (typeof e.statusCode === 'number') return e.statusCode;
  const response = e.response as { status?: unknown; statusCode?: unknown } | null | undefined;
  if (typeof response !== 'object' || response === null) return undefined;
  const given = response.status ?? response.statusCode;
  return typeof given === 'number' ? given : undefined;
}

function lookUp(table: Record<string, Classification>, key: unknown): Classification | undefined {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key] : undefined;
}
