import { row, table } from '../error-classification.js';
import {
  COMMUNICATION,
  DEPENDENCY,
  MISCONFIGURED,
  PROGRAMMER,
  TIMEOUT,
  UNSUPPORTED,
} from '../kinds.js';
import type { Reading } from '../reading.js';

/** What undici reports, below `fetch` too. Aborts are among the names, answers go by their status. */
export const UNDICI_CODES = table('undici', {
  UND_ERR_SOCKET: COMMUNICATION,
  UND_ERR_CONNECT_TIMEOUT: TIMEOUT,
  UND_ERR_HEADERS_TIMEOUT: TIMEOUT,
  UND_ERR_BODY_TIMEOUT: TIMEOUT,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: COMMUNICATION,
  UND_ERR_INFO: COMMUNICATION,
  UND_ERR_HTTP_PARSER: COMMUNICATION,
  UND_ERR_PRX_TLS: COMMUNICATION,
  UND_ERR_DESTROYED: COMMUNICATION,
  UND_ERR_CLOSED: COMMUNICATION,
  UND_ERR_BPL_MISSING_UPSTREAM: DEPENDENCY,
  UND_ERR_HEADERS_OVERFLOW: UNSUPPORTED,
  UND_ERR_RES_EXCEEDED_MAX_SIZE: UNSUPPORTED,
  UND_ERR_NOT_SUPPORTED: UNSUPPORTED,
  UND_ERR_INVALID_ARG: PROGRAMMER,
  UND_ERR_INVALID_RETURN_VALUE: PROGRAMMER,
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: PROGRAMMER,
});

/** axios, as far as there is no answer whose status says it. */
export const AXIOS_CODES = table('axios', {
  ERR_NETWORK: COMMUNICATION,
  ERR_FR_TOO_MANY_REDIRECTS: UNSUPPORTED,
  ERR_NOT_SUPPORT: MISCONFIGURED,
  ERR_BAD_OPTION: PROGRAMMER,
  ERR_BAD_OPTION_VALUE: PROGRAMMER,
});

const AXIOS_TIMEOUT = row('axios timeout', TIMEOUT);
const AXIOS_UNREADABLE = row('axios ERR_BAD_RESPONSE', DEPENDENCY);

/** Unless told to be clearer, axios has one code for its timeout and for a connection that broke. */
export function axiosTimeout(at: Reading): typeof AXIOS_TIMEOUT | undefined {
  if (at.code !== 'ECONNABORTED') return undefined;
  return at.message.startsWith('timeout') ? AXIOS_TIMEOUT : undefined;
}

/** An answer without a status that could say more. */
export function axiosUnreadable(at: Reading): typeof AXIOS_UNREADABLE | undefined {
  return at.code === 'ERR_BAD_RESPONSE' ? AXIOS_UNREADABLE : undefined;
}
