import { show } from '../../kernel/check.js';
import { kindOf } from './kind.js';

/** What has been compared with what: parts that are referred to often are looked at once. */
type Compared = Map<object, unknown>;

/** The path of the first difference between two pieces of plain data; undefined if they are the same. */
export function difference(
  one: unknown,
  other: unknown,
  path: string,
  compared: Compared = new Map(),
): string | undefined {
  if (Object.is(one, other)) return undefined;
  if (typeof one === 'object' && one !== null) {
    if (compared.get(one) === other) return undefined;
    compared.set(one, other);
  }
  const kind = kindOf(one);
  if (kind !== kindOf(other) || kind === 'primitive' || kind === 'refused') return path;
  switch (kind) {
    case 'date':
      return Object.is((one as Date).getTime(), (other as Date).getTime()) ? undefined : path;
    case 'map':
      return differenceOfLists(
        [...(one as Map<unknown, unknown>)],
        [...(other as Map<unknown, unknown>)],
        path,
        compared,
      );
    case 'set':
      return differenceOfLists(
        [...(one as Set<unknown>)],
        [...(other as Set<unknown>)],
        path,
        compared,
      );
    case 'array':
      return differenceOfLists(one as unknown[], other as unknown[], path, compared);
    case 'bytes':
      return bytesOf(one as ArrayBuffer).equals(bytesOf(other as ArrayBuffer)) ? undefined : path;
    default:
      return differenceOfFields(one as object, other as object, path, compared);
  }
}

function differenceOfLists(
  one: unknown[],
  other: unknown[],
  path: string,
  compared: Compared,
): string | undefined {
  for (let i = 0; i < Math.max(one.length, other.length); i += 1) {
    if (i >= one.length || i >= other.length) return `${path}[${i}]`;
    const found = difference(one[i], other[i], `${path}[${i}]`, compared);
    if (found !== undefined) return found;
  }
  return undefined;
}

function differenceOfFields(
  one: object,
  other: object,
  path: string,
  compared: Compared,
): string | undefined {
  const keys = Object.keys(one);
  const others = Object.keys(other);
  for (const [i, key] of keys.entries()) {
    if (others[i] !== key) return `${path}.${key}`;
    const found = difference(
      (one as Record<string, unknown>)[key],
      (other as Record<string, unknown>)[key],
      `${path}.${key}`,
      compared,
    );
    if (found !== undefined) return found;
  }
  return others.length > keys.length ? `${path}[${show(others[keys.length])}]` : undefined;
}

function bytesOf(value: ArrayBuffer | ArrayBufferView): Buffer {
  return ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value);
}
