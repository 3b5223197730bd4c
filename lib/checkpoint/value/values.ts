import { show } from '../../kernel/check.js';
import { CLASS_MARK } from './class-mark.js';
import type { ClassRegistry } from './class-registry.js';
import { copyBytes } from './copy-bytes.js';
import { kindOf } from './kind.js';
import { UnsupportedValueError } from './unsupported-value.error.js';
import { type Path, refuse, ValueCheck } from './value-check.js';

/**
 * What a value is kept as: itself, frozen to its depth; or, where parts of it cannot be frozen
 * (dates, maps, sets, bytes, instances), a private copy in plain data.
 */
export type Stored = unknown;

class Packed {
  constructor(readonly data: unknown) {}
}

/** What has become of each object so far: one that is referred to twice stays one. */
type Done = Map<object, unknown>;

/** Takes values in, so that nobody can change them in place, and gives them out again. */
export class Values {
  constructor(private readonly classes: ClassRegistry) {}

  /**
   * Takes a value in. Objects and arrays are frozen; what cannot be frozen is copied.
   *
   * @throws UnsupportedValueError for what would not come back from the disk as it went; then nothing is frozen
   */
  take(value: unknown, path: Path): Stored {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'function' || typeof value === 'symbol')
        refuse(typeof path === 'string' ? path : path(), value);
      return value;
    }
    const { packs, objects } = this.checked(value, path);
    if (packs) return new Packed(this.pack(value, new Map()));
    for (const object of objects) Object.freeze(object);
    return value;
  }

  /** Takes in a copy: the value itself stays as it is. @throws UnsupportedValueError as `take` */
  takeCopy(value: unknown, path: Path): Stored {
    if (typeof value !== 'object' || value === null) return this.take(value, path);
    this.checked(value, path);
    return new Packed(this.pack(value, new Map()));
  }

  /** Gives a value out: the frozen one itself, or a fresh copy. */
  give(stored: Stored): unknown {
    return stored instanceof Packed ? this.unpack(stored.data, Object.freeze, new Map()) : stored;
  }

  /** Gives plain data out as a copy that the taker may change. */
  fresh(data: unknown): unknown {
    return this.unpack(data, (object) => object, new Map());
  }

  /** The plain data of a stored value, for a codec; not to be changed. */
  data(stored: Stored): unknown {
    return stored instanceof Packed ? stored.data : stored;
  }

  /** Takes in plain data that a codec made of what `data` answered. */
  fromData(data: unknown): Stored {
    if (typeof data !== 'object' || data === null) return data;
    if (!isPure(data, new Set())) return new Packed(data);
    return frozen(rebuilt(data, new Map()), new Set());
  }

  private checked(value: object, path: Path): ValueCheck {
    const check = new ValueCheck(this.classes, path);
    check.check(value);
    return check;
  }

  private pack(value: unknown, done: Done): unknown {
    return once(value, done, (object) => {
      const part = (inner: unknown): unknown => this.pack(inner, done);
      switch (kindOf(object)) {
        case 'array':
          return (object as unknown[]).map(part);
        case 'plain': {
          const copy = mapFields(object, part);
          return Object.hasOwn(object, CLASS_MARK) ? { [CLASS_MARK]: '', data: copy } : copy;
        }
        case 'instance': {
          const { name, codec } = this.classes.of(Object.getPrototypeOf(object) as object)!;
          return { [CLASS_MARK]: name, data: part(codec.encode(object)) };
        }
        default:
          return copyBuiltIn(object, part);
      }
    });
  }

  private unpack(data: unknown, seal: Seal, done: Done): unknown {
    return once(data, done, (object) => {
      const part = (inner: unknown): unknown => this.unpack(inner, seal, done);
      switch (kindOf(object)) {
        case 'array':
          return seal((object as unknown[]).map(part));
        case 'plain':
          if (!Object.hasOwn(object, CLASS_MARK)) return seal(mapFields(object, part));
          return this.revive(object as { [CLASS_MARK]: unknown; data: unknown }, seal, part);
        default:
          return copyBuiltIn(object, part);
      }
    });
  }

  private revive(
    marked: { [CLASS_MARK]: unknown; data: unknown },
    seal: Seal,
    part: (inner: unknown) => unknown,
  ): unknown {
    const name = marked[CLASS_MARK];
    // the mark was the value's own
    if (name === '') return seal(mapFields(marked.data as object, part));
    const codec = typeof name === 'string' ? this.classes.named(name) : undefined;
    if (codec === undefined)
      throw new UnsupportedValueError(
        `class ${show(name)}`,
        'was kept, and is not in `checkpoint.classes` any more',
      );
    return codec.decode(part(marked.data));
  }
}

/** What becomes of each object and array that is given out. */
type Seal = (object: object) => object;

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

/** Whether plain data has no part that cannot be frozen. */
function isPure(data: unknown, seen: Set<object>): boolean {
  if (typeof data !== 'object' || data === null || seen.has(data)) return true;
  seen.add(data);
  const pure = (part: unknown): boolean => isPure(part, seen);
  const kind = kindOf(data);
  if (kind === 'array') return (data as unknown[]).every(pure);
  return kind === 'plain' && !Object.hasOwn(data, CLASS_MARK) && Object.values(data).every(pure);
}

/** The same in this realm: a codec may work in another one, as under jest. */
function rebuilt(data: unknown, done: Done): unknown {
  return once(data, done, (object) => {
    const prototype = Object.getPrototypeOf(object) as object;
    if (prototype === Object.prototype || prototype === Array.prototype) return object;
    const part = (inner: unknown): unknown => rebuilt(inner, done);
    return Array.isArray(object) ? object.map(part) : mapFields(object, part);
  });
}

function frozen(value: unknown, seen: Set<object>): unknown {
  if (typeof value !== 'object' || value === null || seen.has(value)) return value;
  seen.add(value);
  for (const part of Object.values(value)) frozen(part, seen);
  return Object.freeze(value);
}

/** What becomes of an object; the same if it came before. */
function once(value: unknown, done: Done, make: (object: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (done.has(value)) return done.get(value);
  const made = make(value);
  done.set(value, made);
  return made;
}
