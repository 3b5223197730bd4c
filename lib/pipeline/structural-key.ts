import { createHash } from 'node:crypto';
import { types } from 'node:util';

/** Deeper data is refused: it would end as a stack overflow. */
const MAX_DEPTH = 100;

/**
 * A key for data: equal for equal data, whatever the order of an object's properties, and different
 * for different data (SHA-256). 43 characters, for `@Fallback({ cache: { key } })` and the like:
 *
 * `key: (...args: [user: User, page: number]) => structuralKey([args[0].id, args[1]])`
 *
 * Takes what can be told apart in full: strings, numbers, bigints, booleans, null, undefined,
 * dates, arrays and plain objects of these.
 *
 * @throws TypeError, with the place, for all else (instances of classes may hide what makes them
 * different), and for data that is cyclic or nested deeper than 100
 */
export function structuralKey(data: unknown): string {
  return createHash('sha256').update(textOf(data, [])).digest('base64url');
}

/** Unambiguous: strings are quoted, so nothing in them can look like structure; JSON escapes lone surrogates. */
function textOf(value: unknown, path: readonly Step[]): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : textOfObject(value, path);
    default:
      throw refusal(path, `is a ${typeof value}`);
  }
}

/** An object on the way to a value, and under which key the way goes on. */
interface Step {
  readonly object: object;
  readonly key: string;
}

function textOfObject(object: object, path: readonly Step[]): string {
  if (path.some((step) => step.object === object)) throw refusal(path, 'contains itself');
  if (path.length >= MAX_DEPTH) throw refusal(path, `is nested deeper than ${MAX_DEPTH}`);
  const child = (key: string): string =>
    textOf((object as Record<string, unknown>)[key], [...path, { object, key }]);
  const keys = Reflect.ownKeys(object);
  if (Array.isArray(object) && Array.isArray(Object.getPrototypeOf(object))) {
    if (keys.length !== object.length + 1)
      throw refusal(path, 'is an array with holes or with properties of its own');
    return `[${object.map((_, i) => child(String(i))).join()}]`;
  }
  if (types.isDate(object) && keys.length === 0 && isOwnClass(object, 'getTime'))
    return `@${Date.prototype.getTime.call(object)}`;
  if (!isPlain(object)) throw refusal(path, `is an instance of ${classOf(object)}`);
  if (!keys.every((key) => typeof key === 'string')) throw refusal(path, 'has a symbol as a key');
  return `{${keys
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${child(key)}`)
    .join()}}`;
}

function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as object | null;
  if (prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && isOwnClass(object, 'hasOwnProperty');
}

/**
 * Whether the object is of the very class that brings this method, not of a subclass. Asked so, and
 * not by identity, because plain data may come from another realm, as it does under Jest.
 */
function isOwnClass(object: object, method: string): boolean {
  return Object.hasOwn(Object.getPrototypeOf(object) as object, method);
}

function classOf(object: object): string {
  const { constructor } = object as { constructor?: { name?: unknown } };
  return typeof constructor?.name === 'string' ? constructor.name : 'a class';
}

function refusal(path: readonly Step[], what: string): TypeError {
  const place = path.map(({ key }) => `[${JSON.stringify(key)}]`).join('');
  return new TypeError(
    `structuralKey: the data${place} ${what}; expected plain data that can be told apart in full`,
  );
}
