import { isSafeName } from '../../../checkpoint/safe-name.js';
import {
  checkOptions,
  isOptionsObject,
  type OptionRule,
  type OptionRules,
} from '../../../kernel/check.js';
import { Refusal } from '../access/refusal.js';
import { hasNoBody, type HostRequest, rawRequest } from '../access/requests.js';

/** What of a body of `B` must be there. */
export interface Fields<B> {
  readonly rules: OptionRules<B>;
  readonly required?: readonly (keyof B & string)[];
}

export const NO_FIELDS: Fields<object> = { rules: {} };

/** The name of a backup, or the number of a generation. */
export const backupName: OptionRule = (v) =>
  isSafeName(v) ? undefined : 'a name of 1 to 100 of A-Z a-z 0-9 . _ -';

/** A short text, of which nothing else is asked. */
export const shortText =
  (max: number): OptionRule =>
  (v) =>
    typeof v === 'string' && v.trim() !== '' && v.length <= max
      ? undefined
      : `a text of 1 to ${max} characters`;

/** The fields of a body, of which nothing was believed; a body that is missing has none. @throws Refusal */
export function fieldsOf<B>(request: unknown, { rules, required = [] }: Fields<B>): B {
  refuseQuery(request);
  const { body } = request as HostRequest;
  const given = hasNoBody(rawRequest(request)) ? (body ?? {}) : body;
  if (!isOptionsObject(given)) throw bad('The body: expected a JSON object.');
  const [mistake] = checkOptions('', { ...given }, rules);
  if (mistake !== undefined) throw bad(`${mistake.at.trim()}: ${mistake.problem}.`);
  for (const name of required) {
    if (!Object.hasOwn(given, name))
      throw bad(`${name}: got nothing, expected ${rules[name](undefined)}.`);
  }
  return given as B;
}

/** How many entries are wanted. @throws Refusal */
export function limitOf(request: unknown, fallback = 50): number {
  const query = queryOf(request);
  for (const name of query.keys()) if (name !== 'limit') throw bad('The query: known is limit.');
  const given = query.getAll('limit');
  if (given.length === 0) return fallback;
  const limit = /^[1-9]\d{0,2}$/.test(given[0]!) ? Number(given[0]) : Number.NaN;
  if (given.length === 1 && limit <= 500) return limit;
  throw bad('limit: expected a whole number from 1 to 500, once.');
}

/** @throws Refusal */
export function refuseQuery(request: unknown): void {
  if (queryOf(request).size > 0) throw bad('The query: expected none.');
}

/** The parameter of the path. It is looked up in a Map, and nothing else is done with it. */
export function nameIn(request: unknown): string {
  const { name } = (request as { params: { name: unknown } }).params;
  return typeof name === 'string' ? name : '';
}

function queryOf(request: unknown): URLSearchParams {
  const { url = '' } = rawRequest(request);
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

function bad(message: string): Refusal {
  return new Refusal(400, 'BAD_REQUEST', message);
}
