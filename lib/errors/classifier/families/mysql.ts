import { but, type ErrorClassification, type Kind, row } from '../error-classification.js';
import {
  COMMUNICATION,
  CONFLICT,
  CREDENTIALS,
  DEPENDENCY,
  EXHAUSTED,
  FORBIDDEN,
  FULL,
  MISCONFIGURED,
  RESOURCE,
  TIMEOUT,
  VALIDATION,
  BAD_QUERY,
} from '../kinds.js';
import type { Reading } from '../reading.js';
import { rowOfState } from './sqlstate.js';

/** The server's, by name and number. https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html */
const SERVER: readonly (readonly [string, number, Kind])[] = [
  ['ER_DISK_FULL', 1021, FULL],
  ['ER_DUP_KEY', 1022, VALIDATION],
  ['ER_OUTOFMEMORY', 1037, but(EXHAUSTED, { severity: 'critical' })],
  ['ER_CON_COUNT_ERROR', 1040, EXHAUSTED],
  ['ER_DBACCESS_DENIED_ERROR', 1044, CREDENTIALS],
  ['ER_ACCESS_DENIED_ERROR', 1045, CREDENTIALS],
  ['ER_BAD_NULL_ERROR', 1048, VALIDATION],
  ['ER_BAD_DB_ERROR', 1049, MISCONFIGURED],
  ['ER_SERVER_SHUTDOWN', 1053, DEPENDENCY],
  ['ER_BAD_FIELD_ERROR', 1054, BAD_QUERY],
  ['ER_DUP_ENTRY', 1062, VALIDATION],
  ['ER_PARSE_ERROR', 1064, BAD_QUERY],
  ['ER_RECORD_FILE_FULL', 1114, FULL],
  ['ER_HOST_IS_BLOCKED', 1129, CREDENTIALS],
  ['ER_HOST_NOT_PRIVILEGED', 1130, CREDENTIALS],
  ['ER_TABLEACCESS_DENIED_ERROR', 1142, FORBIDDEN],
  ['ER_COLUMNACCESS_DENIED_ERROR', 1143, FORBIDDEN],
  ['ER_NO_SUCH_TABLE', 1146, BAD_QUERY],
  ['ER_NET_PACKET_TOO_LARGE', 1153, VALIDATION],
  ['ER_TOO_MANY_USER_CONNECTIONS', 1203, EXHAUSTED],
  ['ER_LOCK_WAIT_TIMEOUT', 1205, CONFLICT],
  ['ER_LOCK_DEADLOCK', 1213, CONFLICT],
  ['ER_SPECIFIC_ACCESS_DENIED_ERROR', 1227, FORBIDDEN],
  ['ER_OPTION_PREVENTS_STATEMENT', 1290, DEPENDENCY], // --read-only: a fail-over
  ['ER_QUERY_INTERRUPTED', 1317, TIMEOUT],
  ['ER_DATA_TOO_LONG', 1406, VALIDATION],
  ['ER_ROW_IS_REFERENCED_2', 1451, VALIDATION],
  ['ER_NO_REFERENCED_ROW_2', 1452, VALIDATION],
  ['ER_READ_ONLY_MODE', 1836, DEPENDENCY],
  ['ER_QUERY_TIMEOUT', 3024, TIMEOUT],
  ['ER_LOCK_NOWAIT', 3572, CONFLICT],
];

/** What mysql2 and the MariaDB connector say themselves. */
const CLIENT: readonly (readonly [string, Kind])[] = [
  ['PROTOCOL_CONNECTION_LOST', COMMUNICATION],
  ['PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR', COMMUNICATION],
  ['PROTOCOL_PACKETS_OUT_OF_ORDER', COMMUNICATION],
  ['PROTOCOL_SEQUENCE_TIMEOUT', TIMEOUT],
  ['POOL_CLOSED', COMMUNICATION],
  ['ER_GET_CONNECTION_TIMEOUT', RESOURCE],
  ['ER_SOCKET_UNEXPECTED_CLOSE', COMMUNICATION],
  ['ER_CONNECTION_TIMEOUT', TIMEOUT],
  ['ER_SOCKET_TIMEOUT', TIMEOUT],
];

export const MYSQL_CODES: ReadonlyMap<string, ErrorClassification> = new Map(
  [...SERVER.map(([name, , kind]) => [name, kind] as const), ...CLIENT].map(([name, kind]) => [
    name,
    row(`mysql ${name}`, kind),
  ]),
);

const BY_NUMBER: ReadonlyMap<unknown, ErrorClassification> = new Map(
  SERVER.map(([name, number]) => [number, MYSQL_CODES.get(name)!]),
);

/** What has no name that we know goes by its number, or by the state that comes with it. */
export function byMySql(at: Reading): ErrorClassification | undefined {
  const state = at.get('sqlState');
  if (typeof state !== 'string') return undefined;
  return BY_NUMBER.get(at.get('errno')) ?? rowOfState(state);
}
