import { isDeepStrictEqual } from 'node:util';
import { show } from '../../kernel/check.js';
import type { ClassRegistry } from './class-registry.js';
import { CLASS_MARK } from './class-mark.js';
import { copyBytes } from './copy-bytes.js';
import { type Kind, kindOf } from './kind.js';
import { UnsupportedValueError } from './unsupported-value.error.js';

/** How deep values may be nested. */
const MAX_DEPTH = 100;
/** From so many parts on it is worth knowing which were there before. */
const MANY = 32;

/** Where a value is: told only when something is wrong with it. */
export type Path = string | (() => string);

/** The way from an object to a part of it. */
type Way = 'field' | 'index' | 'key' | 'entry' | 'member' | 'class';

/** One look at a value with all its parts, each once, however often they are referred to. */
export class ValueCheck {
  /** Whether a part of it cannot be frozen. */
  packs = false;
  /** All objects and arrays in it. */
  readonly objects: object[] = [];
  private seen: Set<object> | undefined;
  private readonly above: object[] = [];
  private readonly ways: Way[] = [];
  private readonly steps: unknown[] = [];

  constructor(
    private readonly classes: ClassRegistry,
    private readonly path: Path,
  ) {}

  /** @throws UnsupportedValueError for what would not come back from the disk as it went */
  check(value: unknown): void {
    const kind = kindOf(value);
    if (kind === 'primitive') return;
    if (kind === 'refused') refuse(this.where, value);
    const object = value as object;
    const { above } = this;
    if (above.includes(object)) this.fail('refers back to itself');
    if (above.length >= MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH}`);
    if (this.isKnown(object)) return;
    above.push(object);
    if (kind === 'array') this.array(object as unknown[]);
    else if (kind === 'plain') this.plain(object);
    else {
      this.packs = true;
      if (kind === 'instance') this.instance(object);
      else this.builtIn(object, kind);
    }
    above.pop();
  }

  private isKnown(object: object): boolean {
    const { objects } = this;
    if (this.seen === undefined && objects.length >= MANY) this.seen = new Set(objects);
    if (this.seen?.has(object) === true) return true;
    this.seen?.add(object);
    objects.push(object);
    return false;
  }

  private part(way: Way, step: unknown, value: unknown): void {
    this.ways.push(way);
    this.steps.push(step);
    this.check(value);
    this.ways.pop();
    this.steps.pop();
  }

  private array(array: unknown[]): void {
    if (Reflect.ownKeys(array).length !== array.length + 1)
      this.fail('an array with holes or with fields of its own; expected a plain array');
    for (let i = 0; i < array.length; i += 1) this.part('index', i, array[i]);
  }

  private plain(object: object): void {
    if (Object.hasOwn(object, CLASS_MARK)) this.packs = true;
    for (const key of Reflect.ownKeys(object)) {
      const property = Object.getOwnPropertyDescriptor(object, key)!;
      if (typeof key === 'symbol') this.fail('a symbol names the field', key);
      if (!('value' in property)) this.fail('an accessor; expected a plain field', key);
      if (property.enumerable !== true) this.fail('is not enumerable; expected a plain field', key);
      this.part('field', key, property.value);
    }
  }

  private instance(object: object): void {
    const known = this.classes.of(Object.getPrototypeOf(object) as object);
    if (known === undefined) refuse(this.where, object);
    this.part('class', known.name, known.codec.encode(object));
  }

  private builtIn(object: object, kind: Kind): void {
    if (kind === 'map')
      for (const [key, part] of object as Map<unknown, unknown>) {
        this.part('key', key, key);
        this.part('entry', key, part);
      }
    else if (kind === 'set')
      for (const part of object as Set<unknown>) this.part('member', undefined, part);
    const extra = extraField(object);
    if (extra !== undefined) this.fail('a field on a built-in is not kept', extra);
  }

  private fail(problem: string, field?: string | symbol): never {
    const { where } = this;
    const at = field === undefined ? where : where + shown('field', field);
    throw new UnsupportedValueError(at, problem);
  }

  private get where(): string {
    const { path, ways, steps } = this;
    const root = typeof path === 'string' ? path : path();
    return root + ways.map((way, i) => shown(way, steps[i])).join('');
  }
}

function shown(way: Way, step: unknown): string {
  switch (way) {
    case 'field':
      return typeof step === 'symbol' ? `[${String(step)}]` : `.${String(step)}`;
    case 'index':
      return `[${String(step)}]`;
    case 'entry':
      return `[${show(step)}]`;
    case 'key':
      return ` key ${show(step)}`;
    case 'member':
      return ' member';
    default:
      return ` as ${String(step)}`;
  }
}

/** The first field that somebody put on a date, a map, a set or on bytes. */
function extraField(object: object): string | symbol | undefined {
  const isArray = ArrayBuffer.isView(object) && 'length' in object;
  if (!isArray) return Reflect.ownKeys(object)[0];
  // the names of all its bytes would be a list far larger than they are
  if (isDeepStrictEqual(object, copyBytes(object))) return undefined;
  const last = Reflect.ownKeys(object).at(-1);
  return typeof last === 'string' && /^\d+$/.test(last) ? undefined : last;
}

/** @throws UnsupportedValueError */
export function refuse(path: string, value: unknown): never {
  const isObject = typeof value === 'object' && value !== null;
  const name = isObject ? (value.constructor as { name?: unknown } | undefined)?.name : undefined;
  const got = isObject
    ? `an instance of ${typeof name === 'string' && name !== '' ? name : 'no class'}`
    : show(value);
  const help = isObject ? 'plain data, or a class of `checkpoint.classes`' : 'data';
  throw new UnsupportedValueError(path, `got ${got}, expected ${help}`);
}
