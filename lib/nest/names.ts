import type { ModulesContainer } from '@nestjs/core';
import { type AnyClass, classOf } from './binding.js';
import { homeOf, isHandler, methodOf, type MethodRecord, recordsOf } from './method-record.js';
import { type Wrapper, wrappersOf } from './wrappers.js';

/**
 * Names what has policies: `Class.method`, or `Module/Class.method` where several classes of the
 * application would have the same name. The same at any time, for a call may come before the boot.
 */
export class Names {
  constructor(private readonly modules: ModulesContainer) {}

  ofHandler(type: AnyClass, key: string | symbol): string {
    const bare = `${type.name}.${String(key)}`;
    const homes = this.homesOf(type.name, key);
    const module = homes.get(type);
    return homes.size > 1 && module !== undefined ? `${module}/${bare}` : bare;
  }

  ofMethod(type: AnyClass, record: MethodRecord): string {
    const name = this.ofHandler(type, record.key);
    // reached by `super` only: it has a state of its own beside the method that hides it
    return homeOf(type, record.key) !== record.declaredIn
      ? `${name}:${record.declaredIn.constructor.name}`
      : name;
  }

  /** The classes of that name with policies on such a method, or with room for an interceptor's. */
  private homesOf(className: string, key: string | symbol): Map<AnyClass, string> {
    const homes = new Map<AnyClass, string>();
    for (const module of this.modules.values()) {
      for (const wrapper of wrappersOf(module)) {
        const type = typeOf(wrapper);
        if (type?.name !== className || homes.has(type)) continue;
        if (mayHavePolicies(type, key)) homes.set(type, module.name);
      }
    }
    return homes;
  }
}

/** The metatype of a factory is the factory; only what it made says which class it is. */
function typeOf(wrapper: Wrapper): AnyClass | undefined {
  const { metatype, inject } = wrapper;
  const isClass = typeof metatype === 'function' && (inject === undefined || inject === null);
  return isClass ? (metatype as unknown as AnyClass) : classOf(wrapper.instance);
}

function mayHavePolicies(type: AnyClass, key: string | symbol): boolean {
  if (recordsOf(type).some(({ methods }) => methods.has(key))) return true;
  const method = methodOf(type, key);
  return method !== undefined && isHandler(method);
}
