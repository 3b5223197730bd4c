import { but, type ErrorClassification, type Kind, table } from '../error-classification.js';
import {
  CANCELLED,
  CONFLICT,
  DAMAGED,
  DEPENDENCY,
  EXHAUSTED,
  FORBIDDEN,
  FULL,
  MISCONFIGURED,
  PROGRAMMER,
  UNSUPPORTED,
  VALIDATION,
  BAD_QUERY,
} from '../kinds.js';
import type { Reading } from '../reading.js';

/** In the order of their numbers, from 1. https://www.sqlite.org/rescode.html */
const PRIMARY = {
  SQLITE_ERROR: BAD_QUERY,
  SQLITE_INTERNAL: DEPENDENCY,
  SQLITE_PERM: MISCONFIGURED,
  SQLITE_ABORT: DEPENDENCY,
  SQLITE_BUSY: CONFLICT,
  SQLITE_LOCKED: CONFLICT,
  SQLITE_NOMEM: but(EXHAUSTED, { severity: 'critical' }),
  SQLITE_READONLY: MISCONFIGURED,
  SQLITE_INTERRUPT: CANCELLED,
  SQLITE_IOERR: but(DEPENDENCY, { severity: 'critical' }),
  SQLITE_CORRUPT: DAMAGED,
  SQLITE_NOTFOUND: UNSUPPORTED,
  SQLITE_FULL: FULL,
  SQLITE_CANTOPEN: MISCONFIGURED,
  SQLITE_PROTOCOL: CONFLICT,
  SQLITE_EMPTY: UNSUPPORTED,
  SQLITE_SCHEMA: CONFLICT,
  SQLITE_TOOBIG: VALIDATION,
  SQLITE_CONSTRAINT: VALIDATION,
  SQLITE_MISMATCH: VALIDATION,
  SQLITE_MISUSE: PROGRAMMER,
  SQLITE_NOLFS: UNSUPPORTED,
  SQLITE_AUTH: FORBIDDEN,
  SQLITE_FORMAT: UNSUPPORTED,
  SQLITE_RANGE: VALIDATION,
  SQLITE_NOTADB: DAMAGED,
} satisfies Record<string, Kind>;

const ROWS = table('sqlite', PRIMARY);
const BY_NUMBER: readonly ErrorClassification[] = [...ROWS.values()];

/** better-sqlite3, sqlite3 and libSQL by their code, extended ones by their beginning; `node:sqlite` by its number. */
export function bySqlite(at: Reading): ErrorClassification | undefined {
  const { code } = at;
  if (typeof code !== 'string') return undefined;
  if (code === 'ERR_SQLITE_ERROR') {
    const number = at.get('errcode');
    return typeof number === 'number' ? BY_NUMBER[(number & 0xff) - 1] : undefined;
  }
  if (!code.startsWith('SQLITE_')) return undefined;
  const end = code.indexOf('_', 'SQLITE_'.length);
  return ROWS.get(end < 0 ? code : code.slice(0, end));
}
