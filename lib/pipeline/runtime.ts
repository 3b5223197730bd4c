import { checkObject, type Mistake, ResilienceConfigError, show } from '../kernel/check.js';
import type { Classifier } from '../kernel/classifier.js';
import type { Clock } from '../kernel/clock.js';
import type { Random } from '../kernel/random.js';
import { CallsInFlight } from './calls-in-flight.js';
import { emit, type Environment, reportOf } from './environment.js';
import { EventBus } from './event-bus.js';
import { type Continuity, Pipeline } from './pipeline.js';
import {
  checkKinds,
  checkPolicies,
  layOverrides,
  layPolicies,
  type MethodPolicySet,
  type PolicyDefaults,
  type PolicyOverrides,
  type PolicySet,
  onlyKinds,
  withDefaults,
} from './policy-set.js';
import { ResilienceRegistry } from './registry.js';
import { addedBy, changesOf, fixedOptions, PolicyStores } from './stores.js';
import { Target } from './target.js';

/** What a runtime is made of. */
export interface RuntimeInit {
  readonly clock: Clock;
  readonly random: Random;
  readonly classifier: Classifier;
  /** Hears once of each event listener that throws. */
  readonly report: (error: unknown) => void;
  readonly enabled?: boolean | undefined;
  readonly stack?: boolean | undefined;
  readonly trace?: boolean | undefined;
  /** One of so many calls is timed; 0 for none. Default 64. */
  readonly sample?: number | undefined;
  readonly defaults?: PolicyDefaults | undefined;
  /** Sets of policies to be named. */
  readonly presets?: Readonly<Record<string, PolicySet>> | undefined;
  /** What wins over a target's own policies, by its name. */
  readonly overrides?: Readonly<Record<string, PolicyOverrides>> | undefined;
}

/** Enough for percentiles, at a cost that nobody sees. */
const SAMPLE = 64;

/** All targets of one application, and the policies that they share by name. */
export class ResilienceRuntime {
  readonly registry: ResilienceRegistry;
  readonly env: Environment;
  /** By name; the interceptors of a handler are several targets of one name. */
  private readonly targets = new Map<string, readonly Target[]>();
  private readonly stores: PolicyStores;
  private readonly defaults: PolicyDefaults;
  private readonly presets: Readonly<Record<string, PolicySet>>;
  private readonly overrides: Readonly<Record<string, PolicyOverrides>>;
  private on: boolean;

  constructor(init: RuntimeInit) {
    const { clock, random, classifier, stack = false, trace = false, sample = SAMPLE } = init;
    const bus = new EventBus(init.report);
    const calls = new CallsInFlight();
    const errors = undefined;
    this.env = { clock, random, classifier, stack, trace, sample, bus, calls, errors };
    this.stores = new PolicyStores(this.env);
    this.registry = new ResilienceRegistry(this.stores, clock);
    this.on = init.enabled ?? true;
    this.defaults = init.defaults ?? {};
    this.presets = init.presets ?? {};
    this.overrides = init.overrides ?? {};
  }

  get bus(): EventBus {
    return this.env.bus;
  }

  /** False while every policy but the fallback is passed through. */
  get enabled(): boolean {
    return this.on;
  }

  /** The kill switch: passes every policy but the fallback through, or no longer. Calls on their way are not touched. */
  setEnabled(enabled: boolean): void {
    if (enabled === this.on) return;
    this.on = enabled;
    for (const target of this.allTargets())
      target.pipeline = this.pipelineOf(target.name, target.policies, target.pipeline);
  }

  /**
   * Begins anew as far as that can be: breakers are closed, and let go of by every hand; rate limits
   * have their whole burst; last good answers and what fallbacks did are forgotten. What runs or
   * waits in a bulkhead is not touched, policies stay as they are, and counters of breakers go on.
   */
  reset(): void {
    this.stores.reset();
    for (const target of this.allTargets())
      target.pipeline = this.pipelineOf(target.name, target.policies);
  }

  /** How many calls are on their way, of all targets. */
  get inFlight(): number {
    return this.allTargets().reduce((sum, { pipeline }) => sum + pipeline.counters.inFlight, 0);
  }

