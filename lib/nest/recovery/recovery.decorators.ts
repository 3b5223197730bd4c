import type { ErrorContext } from '../../errors/error-context.js';
import {
  checkOptions,
  type Mistake,
  oneOf,
  type OptionRule,
  type OptionRules,
  show,
  text,
} from '../../kernel/check.js';
import { ERROR_CATEGORIES, type ErrorCategory } from '../../kernel/classifier.js';
import type { CheckAnswer, InvalidKind, ReconnectOptions } from '../../recovery/hooks.js';
import { checkReconnect } from '../../recovery/network/reconnect.options.js';
import type { Fit } from '../fallback-types.js';
import { makeHookRecord, type MethodHook } from './hook-record.js';

/** A method that answers what is wrong with the state. The signal aborts when nobody waits any more. */
export type CheckMethod = (signal: AbortSignal) => CheckAnswer;

/** A method that re-establishes a connection, or catches up; `false` says that it failed, as an error does. */
export type ConnectionMethod = (signal: AbortSignal) => unknown;

/** A method that heals one kind of error; `false` says that it could not, as an error does. */
export type RemedyMethod = (error: ErrorContext) => unknown;

/** A method that gets the block or the transaction; a parameter of its own type is taken at its word. */
// oxlint-disable-next-line typescript/no-explicit-any -- whoever refused the item knows what it is
export type InvalidDataMethod = (item: any) => unknown;

/** A method that runs while the application shuts down. */
export type ShutdownMethod = (reason: string, signal: AbortSignal) => unknown;

/** A text is iterable, letter by letter; nobody means that. */
type WordsMisfit<M extends CheckMethod> =
  Extract<Awaited<ReturnType<M>>, string> extends never
    ? never
    : { readonly 'a check answers a list of issues': string[] };

/** Decorates a method that answers issues: a list, one of them later, or one by one. */
export type CheckDecorator = <M extends CheckMethod>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Fit<WordsMisfit<M>>,
) => void;

/** Decorates a method that can be called as such a one is. */
export type HookDecorator<F extends (...args: never[]) => unknown> = <M extends F>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** What an instance of a participant has: what it carries over is what it gets back. */
export interface Participating<T> {
  beforeRestore: () => T;
  afterRestore: (carried: Awaited<T>) => unknown;
}

/** Decorates a class with `beforeRestore()` and `afterRestore(carried)`. */
export type ParticipantDecorator = <T>(type: new (...args: never[]) => Participating<T>) => void;

/** When a shutdown hook runs. */
export interface OnShutdownOptions {
  /** Unique in the application. Default `Class.method`. */
  name?: string;
  /** Names of hooks that run after this one: what depends on something ends before that does. Default none. */
  dependsOn?: readonly string[];
}

/**
 * Makes a method one of the checks for corruption: it answers the issues it finds, each in words or
 * as `{ at, problem }`. A check of many records is a generator that yields (also `undefined`) after
 * each: then it is interrupted where it would block the event loop. On a method of a singleton,
 * provider or controller. It runs over one moment's state and must not change any; one that throws,
 * hangs or answers anything else is an issue itself.
 *
 * @param name unique in the application
 */
export function IntegrityCheck(name: string): CheckDecorator {
  const mistakes = [wrong('name', name, text)];
  return hook('@IntegrityCheck', mistakes, () => ({ hook: 'check', name }));
}

/**
 * Lets a singleton keep something over a restore that the restored state lacks, such as transactions
 * that wait: what `beforeRestore()` answers, `afterRestore(carried)` gets when the state is back.
 */
export function RecoveryParticipant(): ParticipantDecorator {
  return (type) => {
    makeHookRecord(type.prototype as object).isParticipant = true;
  };
}

/**
 * Makes a method the one that re-establishes a connection: run when somebody asks for it, one call at
 * a time, again and again while the connection is cut. See `ReconnectOptions`.
 *
 * @param name of the connection, unique in the application
 */
export function Reconnect(
  name: string,
  options: ReconnectOptions = {},
): HookDecorator<ConnectionMethod> {
  const mistakes = [wrong('name', name, text), (at: string) => checkReconnect(at, options)];
  return hook('@Reconnect', mistakes, () => ({
    hook: 'reconnect',
    name,
    options: { ...options },
  }));
}

/** Runs a method whenever the connection of that name has been re-established, to catch up. */
export function Resync(name: string): HookDecorator<ConnectionMethod> {
  return hook('@Resync', [wrong('name', name, text)], () => ({ hook: 'resync', name }));
}

/** Makes a method a remedy for one kind of error, such as clearing a cache for `resource`: see `recoverFromError`. */
export function Remedy(category: ErrorCategory): HookDecorator<RemedyMethod> {
  const mistakes = [wrong('category', category, oneOf(...ERROR_CATEGORIES))];
  return hook('@Remedy', mistakes, () => ({ hook: 'remedy', category }));
}

/**
 * Makes a method a step of the treatment of invalid data: `reject` gets rid of the item, `request`
 * answers a valid one, or `undefined` for none. See `handleInvalidBlock`, `handleInvalidTransaction`.
 */
export function OnInvalid(
  kind: InvalidKind,
  step: 'reject' | 'request',
): HookDecorator<InvalidDataMethod> {
  const mistakes = [
    wrong('kind', kind, oneOf('block', 'transaction')),
    wrong('step', step, oneOf('reject', 'request')),
  ];
  return hook('@OnInvalid', mistakes, () => ({ hook: 'invalid', kind, step }));
}

/** Runs a method while the application shuts down, before the last checkpoint is written. */
export function OnShutdown(options: OnShutdownOptions = {}): HookDecorator<ShutdownMethod> {
  const mistakes = [(at: string) => checkOptions(at, options, SHUTDOWN_RULES)];
  return hook('@OnShutdown', mistakes, () => {
    const { name, dependsOn = [] } = options;
    return { hook: 'shutdown', name, dependsOn: [...dependsOn] };
  });
}

const names: OptionRule = (v) =>
  Array.isArray(v) && v.every((name) => text(name) === undefined) ? undefined : 'a list of names';

const SHUTDOWN_RULES: OptionRules<OnShutdownOptions> = { name: text, dependsOn: names };

type Check = (at: string) => Mistake[];
type Said<H> = H extends unknown ? Omit<H, 'key'> : never;

function wrong(option: string, value: unknown, rule: OptionRule): Check {
  const expected = rule(value);
  const problem = `got ${show(value)}, expected ${expected}`;
  return (at) => (expected === undefined ? [] : [{ at: `${at} ${option}`, problem }]);
}

/** Only the record is written, so that a method may have policies above and below. */
function hook(
  decorator: string,
  checks: readonly Check[],
  said: () => Said<MethodHook>,
): (target: object, key: string | symbol, descriptor: object) => void {
  return (target, key, descriptor) => {
    const isStatic = typeof target === 'function';
    const at = `${(isStatic ? target : target.constructor).name}.${String(key)} ${decorator}`;
    const record = makeHookRecord(isStatic ? (target.prototype as object) : target);
    const mistakes = checks.flatMap((check) => check(at));
    if (isStatic) mistakes.push({ at, problem: 'is static, expected a method of the instances' });
    // also without types: a field or an accessor has no method to call
    else if (typeof (descriptor as { value?: unknown } | undefined)?.value !== 'function')
      mistakes.push({ at, problem: 'is no method, expected one' });
    if (mistakes.length > 0) record.mistakes.push(...mistakes);
    else record.methods.push({ ...said(), key } as MethodHook);
  };
}
