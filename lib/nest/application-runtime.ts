import type { CheckpointOptions } from '../checkpoint/component/component.options.js';
import type { ModulesContainer } from '@nestjs/core';
import { throwError } from 'rxjs';
import { type Mistake, ResilienceConfigError, show } from '../kernel/check.js';
import type { FallbackPlan } from '../policies/fallback/fallback.options.js';
import { runObservable } from '../pipeline/observable-face.js';
import { checkKinds, type PolicySet } from '../pipeline/policy-set.js';
import { runPromise } from '../pipeline/promise-face.js';
import { ResilienceRuntime, type RuntimeInit } from '../pipeline/runtime.js';
import type { Target } from '../pipeline/target.js';
import type { AnyClass, ProtectedRun, RuntimeHolder } from './binding.js';
import { componentOf } from './checkpoint/component-record.js';
import { circleMistakes } from './fallback-circle.js';
import {
  type Face,
  faceOf,
  isGenerator,
  methodFace,
  methodOf,
  type MethodRecord,
} from './method-record.js';
import { Names } from './names.js';

/** The runtime of one application, with what it knows about the classes of that application. */
export class ApplicationRuntime extends ResilienceRuntime {
  /** Names the methods and handlers of this application. */
  readonly names: Names;
  /** Mistakes found while Nest constructs the application; the boot reports them with its own. */
  readonly early: Mistake[] = [];
  /** From here on a mistake cannot wait for the boot's list. */
  booted = false;
  /** The components of this application, by class. */
  readonly components = new Map<unknown, object>();
  /** The presets that somebody has asked for. */
  readonly usedPresets = new Set<string>();
  private readonly runs = new Map<object, Map<MethodRecord, ProtectedRun>>();
  private readonly methods = new Map<Target, ProtectedMethod>();

  constructor(init: RuntimeInit, modules: ModulesContainer) {
    super(init);
    this.names = new Names(modules);
  }

  /** Makes this the runtime behind the holder's instances. */
  serve(holder: RuntimeHolder): void {
    holder.host = (type, record) =>
      this.runs.get(type)?.get(record) ?? this.firstCall(type, record);
  }

  /** A class that the boot did not see: what is wrong with it can only be said to its callers. */
  private firstCall(type: AnyClass, record: MethodRecord): ProtectedRun {
    try {
      return this.registerMethod(type, record);
    } catch (error) {
      const face = faceOf(record);
      if (face === 'promise') return () => Promise.reject(error as Error);
      if (face === 'observable') return () => throwError(() => error);
      throw error;
    }
  }

  /**
   * Makes the run of one method of one class.
   *
   * @param name what the pipeline is to be called; default what `names` says, numbered if taken
   * @throws ResilienceConfigError with every mistake in the method's policies
   */
  registerMethod(type: AnyClass, record: MethodRecord, name?: string): ProtectedRun {
    const free = name ?? this.freeName(this.names.ofMethod(type, record));
    const mistakes = this.checkMethod(type, record, free);
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    const target = this.register(
      free,
      this.resolve(record.presets, record.policies),
      otherMethod(type, record),
    );
    this.methods.set(target, { type, record });
    const run = runOf(target, faceOf(record)!);
    let ofClass = this.runs.get(type);
    if (ofClass === undefined)
      this.runs.set(type, (ofClass = new Map<MethodRecord, ProtectedRun>()));
    ofClass.set(record, run);
    return run;
  }

  isRegistered(type: AnyClass, record: MethodRecord): boolean {
    return this.runs.get(type)?.has(record) === true;
  }

  checkMethod(type: AnyClass, record: MethodRecord, name: string): Mistake[] {
    const own = this.resolve(record.presets, record.policies);
    const { fallback } = this.effective(name, own);
    return [
      ...faceMistakes(record, name),
      ...checkpointMistakes(type, record, name),
      ...gatewayMistakes(type, record, name, this.effective(name, own)),
      ...this.checkPresets(`${name} @Resilient`, record.presets),
      ...this.check(name, own, otherMethod(type, record)),
      ...circleMistakes(name, type, record, (method) =>
        method === record ? fallback : this.fallbackOf(type, method),
      ),
    ];
  }

  override resolve(presets: readonly (string | PolicySet)[], policies?: PolicySet): PolicySet {
    for (const preset of presets) if (typeof preset === 'string') this.usedPresets.add(preset);
    return super.resolve(presets, policies);
  }

  protected override changeMistakes(target: Target, policies: PolicySet): Mistake[] {
    const { type, record } = this.methods.get(target) ?? {};
    const mistakes = super.changeMistakes(target, policies);
    if (type === undefined || record === undefined || mistakes.length > 0) return mistakes;
    return circleMistakes(target.name, type, record, (method) =>
      method === record ? policies.fallback : this.fallbackOf(type, method),
    );
  }

