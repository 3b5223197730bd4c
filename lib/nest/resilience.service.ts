import { Inject, Injectable } from '@nestjs/common';
import { SafeLogger } from './safe-logger.js';
import type { Observable } from 'rxjs';
import { checkObject, type Mistake, ResilienceConfigError, show } from '../kernel/check.js';
import type { ResilienceEvent } from '../kernel/event.js';
import type { Method } from '../pipeline/call.js';
import type { LintFinding } from '../pipeline/lint.js';
import { EventStream } from '../pipeline/event-bus.js';
import type { PolicyOverrides, PolicySet } from '../pipeline/policy-set.js';
import type { FallbackSnapshot } from '../policies/fallback/fallback.js';
import { runPromise } from '../pipeline/promise-face.js';
import type { Target } from '../pipeline/target.js';
import { ApplicationRuntime } from './application-runtime.js';
import { bindInstance, RUNTIME_TOKEN, type RuntimeHolder } from './binding.js';
import type { ResilienceConfig } from './config.js';
import { StartUpLint } from './start-up-lint.js';
import { CONFIG } from './tokens.js';
import { type MethodPolicies, wrapObject } from './wrap-object.js';

/** How one call of `execute` may be ended from outside. */
export interface ExecuteOptions {
  /** Ends the call at once, in a queue and between attempts too; it rejects with the signal's reason. */
  signal?: AbortSignal;
}

const MAX_NAMES = 1_000;

/** The policies without a decorator, and the events of the application. */
@Injectable()
export class ResilienceService {
  /**
   * Everything the policies report. A subscriber that throws is reported once and harms nobody. Not
   * ours to catch, behind `merge` and its like or a Subject: an async subscriber that rejects, and
   * what is thrown after a delay.
   */
  readonly events$: Observable<ResilienceEvent>;
  private readonly maxNames: number;
  private readonly names = new Map<string, Registration>();
  private readonly logger = new SafeLogger('Bulwark');

  constructor(
    private readonly runtime: ApplicationRuntime,
    @Inject(RUNTIME_TOKEN) private readonly holder: RuntimeHolder,
    @Inject(CONFIG) config: ResilienceConfig,
    private readonly linter: StartUpLint,
  ) {
    this.events$ = EventStream.of(runtime.bus);
    this.maxNames = config.maxNames ?? MAX_NAMES;
  }

  /**
   * Runs a function under the policies of a name, given as they are or as the name of a preset. The
   * first registration of a name fixes its policies, its fallback function included; later calls may leave them out. Others than the
   * first are not used, and a warning says so once.
   *
   * @throws ResilienceConfigError (as a rejection) for bad policies, an unknown name without
   * policies, the name of a decorated method or a handler, or more than `maxNames` names
   */
  async execute<T>(
    name: string,
    fn: () => Promise<T>,
    policies?: PolicySet | string,
    options: ExecuteOptions = {},
  ): Promise<T> {
    // before the breaker could count it
    mustBe(typeof fn === 'function', `${String(name)} fn`, fn, 'a function to call');
    const signal: unknown = options === null ? null : options.signal;
    mustBe(isSignal(signal), `${String(name)} signal`, signal, 'an AbortSignal');
    const target = this.targetOf(name, policies);
    return (await runPromise(target, fn, undefined, [], options.signal)) as T;
  }

  /** Like `execute`, but an error is an answer: for callers that decide instead of catching. */
  async tryExecute<T>(
    name: string,
    fn: () => Promise<T>,
    policies?: PolicySet | string,
    options?: ExecuteOptions,
  ): Promise<{ ok: true; value: T } | { ok: false; error: unknown }> {
    try {
      return { ok: true, value: await this.execute(name, fn, policies, options) };
    } catch (error) {
      return { ok: false, error };
    }
  }

  /**
   * A function like the given one, under the policies of the name.
   *
   * @throws ResilienceConfigError for bad policies, the name of a decorated method or a handler, or
   * more than `maxNames` names
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- parameters are contravariant
  wrap<F extends (...args: any[]) => Promise<any>>(
    name: string,
    fn: F,
    policies: PolicySet | string,
  ): F {
    mustBe(typeof fn === 'function', `${String(name)} fn`, fn, 'a function to wrap');
    const target = this.targetOf(name, policies);
    const wrapped = function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return runPromise(target, fn as Method, this, args);
    };
    for (const key of ['name', 'length'] as const) {
      Object.defineProperty(wrapped, key, { value: fn[key], configurable: true });
    }
    return wrapped as F;
  }

  /**
   * An object like the given one, whose listed methods run under policies: for objects that we
   * cannot decorate, such as the client of an SDK. Each method is a target of the name
   * `Class.method`. What the object calls on itself is not protected, for it does not pass here.
   *
   * @throws ResilienceConfigError for bad policies, a name in the list that is no method, or more
   * than `maxNames` names
   */
  wrapObject<T extends object>(object: T, policies: MethodPolicies<T>): T {
    mustBe(isObject(object), 'wrapObject', object, 'an object');
    const wrong = checkObject('wrapObject', policies, 'policies by name of the method');
    if (wrong.length > 0) throw new ResilienceConfigError(wrong);
    return wrapObject(object, policies as Record<string, PolicySet | string>, (bases) => {
      const named = bases.map(([base, set]) => [this.runtime.freeName(base), set] as const);
      // all before any is made: one that is refused leaves nothing behind
      const mistakes = named.flatMap(([name, set]) => this.mistakesIn(name, set));
      if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
      this.refuseBeyond(named.length, named[0]?.[0] ?? '');
      return named.map(([name, set]) => this.targetOf(name, set));
    });
  }

