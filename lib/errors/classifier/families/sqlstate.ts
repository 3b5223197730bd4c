import { but, type ErrorClassification, type Kind, row, table } from '../error-classification.js';
import {
  COMMUNICATION,
  CONFLICT,
  CREDENTIALS,
  DAMAGED,
  DEPENDENCY,
  EXHAUSTED,
  FORBIDDEN,
  FULL,
  MISCONFIGURED,
  RESOURCE,
  TIMEOUT,
  UNSUPPORTED,
  VALIDATION,
  BAD_QUERY,
} from '../kinds.js';
import type { Reading } from '../reading.js';

/** ISO/IEC 9075 and https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_STATE = table('sqlstate', {
  '08004': CREDENTIALS,
  '08P01': BAD_QUERY,
  '25006': DEPENDENCY, // read-only: it was a primary, or will be one
  '25P03': TIMEOUT,
  '25P04': TIMEOUT,
  '3D000': MISCONFIGURED,
  '40001': CONFLICT,
  '40P01': CONFLICT,
  '42501': FORBIDDEN,
  '53100': FULL,
  '53200': but(EXHAUSTED, { severity: 'critical' }),
  '53300': EXHAUSTED,
  '55006': RESOURCE,
  '55P03': CONFLICT, // the lock was not to be had
  '57014': TIMEOUT, // statement_timeout; or cancelled by hand, which looks the same
  '57P01': DEPENDENCY,
  '57P02': DEPENDENCY,
  '57P03': DEPENDENCY,
  '57P04': MISCONFIGURED,
  '57P05': COMMUNICATION,
  '58030': but(DEPENDENCY, { severity: 'critical' }),
});

/** What the first two characters say where the code itself is not listed. */
const BY_CLASS: ReadonlyMap<string, ErrorClassification> = new Map(
  Object.entries({
    '08': COMMUNICATION,
    '0A': UNSUPPORTED,
    '21': VALIDATION,
    '22': VALIDATION,
    '23': VALIDATION,
    '24': BAD_QUERY,
    '25': BAD_QUERY,
    '26': BAD_QUERY,
    '28': CREDENTIALS,
    '34': BAD_QUERY,
    '3F': MISCONFIGURED,
    '40': CONFLICT,
    '42': BAD_QUERY,
    '44': VALIDATION,
    '53': RESOURCE,
    '54': VALIDATION,
    '55': VALIDATION,
    '57': DEPENDENCY,
    '58': DEPENDENCY,
    F0: MISCONFIGURED,
    P0: VALIDATION, // a function raised it: the database answered
    XX: DAMAGED,
  } satisfies Record<string, Kind>).map(([state, kind]) => [
    state,
    row(`sqlstate class ${state}`, kind),
  ]),
);

/** The row of a state; undefined for what is none, or says nothing. */
export function rowOfState(state: unknown): ErrorClassification | undefined {
  if (typeof state !== 'string' || state.length !== 5) return undefined;
  return BY_STATE.get(state) ?? BY_CLASS.get(state.slice(0, 2));
}

/**
 * `DatabaseError` of pg and `PostgresError` of postgres.js have what the server said beside the
 * code: five characters alone may be anybody's word.
 */
export function bySqlState(at: Reading): ErrorClassification | undefined {
  const { code } = at;
  if (typeof code !== 'string' || code.length !== 5) return undefined;
  const found = rowOfState(code);
  if (found === undefined) return undefined;
  const fromServer =
    typeof at.get('severity') === 'string' || typeof at.get('routine') === 'string';
  return fromServer ? found : undefined;
}
