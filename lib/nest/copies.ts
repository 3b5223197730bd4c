import type { ExistingProvider, Type } from '@nestjs/common';

/** By name, of each copy of the package that this process has loaded. Weak: test runners load one per file. */
type Known = Map<string, WeakRef<Type>[]>;

const KNOWN = Symbol.for('bulwark:tokens:1');
const known = ((globalThis as { [KNOWN]?: Known })[KNOWN] ??= new Map() as Known);

/** Tells other copies of the package which classes applications inject from this one. */
export function makeKnown(types: readonly Type[]): void {
  for (const type of types)
    known.set(type.name, [...of(type.name).map((other) => new WeakRef(other)), new WeakRef(type)]);
}

/**
 * The same providers under the classes of other copies: what one copy of the package provides is
 * found by who imports another.
 *
 * Node has one copy, however it is loaded. A test runner or a bundler that cannot `require` a module
 * makes a second from the CommonJS build, and two versions can be installed side by side.
 */
export function forOtherCopies(types: readonly Type[]): ExistingProvider[] {
  return types.flatMap((type) =>
    of(type.name)
      .filter((other) => other !== type)
      .map((provide) => ({ provide, useExisting: type })),
  );
}

function of(name: string): Type[] {
  return (known.get(name) ?? []).map((ref) => ref.deref()).filter((type) => type !== undefined);
}
