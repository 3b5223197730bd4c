import { Inject, Optional } from '@nestjs/common';
import { show } from '../kernel/check.js';
import type { Method } from '../pipeline/call.js';
import { POLICY_LABELS, type PolicySet } from '../pipeline/policy-set.js';
import { bindingOf, receiveRuntime, RUNTIME_TOKEN, unboundCall } from './binding.js';
import { type ClassRecord, type Face, makeRecord, type MethodRecord } from './method-record.js';

/**
 * Puts one policy on a method. The first decorator of ours replaces the method by a wrapper, the
 * others only add to its record; nothing is validated here, so that the boot can list every mistake.
 */
export function protect<K extends keyof PolicySet>(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
  kind: K,
  options: PolicySet[K],
  returns: Face | undefined,
): void {
  const decorator = POLICY_LABELS[kind];
  if (typeof target === 'function') {
    refuseStatic(
      target as unknown as { name: string; prototype: object },
      key,
      descriptor,
      decorator,
    );
    return;
  }
  const record = makeRecord(target);
  const at = `${target.constructor.name}.${String(key)} ${decorator}`;
  if (typeof descriptor?.value !== 'function') {
    record.mistakes.push({ at, problem: `got ${memberKind(descriptor)}, expected a method` });
    return;
  }
  const method = methodRecord(record, target, key, descriptor, at);
  if (options === undefined) {
    // a limit read from an environment that lacks it must not mean no limit
    record.mistakes.push({ at, problem: 'got undefined, expected what it is to do' });
  }
  if (method.policies[kind] !== undefined)
    record.mistakes.push({ at, problem: 'given twice; expected it once' });
  method.policies[kind] = options;
  if (returns === undefined) return;
  if (method.returns !== undefined && method.returns !== returns) {
    const problem = `got ${show(returns)}, and ${show(method.returns)} before; expected one of them`;
    record.mistakes.push({ at: `${at} returns`, problem });
  }
  method.returns = returns;
}

function methodRecord(
  record: ClassRecord,
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
  at: string,
): MethodRecord {
  const known = record.methods.get(key);
  if (known !== undefined && known.wrapper === descriptor.value) return known;
  if (known !== undefined) {
    const problem =
      "another library's decorator wraps the method between two of ours, so two pipelines would run; put ours next to each other";
    record.mistakes.push({ at, problem });
    return known;
  }
  const original = descriptor.value as Method;
  const made: MethodRecord = {
    key,
    declaredIn: target,
    original,
    wrapper: original,
    policies: {},
    returns: undefined,
  };
  made.wrapper = wrap(made);
  record.methods.set(key, made);
  descriptor.value = made.wrapper;
  injectRuntime(target);
  return made;
}

function wrap(record: MethodRecord): Method {
  const { original } = record;
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    const run = bindingOf(this)?.runOf(record);
    if (run !== undefined) return run(original, this, args);
    unboundCall(record, this);
    return original.apply(this, args as never[]);
  };
  copyAppearance(original, wrapper);
  return wrapper as Method;
}

const OWN_TO_EACH_FUNCTION = new Set<string | symbol>(['prototype', 'arguments', 'caller']);

/**
 * Nest keeps guards, roles, routes and schedules on the function object. A wrapper without them
 * would let everybody in.
 */
function copyAppearance(from: Method, to: Method): void {
  const descriptors = Object.getOwnPropertyDescriptors(from) as Record<
    string | symbol,
    PropertyDescriptor
  >;
  for (const key of Reflect.ownKeys(descriptors)) {
    if (!OWN_TO_EACH_FUNCTION.has(key)) Object.defineProperty(to, key, descriptors[key as string]!);
  }
  for (const key of Reflect.getMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, from), to);
  }
}

/** Once per class chain: a subclass inherits both the accessor and the request for it. */
function injectRuntime(target: object): void {
  if (RUNTIME_TOKEN in target) return;
  receiveRuntime(target);
  Inject(RUNTIME_TOKEN)(target, RUNTIME_TOKEN);
  Optional()(target, RUNTIME_TOKEN);
}

function refuseStatic(
  type: { name: string; prototype: object },
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
  decorator: string,
): void {
  const at = `static ${type.name}.${String(key)} ${decorator}`;
  const problem = 'static members have no application to belong to; expected a method of instances';
  makeRecord(type.prototype).mistakes.push({ at, problem });
  if (typeof descriptor?.value !== 'function') return;
  // a class that no module provides is never checked at boot: its unprotected method must not run unnoticed
  descriptor.value = () => {
    throw new TypeError(`${at}: ${problem}`);
  };
}

function memberKind(descriptor: PropertyDescriptor | undefined): string {
  if (descriptor === undefined) return 'a property';
  return descriptor.get !== undefined || descriptor.set !== undefined
    ? 'an accessor'
    : 'a property';
}