  /**
   * Changes the policies of a target while it runs: a decorated method, a handler, or a name of
   * `execute`. Options that the patch does not name stay (only a breaker's rule for failures is
   * replaced as a whole), `false` takes a policy out. State, counts
   * and subscribers are kept; a policy shared by `name` changes for all who share it. Calls on
   * their way end under the policies they began with.
   *
   * @returns the new version of the target, counted from 1
   * @throws ResilienceConfigError for an unknown name or a bad patch; then nothing has changed
   */
  reconfigure(name: string, patch: PolicyOverrides): number {
    return this.runtime.reconfigure(name, patch);
  }

  /** What the fallbacks of a target have done; undefined if it has none. */
  fallbackUse(name: string): FallbackSnapshot | undefined {
    return this.runtime.pipeline(name)?.fallback?.snapshot();
  }

  /**
   * What is legal and probably not meant, of everything that is registered by now; what the
   * configuration suppresses is left out. The log has it at the start, and of a name that comes
   * later the first of each code.
   */
  get lint(): readonly LintFinding[] {
    return this.linter.findings;
  }

  /**
   * The kill switch: false passes every policy but the fallbacks through, until true is set.
   *
   * @throws ResilienceConfigError for anything else: a word would not do what it says
   */
  get enabled(): boolean {
    return this.runtime.enabled;
  }

  set enabled(enabled: boolean) {
    mustBe(typeof enabled === 'boolean', 'ResilienceService enabled', enabled, 'true or false');
    this.runtime.setEnabled(enabled);
  }

  /** Gives the runtime to an instance of a decorated class that Nest did not construct. */
  bind<T extends object>(instance: T): T {
    bindInstance(instance, this.holder);
    return instance;
  }

  private targetOf(name: string, policies: PolicySet | string | undefined): Target {
    const known = this.names.get(name);
    if (known !== undefined) {
      this.warnOfOthers(name, known, policies);
      return known.target;
    }
    if (this.runtime.target(name) !== undefined) {
      const problem =
        'is the name of a decorated method or a handler, whose policies are its own; choose another (to share a breaker or bulkhead, give it a `name` in both places)';
      throw new ResilienceConfigError([{ at: name, problem }]);
    }
    if (typeof name !== 'string' || name.trim() === '') {
      throw new ResilienceConfigError([
        {
          at: 'ResilienceService name',
          problem: `got ${String(name)}, expected a string that is not empty`,
        },
      ]);
    }
    if (policies === undefined) {
      throw new ResilienceConfigError([
        { at: name, problem: 'no such name yet; its first use must give its policies' },
      ]);
    }
    this.refuseBeyond(1, name);
    const unknown = this.unknownPreset(name, policies);
    if (unknown.length > 0) throw new ResilienceConfigError(unknown);
    const target = this.runtime.registerChecked(name, this.resolve(policies));
    this.names.set(name, { target, policies });
    this.linter.registered(target);
    return target;
  }

  private mistakesIn(name: string, policies: PolicySet | string): Mistake[] {
    return [
      ...this.unknownPreset(name, policies),
      ...this.runtime.check(name, this.resolve(policies)),
    ];
  }

  private unknownPreset(name: string, policies: PolicySet | string): Mistake[] {
    const preset = typeof policies === 'string' ? [policies] : [];
    return this.runtime.checkPresets(`${name} preset`, preset);
  }

  private resolve(policies: PolicySet | string): PolicySet {
    return typeof policies === 'string' ? this.runtime.resolve([policies]) : policies;
  }

  private refuseBeyond(more: number, name: string): void {
    if (this.names.size + more <= this.maxNames) return;
    const problem = `there would be more than ${this.maxNames} names; is it made of user input? Use few names, or raise maxNames`;
    throw new ResilienceConfigError([{ at: name, problem }]);
  }

  /** Not an error: a call that worked must not fail for another that came before it. */
  private warnOfOthers(
    name: string,
    known: Registration,
    policies: PolicySet | string | undefined,
  ): void {
    if (known.warned === true || policies === undefined || same(policies, known.policies)) return;
    known.warned = true;
    this.logger.warn(
      `${name}: called with other policies than at its first use, which are the ones it has; use another name`,
    );
  }
}

/** What a name was first used with. */
interface Registration {
  readonly target: Target;
  readonly policies: PolicySet | string;
  warned?: boolean;
}

/** Policies, their options, and lists of these: what lies deeper is somebody's value. */
const DEPTH = 4;

/** Functions are the same if they read the same: an inline one is another with each call. */
function same(a: unknown, b: unknown, depth = DEPTH): boolean {
  if (Object.is(a, b) || depth === 0) return true;
  if (typeof a === 'function' && typeof b === 'function') return String(a) === String(b);
  if (!isObject(a) || !isObject(b)) return false;
  return Object.keys({ ...a, ...b }).every((key) => same(a[key], b[key], depth - 1));
}

function mustBe(good: boolean, at: string, given: unknown, expected: string): void {
  if (good) return;
  const problem = `got ${show(given)}, expected ${expected}`;
  throw new ResilienceConfigError([{ at, problem }]);
}

function isSignal(value: unknown): boolean {
  if (value === undefined) return true;
  return isObject(value) && typeof value['addEventListener'] === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
