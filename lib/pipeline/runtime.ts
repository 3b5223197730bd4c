import { type Mistake, ResilienceConfigError, show } from '../kernel/check.js';
import type { Classifier } from '../kernel/classifier.js';
import type { Clock } from '../kernel/clock.js';
import type { Random } from '../kernel/random.js';
import { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import type { BulkheadOptions } from '../policies/bulkhead/bulkhead.options.js';
import { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../policies/circuit-breaker/circuit-breaker.options.js';
import { timeLimitOf } from '../policies/time-limit/time-limit.options.js';
import { emit, type Environment } from './environment.js';
import { EventBus } from './event-bus.js';
import { type Named, Pipeline } from './pipeline.js';
import { checkPolicies, type PolicyDefaults, type PolicySet, withDefaults } from './policy-set.js';
import { ResilienceRegistry } from './registry.js';

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
  private readonly sharedOptions = new Map<string, string>();
  private readonly enabled: boolean;
  private readonly defaults: PolicyDefaults;

  constructor(init: RuntimeInit) {
    const { clock, random, classifier, stack = false, enabled = true, defaults = {} } = init;
    this.env = { clock, random, classifier, stack, bus: new EventBus(init.report) };
    this.enabled = enabled;
    this.defaults = defaults;
  }

  get bus(): EventBus {
    return this.env.bus;
  }

  /** The pipeline of that name, if it is registered. */
  pipeline(name: string): Pipeline | undefined {
    return this.pipelines.get(name);
  }

  /** `base`, or the first of `base#2`, `base#3`, … that no pipeline and no policy has taken. */
  freeName(base: string): string {
    let name = base;
    for (let n = 2; this.isTaken(name); n += 1) name = `${base}#${n}`;
    return name;
  }

  /** Every mistake in the policies as they will be, defaults laid under them. */
  check(at: string, policies: PolicySet, hasMethod?: (name: string) => boolean): Mistake[] {
    const own = checkPolicies(at, policies, hasMethod);
    return own.length > 0
      ? own
      : checkPolicies(at, withDefaults(policies, this.defaults), hasMethod);
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
    const merged = withDefaults(policies, this.defaults);
    const active: PolicySet = this.enabled ? merged : { fallback: merged.fallback };
    const pipeline = new Pipeline(
      name,
      active,
      this.env,
      this.breakerOf(name, active),
      this.bulkheadOf(name, active),
    );
    this.pipelines.set(name, pipeline);
    return pipeline;
  }

  private isTaken(name: string): boolean {
    const { breakers, bulkheads } = this.registry;
    return (
      this.pipelines.has(name) ||
      breakers.policy(name) !== undefined ||
      bulkheads.policy(name) !== undefined
    );
  }

  private breakerOf(method: string, policies: PolicySet): Named<CircuitBreaker> | undefined {
    const options = policies.circuitBreaker;
    if (options === undefined) return undefined;
    const limit = policies.timeLimit === undefined ? 0 : timeLimitOf(policies.timeLimit);
    const halfOpenLease =
      options.halfOpenLease ?? Math.max(2 * limit, CIRCUIT_BREAKER_DEFAULTS.halfOpenLease);
    const name = options.name ?? method;
    const known = this.shared(
      'circuit breaker',
      name,
      sharedBreakerOptions(options),
      this.registry.breakers.policy(name),
    );
    if (known !== undefined) {
      if (options.halfOpenLease === undefined) known.widenLease(halfOpenLease);
      return { name, policy: known };
    }
    const breaker = new CircuitBreaker(
      { ...options, halfOpenLease },
      this.env.clock,
      this.env.random,
      {
        stateChanged: (from, to, reason, retryAfter) =>
          emit(this.env, {
            type: 'circuit-state-changed',
            target: name,
            from,
            to,
            reason,
            ...(retryAfter === undefined ? {} : { retryAfter }),
          }),
        probeLost: (lease) => emit(this.env, { type: 'probe-lost', target: name, lease }),
      },
    );
    this.registry.breakers.add(name, breaker);
    return { name, policy: breaker };
  }

  private bulkheadOf(method: string, policies: PolicySet): Named<Bulkhead> | undefined {
    const options: BulkheadOptions | undefined = policies.bulkhead;
    if (options === undefined) return undefined;
    const name = options.name ?? method;
    const known = this.shared('bulkhead', name, options, this.registry.bulkheads.policy(name));
    if (known !== undefined) return { name, policy: known };
    const bulkhead = new Bulkhead(options);
    this.registry.bulkheads.add(name, bulkhead);
    return { name, policy: bulkhead };
  }

  /** One state cannot follow two sets of options. */
  private shared<P>(
    kind: string,
    name: string,
    options: object,
    known: P | undefined,
  ): P | undefined {
    const key = `${kind} ${name}`;
    const text = JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
    const before = this.sharedOptions.get(key);
    if (known !== undefined && before !== text) {
      const problem = `shared with other options (${text} here, ${before} before); give all of them the same`;
      throw new ResilienceConfigError([{ at: `${kind} ${show(name)}`, problem }]);
    }
    this.sharedOptions.set(key, text);
    return known;
  }
}

/** Which errors count is each method's own affair; the state machine is shared. */
function sharedBreakerOptions(options: CircuitBreakerOptions): object {
  const { failOn: _failOn, ignore: _ignore, ...machine } = options;
  return machine;
}
