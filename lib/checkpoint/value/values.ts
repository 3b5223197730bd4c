import { show } from '../../kernel/check.js';
import type { ClassRegistry } from './class-registry.js';
import { kindOf } from './kind.js';
import { UnsupportedValueError } from './unsupported-value.error.js';

/** How deep values may be nested. */
const MAX_DEPTH = 100;
/** Marks plain data that stands for an instance. A value that has the mark itself is wrapped under an empty name. */
const CLASS_MARK = '$bulwark:class';

/**
 * What a value is kept as: itself, frozen to its depth; or, where parts of it cannot be frozen
 * (dates, maps, sets, bytes, instances), a private copy in plain data.
 */
export type Stored = unknown;

class Packed {
  constructor(readonly data: unknown) {}
}

/** Takes values in, so that nobody can change them in place, and gives them out again. */
export class Values {
  constructor(private readonly classes: ClassRegistry) {}

  /**
   * Takes a value in. Objects and arrays are frozen; what cannot be frozen is copied.
   *
   * @throws UnsupportedValueError for what would not come back from the disk as it went; then nothing is frozen
   */
  take(value: unknown, path: string): Stored {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'function' || typeof value === 'symbol') refuse(path, value);
      return value;
    }
    return this.check(value, path, []) ? new Packed(this.pack(value)) : freeze(value);
  }

  /** Takes in a copy: the value itself stays as it is. @throws UnsupportedValueError as `take` */
  takeCopy(value: unknown, path: string): Stored {
    if (typeof value !== 'object' || value === null) return this.take(value, path);
    this.check(value, path, []);
    return new Packed(this.pack(value));
  }

  /** Gives a value out: the frozen one itself, or a fresh copy. */
  give(stored: Stored): unknown {
    return stored instanceof Packed ? this.unpack(stored.data, Object.freeze) : stored;
  }

  /** Gives plain data out as a copy that the taker may change. */
  fresh(data: unknown): unknown {
    return this.unpack(data, (object) => object);
  }

  /** The plain data of a stored value, for a codec; not to be changed. */
  data(stored: Stored): unknown {
    return stored instanceof Packed ? stored.data : stored;
  }

  /** Takes in plain data that a codec made of what `data` answered. */
  fromData(data: unknown): Stored {
    if (typeof data !== 'object' || data === null) return data;
    return isPure(data) ? freeze(rebuilt(data)) : new Packed(data);
  }

  /** @returns whether a part of it cannot be frozen */
  private check(value: unknown, path: string, above: object[]): boolean {
    const kind = kindOf(value);
    if (kind === 'primitive') return false;
    if (kind === 'refused') return refuse(path, value);
    const object = value as object;
    if (above.includes(object)) throw new UnsupportedValueError(path, 'refers back to itself');
    if (above.length >= MAX_DEPTH)
      throw new UnsupportedValueError(path, `nested deeper than ${MAX_DEPTH}`);
    const inside = [...above, object];
    switch (kind) {
      case 'array':
        return this.checkArray(object as unknown[], path, inside);
      case 'plain':
        return this.checkPlain(object, path, inside);
      case 'map':
        for (const [key, part] of object as Map<unknown, unknown>) {
          this.check(key, `${path} key ${show(key)}`, inside);
          this.check(part, `${path}[${show(key)}]`, inside);
        }
        return onlyBuiltIn(object, path);
      case 'set':
        for (const part of object as Set<unknown>) this.check(part, `${path} member`, inside);
        return onlyBuiltIn(object, path);
      case 'instance':
        return this.checkInstance(object, path, inside);
      case 'bytes':
        return true;
      default:
        return onlyBuiltIn(object, path);
    }
  }

  private checkArray(array: unknown[], path: string, inside: object[]): boolean {
    let packs = false;
    if (Reflect.ownKeys(array).length !== array.length + 1) {
      const problem = 'an array with holes or with fields of its own; expected a plain array';
      throw new UnsupportedValueError(path, problem);
    }
    for (let i = 0; i < array.length; i += 1)
      packs = this.check(array[i], `${path}[${i}]`, inside) || packs;
    return packs;
  }

  private checkPlain(object: object, path: string, inside: object[]): boolean {
    let packs = Object.hasOwn(object, CLASS_MARK);
    for (const key of Reflect.ownKeys(object)) {
      const property = Object.getOwnPropertyDescriptor(object, key)!;
      const at = typeof key === 'symbol' ? `${path}[${String(key)}]` : `${path}.${key}`;
      if (typeof key === 'symbol') throw new UnsupportedValueError(at, 'a symbol names the field');
      if (!('value' in property))
        throw new UnsupportedValueError(at, 'an accessor; expected a plain field');
      if (property.enumerable !== true)
        throw new UnsupportedValueError(at, 'is not enumerable; expected a plain field');
      packs = this.check(property.value, at, inside) || packs;
    }
    return packs;
  }

  private checkInstance(object: object, path: string, inside: object[]): true {
    const known = this.classes.of(Object.getPrototypeOf(object) as object);
    if (known === undefined) refuse(path, object);
    const data: unknown = known.codec.encode(object);
    this.check(data, `${path} as ${known.name}`, inside);
    return true;
  }

  private pack(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    switch (kindOf(value)) {
      case 'array':
        return (value as unknown[]).map((part) => this.pack(part));
      case 'plain': {
        const copy = mapFields(value, (part) => this.pack(part));
        return Object.hasOwn(value, CLASS_MARK) ? { [CLASS_MARK]: '', data: copy } : copy;
      }
      case 'instance': {
        const { name, codec } = this.classes.of(Object.getPrototypeOf(value) as object)!;
        return { [CLASS_MARK]: name, data: this.pack(codec.encode(value)) };
      }
      default:
        return copyBuiltIn(value, (part) => this.pack(part));
    }
  }

  private unpack(data: unknown, seal: Seal): unknown {
    if (typeof data !== 'object' || data === null) return data;
    const part = (inner: unknown): unknown => this.unpack(inner, seal);
    switch (kindOf(data)) {
      case 'array':
        return seal((data as unknown[]).map(part));
      case 'plain':
        if (!Object.hasOwn(data, CLASS_MARK)) return seal(mapFields(data, part));
        return this.revive(data as { [CLASS_MARK]: unknown; data: unknown }, seal);
      default:
        return copyBuiltIn(data, part);
    }
  }

  private revive(marked: { [CLASS_MARK]: unknown; data: unknown }, seal: Seal): unknown {
    const name = marked[CLASS_MARK];
    // the mark was the value's own
    if (name === '')
      return seal(mapFields(marked.data as object, (part) => this.unpack(part, seal)));
    const codec = typeof name === 'string' ? this.classes.named(name) : undefined;
    if (codec === undefined)
      throw new UnsupportedValueError(
        `class ${show(name)}`,
        'was kept, and is not in `checkpoint.classes` any more',
      );
    return codec.decode(this.unpack(marked.data, seal));
  }
}

