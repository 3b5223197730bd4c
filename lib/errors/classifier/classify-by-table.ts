import { type ErrorClassification, row, type Table } from './error-classification.js';
import { byAws } from './families/aws.js';
import { byGrpc } from './families/grpc.js';
import {
  AXIOS_CODES,
  axiosTimeout,
  axiosUnreadable,
  UNDICI_CODES,
} from './families/http-clients.js';
import { byStatus } from './families/http-status.js';
import { byKafka } from './families/kafka.js';
import { byMongo } from './families/mongodb.js';
import { byMySql, MYSQL_CODES } from './families/mysql.js';
import { byName } from './families/names.js';
import { DNS_CODES, NODE_CODES } from './families/node-codes.js';
import { byRejection } from './families/own.js';
import { byPrisma } from './families/prisma.js';
import { byRedis } from './families/redis.js';
import { bySqlState } from './families/sqlstate.js';
import { bySqlite } from './families/sqlite.js';
import { TLS_CODES } from './families/tls.js';
import { TRANSIENT } from './kinds.js';
import { read, Reading } from './reading.js';
import { strictest } from './strictest.js';

/** Codes that nobody else uses, so that the code alone decides. */
export const CODE_TABLES: readonly Table[] = [
  NODE_CODES,
  DNS_CODES,
  TLS_CODES,
  UNDICI_CODES,
  AXIOS_CODES,
  MYSQL_CODES,
];
const CODES: Table = new Map(CODE_TABLES.flatMap((codes) => [...codes]));

type Family = (at: Reading) => ErrorClassification | undefined;

/** Those that know their errors by their shape. */
const SHAPES: readonly Family[] = [
  bySqlState,
  byMySql,
  bySqlite,
  byGrpc,
  byMongo,
  byPrisma,
  byRedis,
  byKafka,
  byAws,
  axiosUnreadable,
];

/** What nothing is known of: it blames the dependency and is worth another attempt. */
export const UNKNOWN = row('unknown', TRANSIENT);

/** How deep `cause` is followed: `fetch` hides the code of a broken connection one level down. */
const MAX_CAUSES = 5;
/** How many members of AggregateErrors are looked into, all of them together. */
const MAX_MEMBERS = 10;

/** What may still be looked at. */
interface Budget {
  members: number;
}

/**
 * What an error is by the table. The outermost error of the chain of causes that says something
 * wins, for whoever wraps an error knows what it means there; only a name alone, such as
 * `TypeError`, gives way to what the causes say. Of the members of an AggregateError the strictest
 * wins (see `strictest`). Never throws, whatever it is given, and looks at no more than 55 errors.
 */
export function classifyByTable(error: unknown): ErrorClassification {
  return walk(error, undefined);
}

function walk(error: unknown, budget: Budget | undefined): ErrorClassification {
  let first: Reading | undefined;
  let hasCause = false;
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES; depth += 1) {
    if (typeof current !== 'object' || current === null) break;
    // whoever wraps our error says the same in other words
    const own = byRejection(current);
    if (own !== undefined) return own;
    const at = new Reading(current);
    const found = byFacts(at) ?? byMembers(at, budget);
    if (found !== undefined) return found;
    current = causeOf(at);
    if (first === undefined) {
      first = at;
      hasCause = current !== undefined;
    }
  }
  return (first && byName(first, hasCause)) ?? UNKNOWN;
}

/** What one error says itself, in the order of how sure it is. */
function byFacts(at: Reading): ErrorClassification | undefined {
  const status = byStatus(at);
  // a refusal of access is one whatever the transport says beside it
  if (status?.fallback === false) return status;
  const code = typeof at.code === 'string' ? (axiosTimeout(at) ?? CODES.get(at.code)) : undefined;
  return code ?? status ?? byShape(at);
}

function byShape(at: Reading): ErrorClassification | undefined {
  for (const family of SHAPES) {
    const found = family(at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What those say that an AggregateError is made of; undefined if they say nothing. */
function byMembers(at: Reading, given: Budget | undefined): ErrorClassification | undefined {
  if (!isAggregate(at)) return undefined;
  const errors = at.get('errors');
  const length = read(errors, 'length');
  if (typeof length !== 'number') return undefined;
  const budget = given ?? { members: MAX_MEMBERS };
  const found: ErrorClassification[] = [];
  for (let i = 0; i < length && budget.members > 0; i += 1) {
    budget.members -= 1;
    found.push(walk(read(errors, String(i)), budget));
  }
  return found.every((each) => each === UNKNOWN) ? undefined : strictest(found);
}

function isAggregate({ name, error }: Reading): boolean {
  if (name.endsWith('AggregateError')) return true;
  try {
    return error instanceof AggregateError;
  } catch {
    return false; // a Proxy
  }
}

/** Sequelize has a name of its own for it. */
function causeOf(at: Reading): unknown {
  return at.get('cause') ?? (at.name.startsWith('Sequelize') ? at.get('original') : undefined);
}
