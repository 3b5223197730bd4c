import type { Mistake } from '../../kernel/check.js';
import { show } from '../../kernel/check.js';

/** How instances of a class are kept. */
export interface ClassCodec<T extends object = object> {
  readonly type: abstract new (...args: never[]) => T;
  /** Plain data that stands for the instance: anything that may be kept, other registered classes included. */
  encode(instance: T): unknown;
  /** An instance that is the same as the one the data was made of. */
  decode(data: unknown): T;
}

/** The codec of any class: its parameter is that class, so that of all of them is `never`. */
interface AnyClassCodec {
  readonly type: abstract new (...args: never[]) => object;
  encode(instance: never): unknown;
  decode(data: unknown): object;
}

/** The classes whose instances may be kept, by the name that stands for them on disk. */
export type ClassCodecs = { readonly [name: string]: AnyClassCodec };

/** Finds the codec of an instance, and that of a name. */
export class ClassRegistry {
  private readonly byPrototype = new Map<object, { name: string; codec: ClassCodec }>();

  constructor(private readonly codecs: ClassCodecs = {}) {
    for (const [name, codec] of Object.entries(codecs) as [string, ClassCodec][])
      this.byPrototype.set(codec.type.prototype as object, { name, codec });
  }

  of(prototype: object): { readonly name: string; readonly codec: ClassCodec } | undefined {
    return this.byPrototype.get(prototype);
  }

  named(name: string): ClassCodec | undefined {
    return Object.hasOwn(this.codecs, name) ? (this.codecs[name] as ClassCodec) : undefined;
  }
}

/** Every mistake in a registry of classes. */
export function checkClasses(at: string, codecs: unknown): Mistake[] {
  if (codecs === undefined) return [];
  const expected = '{ type, encode, decode }';
  if (typeof codecs !== 'object' || codecs === null)
    return [{ at, problem: `got ${show(codecs)}, expected ${expected} by name` }];
  return Object.entries(codecs).flatMap(([name, codec]: [string, unknown]) => {
    const { type, encode, decode } = Object(codec) as Partial<ClassCodec>;
    const good = [type, encode, decode].every((part) => typeof part === 'function');
    return good
      ? []
      : [{ at: `${at} ${show(name)}`, problem: `got ${show(codec)}, expected ${expected}` }];
  });
}