/** What becomes of each object and array that is given out. */
type Seal = (object: object) => object;

function refuse(path: string, value: unknown): never {
  const isObject = typeof value === 'object' && value !== null;
  const name = isObject ? (value.constructor as { name?: unknown } | undefined)?.name : undefined;
  const got = isObject
    ? `an instance of ${typeof name === 'string' && name !== '' ? name : 'no class'}`
    : show(value);
  const help = isObject ? 'plain data, or a class of `checkpoint.classes`' : 'data';
  throw new UnsupportedValueError(path, `got ${got}, expected ${help}`);
}

/** Dates, maps and sets are kept without fields that somebody put on them. */
function onlyBuiltIn(object: object, path: string): true {
  const [extra] = Reflect.ownKeys(object);
  if (extra === undefined) return true;
  throw new UnsupportedValueError(`${path}.${String(extra)}`, 'a field on a built-in is not kept');
}

function mapFields(object: object, change: (part: unknown) => unknown): object {
  // fromEntries makes fields of its own even of `__proto__`
  return Object.fromEntries(Object.entries(object).map(([key, part]) => [key, change(part)]));
}

function copyBuiltIn(value: object, change: (part: unknown) => unknown): unknown {
  switch (kindOf(value)) {
    case 'date':
      return new Date((value as Date).getTime());
    case 'map':
      return new Map(
        [...(value as Map<unknown, unknown>)].map(([key, part]) => [change(key), change(part)]),
      );
    case 'set':
      return new Set([...(value as Set<unknown>)].map(change));
    default:
      return copyBytes(value as ArrayBuffer | ArrayBufferView);
  }
}

function copyBytes(value: ArrayBuffer | ArrayBufferView): unknown {
  if (!ArrayBuffer.isView(value)) return value.slice(0);
  if (Object.prototype.toString.call(value) === '[object DataView]')
    return new DataView(
      value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength) as ArrayBuffer,
    );
  // slice of a Buffer would be a view of the same bytes; from() copies, and keeps the class
  const { constructor } = value as unknown as { constructor: { from(of: unknown): unknown } };
  return constructor.from(value);
}

/** Whether plain data has no part that cannot be frozen. */
function isPure(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return true;
  const kind = kindOf(data);
  if (kind === 'array') return (data as unknown[]).every(isPure);
  return kind === 'plain' && !Object.hasOwn(data, CLASS_MARK) && Object.values(data).every(isPure);
}

/** The same in this realm: a codec may work in another one, as under jest. */
function rebuilt(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  const prototype = Object.getPrototypeOf(data) as object;
  if (prototype === Object.prototype || prototype === Array.prototype) return data;
  return Array.isArray(data) ? data.map(rebuilt) : mapFields(data, rebuilt);
}

function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) for (const part of value) freeze(part);
  else for (const key in value) freeze((value as Record<string, unknown>)[key]);
  return Object.freeze(value);
}