  /**
   * The application ends, the first step: calls are let through, but nothing waits any more. Who
   * waits for another attempt gets its last error, who waits for a slot or a turn a
   * `ShuttingDownError`.
   */
  drain(): void {
    const { calls } = this.env;
    calls.drain();
    for (const target of this.allTargets()) target.pipeline.engage();
  }

  /** The second step: calls on their way may end, and new ones are refused. */
  close(): void {
    this.env.calls.close();
  }

  /**
   * The last step: whoever still waits for a call gets a `ShuttingDownError`, and its signal aborts.
   *
   * Not those of calls that began before `drain` and that nothing but their method can end, having
   * no limit of their own: they are not known one by one.
   */
  cut(): void {
    this.env.calls.cut();
  }

  /** Runs what is to be done at the end, such as saving what is pending: its calls are let through. */
  runLast<T>(work: () => T): T {
    return this.env.calls.runLast(work);
  }

  /** What is registered under that name, the first of several. */
  target(name: string): Target | undefined {
    return this.targets.get(name)?.[0];
  }

  /** Everything registered. */
  allTargets(): Target[] {
    return [...this.targets.values()].flat();
  }

  /** The present pipeline of that name, if it is registered. */
  pipeline(name: string): Pipeline | undefined {
    return this.target(name)?.pipeline;
  }

  /** `base`, or the first of `base#2`, `base#3`, … that is not taken by a target or a policy. */
  freeName(base: string, isTaken = (name: string): boolean => this.isTaken(name)): string {
    let name = base;
    for (let n = 2; isTaken(name); n += 1) name = `${base}#${n}`;
    return name;
  }

  /** Presets laid over each other, the first wins, and policies over all. What is unknown adds nothing. */
  resolve(presets: readonly (string | PolicySet)[], policies: PolicySet = {}): PolicySet {
    return [...presets]
      .reverse()
      .map((preset) => (typeof preset === 'string' ? this.preset(preset) : preset))
      .concat(policies)
      .reduce<PolicySet>((below, above) => layPolicies(below, above ?? {}), {});
  }

  /** What is wrong with the names of presets, found at that place. */
  checkPresets(at: string, presets: readonly (string | PolicySet)[]): Mistake[] {
    const known = Object.keys(this.presets);
    return presets
      .filter((preset) => typeof preset === 'string' && this.preset(preset) === undefined)
      .map((preset) => ({
        at,
        problem: `got ${show(preset)}, expected ${known.length === 0 ? 'the name of a preset; there are none' : `one of ${known.map(show).join(', ')}`}`,
      }));
  }

  private preset(name: string): PolicySet | undefined {
    return Object.hasOwn(this.presets, name) ? this.presets[name] : undefined;
  }

  /** Every mistake in the policies as they will be: defaults under them, the override of the name over them. */
  check(name: string, policies: PolicySet, hasMethod?: (name: string) => boolean): Mistake[] {
    const readable = checkObject(name, policies).length === 0;
    const merged = readable ? this.effective(name, policies) : policies;
    return checkPolicies(name, merged, hasMethod);
  }

  /**
   * Makes the target of a name.
   *
   * @param hasMethod whether a fallback may name that method of the target's class
   * @throws ResilienceConfigError if the name is taken, or a shared name has other options already
   */
  register(name: string, policies: PolicySet, hasMethod?: (name: string) => boolean): Target {
    if (this.targets.has(name)) {
      throw new ResilienceConfigError([
        { at: name, problem: 'this name is taken; give one of the two another name' },
      ]);
    }
    return this.make(name, this.effective(name, policies), hasMethod);
  }

  /**
   * Makes a target beside others of the same name, such as those of several interceptors on a
   * handler. They are different policies of one name; only a second one of a kind is numbered, and
   * an override adds no policy to any of them.
   *
   * @throws ResilienceConfigError for mistakes in the policies, or if a shared name has other
   * options already
   */
  registerBeside(base: string, policies: PolicySet): Target {
    const name = this.freeName(base, (taken) => this.stores.collide(taken, policies));
    const own = onlyKinds(this.overrideOf(name), policies);
    const merged = withDefaults(layOverrides(policies, own), this.defaults);
    const mistakes = checkPolicies(name, merged);
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    return this.make(name, merged);
  }

