import { show } from '../../kernel/check.js';
import { kindOf } from './kind.js';

/** The path of the first difference between two pieces of plain data; undefined if they are the same. */
export function difference(one: unknown, other: unknown, path: string): string | undefined {
  if (Object.is(one, other)) return undefined;
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
      );
    case 'set':
      return differenceOfLists([...(one as Set<unknown>)], [...(other as Set<unknown>)], path);
    case 'array':
      return differenceOfLists(one as unknown[], other as unknown[], path);
    case 'bytes':
      return bytesOf(one as ArrayBuffer).equals(bytesOf(other as ArrayBuffer)) ? undefined : path;
    default:
      return differenceOfFields(one as object, other as object, path);
  }
}

function differenceOfLists(one: unknown[], other: unknown[], path: string): string | undefined {
  for (let i = 0; i < Math.max(one.length, other.length); i += 1) {
    if (i >= one.length || i >= other.length) return `${path}[${i}]`;
    const found = difference(one[i], other[i], `${path}[${i}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function differenceOfFields(one: object, other: object, path: string): string | undefined {
  const keys = Object.keys(one);
  const others = Object.keys(other);
  for (const [i, key] of keys.entries()) {
    if (others[i] !== key) return `${path}.${key}`;
    const found = difference(
      (one as Record<string, unknown>)[key],
      (other as Record<string, unknown>)[key],
      `${path}.${key}`,
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