  /** The fallback of a method as it is, or as it will be once it is registered. */
  private fallbackOf(type: AnyClass, record: MethodRecord): FallbackPlan | undefined {
    for (const [target, method] of this.methods)
      if (method.type === type && method.record === record) return target.policies.fallback;
    const own = this.resolve(record.presets, record.policies);
    return this.effective(this.names.ofMethod(type, record), own).fallback;
  }

  /** The target of an interceptor on a handler. */
  registerHandler(type: AnyClass, key: string, policies: PolicySet): Target {
    return this.registerBeside(this.names.ofHandler(type, key), policies);
  }

  /** A target of `ResilienceService`. */
  registerChecked(name: string, policies: PolicySet): Target {
    const mistakes = this.check(name, policies);
    if (mistakes.length === 0) mistakes.push(...checkKinds(name, policies, false));
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    return this.register(name, policies);
  }
}

/** The method of a class that a target stands for. */
interface ProtectedMethod {
  readonly type: AnyClass;
  readonly record: MethodRecord;
}

/** Whether a fallback of the method may name this one. */
function otherMethod(type: AnyClass, record: MethodRecord): (name: string) => boolean {
  return (name) => name !== record.key && methodOf(type, name) !== undefined;
}

function faceMistakes(record: MethodRecord, at: string): Mistake[] {
  if (isGenerator(record)) {
    return [
      {
        at,
        problem:
          'is a generator, which cannot be attempted again; expected a method that returns a Promise or an Observable',
      },
    ];
  }
  const face: unknown = faceOf(record);
  const declared = methodFace(record.original, record.declaredIn, record.key);
  if (face === 'promise' || face === 'observable') {
    if (declared === undefined || declared === face) return [];
    const problem = `got ${show(face)}, but the method is declared to return a ${declared}; leave the option out`;
    return [{ at: `${at} returns`, problem }];
  }
  if (face !== undefined)
    return [
      { at: `${at} returns`, problem: `got ${show(face)}, expected 'promise' or 'observable'` },
    ];
  const problem =
    "nothing says what it returns; make it async, declare Promise or Observable as its return type (imported as a value: `import type` leaves no trace), or give one of its decorators `returns: 'promise' | 'observable'`";
  return [{ at, problem }];
}

const GATEWAY_HOOKS: readonly (string | symbol)[] = [
  'handleConnection',
  'handleDisconnect',
  'afterInit',
];

/** Nest awaits none of these: a refusal would be an unhandled rejection, and a client could end the process. */
function gatewayMistakes(
  type: AnyClass,
  { key }: MethodRecord,
  at: string,
  { fallback, circuitBreaker, rateLimit, timeLimit, bulkhead }: PolicySet,
): Mistake[] {
  const isGateway = Reflect.hasMetadata('websockets:is_gateway', type);
  if (!isGateway || !GATEWAY_HOOKS.includes(key) || fallback !== undefined) return [];
  const refuses = [circuitBreaker, rateLimit, timeLimit, bulkhead].some((p) => p !== undefined);
  const problem =
    'Nest does not await it, so a refusal would end the process; expected a @Fallback beside its policies, such as one that closes the client';
  return refuses ? [{ at, problem }] : [];
}

function checkpointMistakes(type: AnyClass, record: MethodRecord, name: string): Mistake[] {
  const { checkpoint } = record.policies;
  if (checkpoint === undefined) return [];
  const at = `${name} @Checkpoint`;
  const component = componentOf(type);
  if (component === undefined)
    return [
      {
        at,
        problem: `${type.name} is no component, expected @CheckpointComponent({ name }) on it`,
      },
    ];
  if (faceOf(record) === 'observable')
    return [
      {
        at,
        problem: 'returns an Observable, expected a Promise: a stream has no one end to be kept',
      },
    ];
  return misfits(at, type, component, checkpoint);
}

/** Options that the component of the method cannot carry out. */
function misfits(
  at: string,
  type: AnyClass,
  { options, durable }: NonNullable<ReturnType<typeof componentOf>>,
  checkpoint: CheckpointOptions,
): Mistake[] {
  const { journal, rollback, idempotencyKey } = checkpoint;
  const mistakes: Mistake[] = [];
  const add = (option: string, problem: string): void =>
    void mistakes.push({ at: `${at} ${option}`, problem });
  if (options.serial === false) {
    const problem = 'given with serial: false, expected calls that run one at a time';
    if (rollback === true) add('rollback', problem);
    if (idempotencyKey !== undefined) add('idempotencyKey', problem);
  }
  if (journal === undefined) return mistakes;
  if (durable.length > 0)
    add('journal', 'given with @Durable() fields, whose changes are journaled by themselves');
  else if (typeof (type.prototype as { applyEntry?: unknown }).applyEntry !== 'function')
    add('journal', 'given without a method applyEntry, which does again what is journaled');
  return mistakes;
}

function runOf(target: Target, face: Face): ProtectedRun {
  return face === 'promise'
    ? (method, self, args) => runPromise(target, method, self, args)
    : (method, self, args) => runObservable(target, method, self, args);
}