  /**
   * Changes the policies of a target while it runs: what the patch does not name stays, `false`
   * takes a policy out. State, counts and listeners are kept; a policy shared by name changes for
   * all who share it. Calls on their way end under the policies they began with.
   *
   * @returns the new version of the target
   * @throws ResilienceConfigError for an unknown name or a bad patch; then nothing has changed
   */
  reconfigure(name: string, patch: PolicyOverrides): number {
    const bad = checkKinds(`reconfigure ${show(name)}`, patch, true);
    if (bad.length > 0) throw new ResilienceConfigError(bad);
    const targets = this.targets.get(name);
    if (targets === undefined) {
      const known = [...this.targets.keys()].map(show).join(', ');
      throw new ResilienceConfigError([
        { at: `reconfigure ${show(name)}`, problem: `no such name; known are ${known}` },
      ]);
    }
    const changes = changesOf(targets, patch, this.allTargets()).map((change) => ({
      ...change,
      policies: withDefaults(change.policies, this.defaults),
    }));
    const mistakes = changes.flatMap((change) => [
      ...fixedOptions(change),
      ...this.changeMistakes(change.target, change.policies),
    ]);
    if (mistakes.length === 0)
      mistakes.push(...changes.flatMap((c) => this.stores.conflicts(c.target.name, addedBy(c))));
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    this.stores.apply(changes);
    for (const change of changes) {
      const { target, patch: part } = change;
      // what it joins is as it is now, whatever was declared
      const joined = this.stores.present(target.name, addedBy(change));
      const policies = { ...change.policies, ...joined };
      const { counters, fallback, poison } = target.pipeline;
      const before = {
        counters,
        poison,
        fallback: part.fallback === undefined ? fallback : undefined,
      };
      target.policies = policies;
      target.version += 1;
      target.pipeline = this.pipelineOf(target.name, policies, before);
      const { version } = target;
      const changed = Object.keys(part);
      emit(this.env, { type: 'policies-changed', target: target.name, version, policies: changed });
    }
    this.stores.prune(this.allTargets());
    return targets[0]!.version;
  }

  /** Policies as they will be: defaults under them, the override of the name over them. */
  protected effective(name: string, policies: PolicySet): PolicySet {
    return withDefaults(layOverrides(policies, this.overrideOf(name)), this.defaults);
  }

  /** What is wrong with policies that a target is to get while it runs. */
  protected changeMistakes(target: Target, policies: PolicySet): Mistake[] {
    return checkPolicies(target.name, policies, target.hasMethod);
  }

  private isTaken(name: string): boolean {
    return this.targets.has(name) || this.stores.isTaken(name);
  }

  private make(name: string, policies: PolicySet, hasMethod?: (name: string) => boolean): Target {
    // all before any is made: a registration that fails leaves nothing behind
    const conflicts = this.stores.conflicts(name, policies);
    if (conflicts.length > 0) throw new ResilienceConfigError(conflicts);
    const present = this.stores.present(name, policies);
    const target = new Target(name, present, this.pipelineOf(name, present), hasMethod);
    this.targets.set(name, [...(this.targets.get(name) ?? []), target]);
    return target;
  }

  private overrideOf(name: string): PolicyOverrides {
    return Object.hasOwn(this.overrides, name) ? this.overrides[name]! : {};
  }

  /** The pipeline of the policies, its machines made or found whether they are in use now or not. */
  private pipelineOf(name: string, policies: PolicySet, before?: Continuity): Pipeline {
    const report = reportOf(this.env, name);
    const sources = this.stores.sourcesOf(name, policies, report);
    const { env } = this;
    if (!this.on) {
      const parts = { env, report, sources: {}, budget: undefined, before };
      const { fallback, checkpoint } = policies as MethodPolicySet;
      return new Pipeline(name, { fallback, checkpoint } as MethodPolicySet, parts);
    }
    const budget = this.stores.budgetOf(name, policies);
    return new Pipeline(name, policies, { env, report, sources, budget, before });
  }
}
