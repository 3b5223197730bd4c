import { Inject, Optional } from '@nestjs/common';
import { checkObject, type Mistake, show } from '../kernel/check.js';
import type { Method } from '../pipeline/call.js';
import { type MethodPolicySet, POLICY_LABELS, type PolicySet } from '../pipeline/policy-set.js';
import { adopt, bindingOf, receiveRuntime, RUNTIME_TOKEN, unboundCall } from './binding.js';
import { type ClassRecord, type Face, makeRecord, type MethodRecord } from './method-record.js';

/** Puts one policy on a method. */
export function protect<K extends keyof MethodPolicySet>(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
  kind: K,
  options: MethodPolicySet[K],
  returns: Face | undefined,
): void {
  decorate(target, key, descriptor, POLICY_LABELS[kind], returns, ({ policies }, at, mistakes) => {
    if (options === undefined) {
      // a limit read from an environment that lacks it must not mean no limit
      mistakes.push({ at, problem: 'got undefined, expected what it is to do' });
    }
    if (policies[kind] !== undefined)
      mistakes.push({ at, problem: 'given twice; expected it once' });
    policies[kind] = options;
  });
}

/** Puts a preset, or a set of policies, on a method: what single policies say wins over it. */
export function protectBy(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
  preset: string | PolicySet,
  returns: Face | undefined,
): void {
  decorate(target, key, descriptor, '@Resilient', returns, ({ presets }, at, mistakes) => {
    const expected = 'the name of a preset or a set of policies';
    if (typeof preset === 'string' ? preset !== '' : checkObject(at, preset).length === 0)
      presets.unshift(preset); // decorators run from the last to the first
    else mistakes.push({ at, problem: `got ${show(preset)}, expected ${expected}` });
  });
}

/**
 * The first decorator of ours replaces the method by a wrapper, the others only add to its record;
 * options are not validated here, so that the boot can list every mistake.
 */
function decorate(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
  decorator: string,
  returns: Face | undefined,
  add: (method: MethodRecord, at: string, mistakes: Mistake[]) => void,
): void {
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
  add(method, at, record.mistakes);
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
    presets: [],
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
    const run = (bindingOf(this) ?? adopt(this))?.runOf(record);
    if (run !== undefined) return run(original, this, args);
    unboundCall(this, record);
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
