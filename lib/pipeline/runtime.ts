import { checkObject, type Mistake, ResilienceConfigError } from '../kernel/check.js';
import type { Classifier } from '../kernel/classifier.js';
import type { Clock } from '../kernel/clock.js';
import type { Random } from '../kernel/random.js';
import { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import type { CircuitBreakerListener } from '../policies/circuit-breaker/circuit.js';
import { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../policies/circuit-breaker/circuit-breaker.options.js';
import { timeLimitOf } from '../policies/time-limit/time-limit.js';
import { emit, type Environment } from './environment.js';
import { EventBus } from './event-bus.js';
import { type Named, Pipeline } from './pipeline.js';
import { checkPolicies, type PolicyDefaults, type PolicySet, withDefaults } from './policy-set.js';
import { ResilienceRegistry } from './registry.js';
import { SharedPolicies } from './shared-policies.js';

/** What a runtime is made of. */
export interface RuntimeInit {
  readonly clock: Clock;
  readonly random: Random;
  readonly classifier: Classifier;
  /** Hears once of each event listener that throws. */
  readonly report: (error: unknown) => void;
  readonly enabled?: boolean | undefined;
  readonly stack?: boolean | undefined;
  readonly defaults?: PolicyDefaults | undefined;
}

/** All pipelines of one application, and the policies that they share by name. */
export class ResilienceRuntime {
  readonly registry = new ResilienceRegistry();
  readonly env: Environment;
  private readonly pipelines = new Map<string, Pipeline>();
  private readonly known: ResilienceRegistry;
  private readonly breakers: SharedPolicies<CircuitBreaker>;
  private readonly bulkheads: SharedPolicies<Bulkhead>;
  private readonly enabled: boolean;
  private readonly defaults: PolicyDefaults;

  constructor(init: RuntimeInit) {
    const { clock, random, classifier, stack = false, enabled = true, defaults = {} } = init;
    this.env = { clock, random, classifier, stack, bus: new EventBus(init.report) };
    this.enabled = enabled;
    this.defaults = defaults;
    // switched off they are made all the same, so that a conflict is found, and nobody sees them
    this.known = enabled ? this.registry : new ResilienceRegistry();
    this.breakers = new SharedPolicies('circuit breaker', this.known.breakers);
    this.bulkheads = new SharedPolicies('bulkhead', this.known.bulkheads);
  }

  get bus(): EventBus {
    return this.env.bus;
  }

  /** The pipeline of that name, if it is registered. */
  pipeline(name: string): Pipeline | undefined {
    return this.pipelines.get(name);
  }

  /** `base`, or the first of `base#2`, `base#3`, … that no pipeline and no policy has taken. */
  freeName(base: string, isTaken = (name: string): boolean => this.isTaken(name)): string {
    let name = base;
    for (let n = 2; isTaken(name); n += 1) name = `${base}#${n}`;
    return name;
  }

  /** Every mistake in the policies as they will be, defaults laid under them. */
  check(at: string, policies: PolicySet, hasMethod?: (name: string) => boolean): Mistake[] {
    const readable = checkObject(at, policies).length === 0;
    const merged = readable ? withDefaults(policies, this.defaults) : policies;
    return checkPolicies(at, merged, hasMethod);
  }

  /**
   * Makes the pipeline of a name.
   *
   * @throws ResilienceConfigError if the name is taken, or a shared name has other options already
   */
  register(name: string, policies: PolicySet): Pipeline {
    if (this.pipelines.has(name)) {
      throw new ResilienceConfigError([
        { at: name, problem: 'this name is taken; give one of the two another name' },
      ]);
    }
    const pipeline = this.make(name, policies);
    this.pipelines.set(name, pipeline);
    return pipeline;
  }

  /**
   * Makes a pipeline beside others of the same target, such as those of several interceptors on a
   * handler. They are different policies of one name; only a second one of a kind is numbered.
   *
   * @throws ResilienceConfigError if a shared name has other options already
   */
  registerBeside(target: string, policies: PolicySet): Pipeline {
    const { circuitBreaker, bulkhead } = policies;
    const { breakers, bulkheads } = this.known;
    const collides = (name: string): boolean =>
      (takesName(circuitBreaker) && breakers.policy(name) !== undefined) ||
      (takesName(bulkhead) && bulkheads.policy(name) !== undefined);
    const name = this.freeName(target, collides);
    const pipeline = this.make(name, policies);
    if (!this.pipelines.has(name)) this.pipelines.set(name, pipeline);
    return pipeline;
  }

  private make(name: string, policies: PolicySet): Pipeline {
    const merged = withDefaults(policies, this.defaults);
    const { circuitBreaker, bulkhead } = merged;
    // both before either is made: a registration that fails leaves nothing behind
    if (circuitBreaker !== undefined) {
      this.breakers.check(circuitBreaker.name ?? name, machineOptions(circuitBreaker));
    }
    if (bulkhead !== undefined) this.bulkheads.check(bulkhead.name ?? name, bulkhead);
    const breaker = circuitBreaker && this.breakerOf(name, circuitBreaker, merged.timeLimit);
    const slots =
      bulkhead &&
      this.bulkheads.obtain(bulkhead.name ?? name, bulkhead, () => new Bulkhead(bulkhead));
    return this.enabled
      ? new Pipeline(name, merged, this.env, breaker, slots)
      : new Pipeline(name, { fallback: merged.fallback }, this.env, undefined, undefined);
  }

  private isTaken(name: string): boolean {
    const { breakers, bulkheads } = this.known;
    return (
      this.pipelines.has(name) ||
      breakers.policy(name) !== undefined ||
      bulkheads.policy(name) !== undefined
    );
  }

  private breakerOf(
    method: string,
    options: CircuitBreakerOptions,
    timeLimit: PolicySet['timeLimit'],
  ): Named<CircuitBreaker> {
    const limit = timeLimit === undefined ? 0 : (timeLimitOf(timeLimit) ?? 0);
    const halfOpenLease =
      options.halfOpenLease ?? Math.max(2 * limit, CIRCUIT_BREAKER_DEFAULTS.halfOpenLease);
    const name = options.name ?? method;
    const breaker = this.breakers.obtain(name, machineOptions(options), () => {
      const { clock, random } = this.env;
      return new CircuitBreaker(
        { ...options, halfOpenLease },
        clock,
        random,
        this.listenerOf(name),
      );
    });
    // methods with different time limits share the longest lease
    if (options.halfOpenLease === undefined) breaker.policy.widenLease(halfOpenLease);
    return breaker;
  }

  private listenerOf(target: string): CircuitBreakerListener {
    return {
      stateChanged: (from, to, reason, retryAfter) =>
        emit(this.env, {
          type: 'circuit-state-changed',
          target,
          from,
          to,
          reason,
          ...(retryAfter === undefined ? {} : { retryAfter }),
        }),
      probeLost: (lease) => emit(this.env, { type: 'probe-lost', target, lease }),
      predicateFailed: (option, error) =>
        emit(this.env, { type: 'predicate-failed', target, option, error }),
    };
  }
}

/** Whether a policy is called by the name of its pipeline. */
function takesName(options: { readonly name?: string } | undefined): boolean {
  return options !== undefined && options.name === undefined;
}

/** Which errors count is each method's own affair; the state machine is shared. */
function machineOptions(options: CircuitBreakerOptions): object {
  const { failOn: _failOn, ignore: _ignore, ...machine } = options;
  return machine;
}
