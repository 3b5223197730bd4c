import { but, type ErrorClassification, row, table } from '../error-classification.js';
import {
  COMMUNICATION,
  CONFLICT,
  CREDENTIALS,
  DEPENDENCY,
  EXHAUSTED,
  MISCONFIGURED,
  PROGRAMMER,
  RESOURCE,
  TIMEOUT,
  UNSUPPORTED,
  VALIDATION,
  BAD_QUERY,
} from '../kinds.js';
import type { Reading } from '../reading.js';

/** https://www.prisma.io/docs/orm/reference/error-reference */
const CODES = table('prisma', {
  P1000: CREDENTIALS,
  P1001: COMMUNICATION,
  P1002: TIMEOUT,
  P1003: MISCONFIGURED,
  P1008: TIMEOUT,
  P1009: VALIDATION,
  P1010: CREDENTIALS,
  P1011: but(COMMUNICATION, { configuration: true }),
  P1012: MISCONFIGURED,
  P1013: MISCONFIGURED,
  P1014: MISCONFIGURED,
  P1015: MISCONFIGURED,
  P1016: BAD_QUERY,
  P1017: COMMUNICATION,
  P2009: BAD_QUERY,
  P2010: DEPENDENCY, // a raw query failed; what of it is not said in the code
  P2021: MISCONFIGURED,
  P2022: MISCONFIGURED,
  P2024: EXHAUSTED,
  P2026: UNSUPPORTED,
  P2028: CONFLICT,
  P2034: CONFLICT,
  P2037: EXHAUSTED,
  P5000: BAD_QUERY,
  P5004: UNSUPPORTED,
  P5007: CREDENTIALS,
  P5011: RESOURCE,
  P5015: CREDENTIALS,
  P6000: DEPENDENCY,
  P6001: MISCONFIGURED,
  P6002: CREDENTIALS,
  P6003: RESOURCE,
  P6004: TIMEOUT,
  P6005: VALIDATION,
  P6006: UNSUPPORTED,
  P6008: COMMUNICATION,
  P6009: VALIDATION,
  P6010: CREDENTIALS,
});

/** The engine answered, and the answer is about the data. */
const OTHER_P2 = row('prisma P2xxx', VALIDATION);

const NAMES = table('prisma', {
  PrismaClientInitializationError: but(COMMUNICATION, { configuration: true }),
  PrismaClientRustPanicError: but(DEPENDENCY, { severity: 'critical', retryable: false }),
  PrismaClientUnknownRequestError: DEPENDENCY,
  PrismaClientValidationError: PROGRAMMER,
});

/** `P2002` may be anybody's word; these classes are Prisma's. */
export function byPrisma(at: Reading): ErrorClassification | undefined {
  if (!at.name.startsWith('PrismaClient')) return undefined;
  const code = typeof at.code === 'string' ? at.code : at.get('errorCode');
  if (typeof code === 'string') {
    const found = CODES.get(code);
    if (found !== undefined) return found;
    if (code.startsWith('P2')) return OTHER_P2;
  }
  return NAMES.get(at.name);
}
