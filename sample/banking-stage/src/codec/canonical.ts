/**
 * One value, one sequence of bytes: JSON with sorted keys, no blanks, and nothing in it that two
 * languages could write differently. Hashes and signatures are taken over this.
 */
export type Canonical =
  string | number | boolean | null | readonly Canonical[] | { readonly [key: string]: Canonical };

export class NotCanonicalError extends Error {
  override readonly name = 'NotCanonicalError';

  constructor(path: string, problem: string) {
    super(`${path === '' ? 'value' : path} ${problem}`);
  }
}

export function canonical(value: unknown, path = ''): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value, path);
  if (typeof value === 'number') return canonicalInteger(value, path);
  if (Array.isArray(value)) {
    // Array.from, not map: a hole must be refused like undefined, not skipped.
    return `[${Array.from(value, (item, at) => canonical(item, `${path}[${at}]`)).join(',')}]`;
  }
  if (isPlainObject(value)) return canonicalObject(value, path);
  throw new NotCanonicalError(path, `has no canonical form (${typeof value})`);
}

function canonicalString(value: string, path: string): string {
  // A lone surrogate has no UTF-8 form: encoders replace it, so two strings would hash alike.
  if (/\p{Surrogate}/u.test(value)) {
    throw new NotCanonicalError(path, 'is not well-formed Unicode');
  }
  return JSON.stringify(value);
}

function canonicalInteger(value: number, path: string): string {
  // Fractions and huge numbers print differently from language to language; integers do not.
  if (!Number.isSafeInteger(value)) throw new NotCanonicalError(path, 'is not a safe integer');
  return String(value === 0 ? 0 : value);
}

function canonicalObject(value: Record<string, unknown>, path: string): string {
  const fields = Object.keys(value)
    .toSorted(byCodeUnit)
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key], `${path}.${key}`)}`);
  return `{${fields.join(',')}}`;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
