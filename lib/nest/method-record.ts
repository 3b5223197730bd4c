import type { Mistake } from '../kernel/check.js';
import type { Method } from '../pipeline/call.js';
import type { MethodPolicySet, PolicySet } from '../pipeline/policy-set.js';

/** Which face a method has: fixed when it is decorated, never guessed from a result. */
export type Face = 'promise' | 'observable';

/** One decorated method, as its decorators left it. */
export interface MethodRecord {
  readonly key: string | symbol;
  /** The class whose body has the method. */
  readonly declaredIn: object;
  readonly original: Method;
  wrapper: Method;
  readonly policies: MethodPolicySet;
  /** What `@Resilient` gave: names of presets, or sets of policies; the decorators of single policies win. */
  readonly presets: (string | PolicySet)[];
  returns: Face | undefined;
}

/** What the decorators found in one class body. */
export interface ClassRecord {
  readonly methods: Map<string | symbol, MethodRecord>;
  readonly mistakes: Mistake[];
}

// a registered symbol, so that two copies of the package see each other's decorators
const RECORD = Symbol.for('bulwark:class-record');

/** The record of this very prototype, not of its parents; undefined if nothing is decorated. */
export function ownRecord(prototype: object): ClassRecord | undefined {
  return Object.getOwnPropertyDescriptor(prototype, RECORD)?.value as ClassRecord | undefined;
}

/** The record of this very prototype, made if need be. */
export function makeRecord(prototype: object): ClassRecord {
  const known = ownRecord(prototype);
  if (known !== undefined) return known;
  const value: ClassRecord = { methods: new Map(), mistakes: [] };
  Object.defineProperty(prototype, RECORD, { value });
  return value;
}

/** The prototypes of a class and its parents, its own first; not that of every object. */
export function* prototypesOf(type: { readonly prototype?: unknown }): Iterable<object> {
  let prototype = type.prototype as object | null | undefined;
  while (typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype) {
    yield prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
}

/** The records along a prototype chain, the class's own first. */
export function recordsOf(type: { readonly prototype?: unknown }): ClassRecord[] {
  return [...prototypesOf(type)].map(ownRecord).filter((record) => record !== undefined);
}

/** The prototype of a class or of a parent that has the member; not what every object has. */
export function homeOf(
  type: { readonly prototype?: unknown },
  key: string | symbol,
): object | undefined {
  for (const prototype of prototypesOf(type)) if (Object.hasOwn(prototype, key)) return prototype;
  return undefined;
}

/** The method that instances of a class have under that key. No getter is run. */
export function methodOf(
  type: { readonly prototype?: unknown },
  key: string | symbol,
): Method | undefined {
  const home = key === 'constructor' ? undefined : homeOf(type, key);
  const value: unknown = home && Object.getOwnPropertyDescriptor(home, key)!.value;
  return typeof value === 'function' ? (value as Method) : undefined;
}

/** The name that a class has a method under; another library's wrapper may be called otherwise. */
export function nameIn(
  type: { readonly prototype?: unknown },
  method: { readonly name: string },
): string {
  let prototype = type.prototype as object | null | undefined;
  while (typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
      if (value === method && key !== 'constructor') return key;
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return method.name;
}

/** What makes a method a handler: a route, a message pattern, a message of a gateway. */
const HANDLER_KEYS = ['path', 'microservices:pattern', 'message'];

/** Whether a method serves requests or messages. */
export function isHandler(method: object): boolean {
  return HANDLER_KEYS.some((key) => Reflect.hasMetadata(key, method));
}

const kindOf = (method: object): string => Object.prototype.toString.call(method).slice(8, -1);

/** The face of a decorated method; undefined if nothing says so and the option `returns` must. */
export function faceOf(record: MethodRecord): Face | undefined {
  return record.returns ?? methodFace(record.original, record.declaredIn, record.key);
}

/** What a method returns, as far as the method itself and its declared type tell. */
export function methodFace(
  method: { readonly name: string },
  prototype: object,
  key: string | symbol = method.name,
): Face | undefined {
  if (kindOf(method) === 'AsyncFunction') return 'promise';
  const type: unknown = Reflect.getMetadata('design:returntype', prototype, key);
  if (type === Promise) return 'promise';
  return typeof type === 'function' && type.name === 'Observable' ? 'observable' : undefined;
}

/** Whether the method is a generator of either kind: it answers many times and cannot be attempted again. */
export function isGenerator(record: MethodRecord): boolean {
  return kindOf(record.original).endsWith('GeneratorFunction');
}

/** `Class.method`, for messages. */
export function labelOf(record: MethodRecord): string {
  return `${record.declaredIn.constructor.name}.${String(record.key)}`;
}
