import { Delivery } from '../errors/poison/delivery.js';
import { PoisonLedger } from '../errors/poison/poison-ledger.js';
import { RETRY_TABLE } from '../errors/retry-table.js';
import type { CheckpointOptions } from '../checkpoint/component/component.options.js';
import type { Classification, ErrorCategory } from '../kernel/classifier.js';
import type { Milliseconds } from '../kernel/duration.js';
import { type CompiledMatcher, compileMatcher, type PredicateReport } from '../kernel/matcher.js';
import type { Outcome } from '../kernel/outcome.js';
import { isResilienceRejection } from '../kernel/rejection.js';
import { ignore } from '../kernel/ignore.js';
import { verdict } from '../kernel/verdict.js';
import { compilePriority, type PriorityOf } from '../policies/bulkhead/priority.js';
import type { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/circuit-breaker.options.js';
import { Fallback } from '../policies/fallback/fallback.js';
import { Retry } from '../policies/retry/retry.js';
import type { MessageIdFunction } from '../policies/retry/retry.options.js';
import type { RetryBudget } from '../policies/retry/retry-budget.js';
import { compileTimeLimit, type LimitFor, timeLimitOf } from '../policies/time-limit/time-limit.js';
import { openContexts } from './current-call.js';
import { DirectEnds } from './direct-end.js';
import type { Environment } from './environment.js';
import type { Judge } from './judge.js';
import { fixedOf, Lane, type Named, policyAgain, policyFor, type Sources } from './lane.js';
import type { MethodPolicySet } from './policy-set.js';
import { ShuttingDownError } from './shutting-down.error.js';
import { TargetStatistics } from './statistics/target-statistics.js';

/** What outlives a change of the policies. */
export interface Continuity {
  readonly counters: TargetStatistics;
  readonly fallback: Fallback | undefined;
  readonly poison: PoisonLedger | undefined;
}

/** What a pipeline is made of besides its policies. */
export interface PipelineParts {
  readonly env: Environment;
  readonly report: PredicateReport;
  readonly sources: Sources;
  readonly budget: RetryBudget | undefined;
  /** What the target had before, if this replaces it. */
  readonly before: Continuity | undefined;
}

/** The policies of one target, ready to run: made once, used by every call. */
export class Pipeline implements Continuity {
  readonly env: Environment;
  /** Tells that a function from the options threw. */
  readonly report: PredicateReport;
  readonly retry: Retry | undefined;
  readonly budget: RetryBudget | undefined;
  readonly fallback: Fallback | undefined;
  /** Which messages keep failing, where calls are about messages. */
  readonly poison: PoisonLedger | undefined;
  /** Whether an attempt has a limit of its own. */
  readonly timeLimited: boolean;
  /** That limit, where it is the same for every attempt. */
  readonly fixedLimit: Milliseconds | undefined;
  /** Milliseconds that a stream may be silent after its first value. */
  readonly idle: Milliseconds | undefined;
  /** Whether calls run in an async context, for those made further in to find their deadline there. */
  readonly propagates: boolean;
  /** How the method keeps what it does to its component, if it does. */
  readonly checkpoint: CheckpointOptions | undefined;
  /** Whether to keep what the method does is all there is to be done: then a call needs no engine. */
  onlyKeeps: boolean;
  /** What every call meets where no policy is keyed. */
  readonly lane: Lane;
  readonly counters: TargetStatistics;
  /** The name of its circuit breaker, where it has one. */
  readonly port: string | undefined;
  private readonly sources: Sources;
  private readonly keyed: boolean;
  /** What follows when a call is answered that runs without an engine. */
  readonly directEnds = new DirectEnds(this);
  /**
   * A call needs the engine from its start: it may have to be answered while its method is still
   * running, or more than its breaker looks at its answer.
   */
  private engaged: boolean;
  private readonly timeLimit: LimitFor | undefined;
  private readonly priority: PriorityOf | undefined;
  private readonly ignore: CompiledMatcher | undefined;
  private readonly failOn: CompiledMatcher | undefined;
  private readonly messageId: MessageIdFunction | undefined;
  private readonly isFailure: CircuitBreakerOptions['isFailure'];

  constructor(
    readonly name: string,
    policies: MethodPolicySet,
    { env, report, sources, budget, before }: PipelineParts,
  ) {
    const { circuitBreaker, retry, bulkhead } = policies;
    const timeLimit = policies.timeLimit;
    this.env = env;
    this.report = report;
    this.sources = sources;
    const { breaker, rateLimit } = sources;
    this.lane = new Lane(
      name,
      env.clock,
      fixedOf(breaker),
      fixedOf(rateLimit),
      fixedOf(sources.bulkhead),
    );
    this.keyed = Object.values(sources).some(
      (source) => source !== undefined && !('fixed' in source),
    );
    this.budget = budget;
    this.counters = before?.counters ?? new TargetStatistics(env.sample);
    this.port = circuitBreaker === undefined ? undefined : (circuitBreaker.name ?? name);
    this.retry = retry && new Retry(retry, env.random, report, RETRY_TABLE);
    this.fallback =
      before?.fallback ?? (policies.fallback && new Fallback(policies.fallback, env.clock, report));
    this.messageId = retry?.messageId;
    this.poison = before?.poison ?? (this.messageId && new PoisonLedger());
    this.timeLimited =
      typeof timeLimit === 'object' ? timeLimit.ms !== undefined : timeLimit !== undefined;
    this.fixedLimit = timeLimit === undefined ? undefined : timeLimitOf(timeLimit);
    this.timeLimit = timeLimit === undefined ? undefined : compileTimeLimit(timeLimit);
    this.idle = typeof timeLimit === 'object' ? timeLimit.idle : undefined;
    this.checkpoint = policies.checkpoint;
    this.propagates =
      policies.checkpoint !== undefined ||
      retry?.propagateDeadline === true ||
      (typeof timeLimit === 'object' && timeLimit.propagateDeadline === true);
    if (this.propagates) openContexts();
    this.onlyKeeps =
      policies.checkpoint !== undefined &&
      [breaker, rateLimit, sources.bulkhead, retry, timeLimit, budget, this.fallback].every(
        (policy) => policy === undefined,
      ) &&
      !env.trace &&
      !env.calls.follows;
    this.priority = compilePriority(bulkhead?.priority, report);
    this.ignore = compileMatcher(circuitBreaker?.ignore, 'ignore', false, report);
    this.failOn = compileMatcher(circuitBreaker?.failOn, 'failOn', true, report);
    this.isFailure = circuitBreaker?.isFailure;
    this.engaged =
      this.timeLimited !== (this.fixedLimit !== undefined) ||
      this.propagates ||
      env.trace ||
      env.calls.follows ||
      typeof bulkhead?.maxHold === 'number' ||
      this.fallback?.keeps === true ||
      retry?.totalTimeout !== undefined ||
      this.messageId !== undefined ||
      retry?.retryOnResult !== undefined ||
      retry?.cloneArgs === true;
  }

  /** The refusal of a call because the application ends. */
  shuttingDown(): ShuttingDownError {
    return new ShuttingDownError(this.name, this.env.stack);
  }

  /** From here on every call has an engine, so that it can be ended. */
  engage(): void {
    this.engaged = true;
    this.onlyKeeps = false;
  }

  /** The stateful policies that a call with these arguments meets. */
  laneOf(args: readonly unknown[]): Lane {
    if (!this.keyed) return this.lane;
    const { breaker, rateLimit, bulkhead } = this.sources;
    return new Lane(
      this.name,
      this.env.clock,
      policyFor(breaker, args),
      policyFor(rateLimit, args),
      policyFor(bulkhead, args),
    );
  }

  /**
   * The same lane as it is now. A call that has waited holds policies that may have been forgotten
   * meanwhile, while others of its key meet new ones.
   */
  laneAgain(lane: Lane): Lane {
    if (!this.keyed) return lane;
    const { breaker, rateLimit, bulkhead } = this.sources;
    return new Lane(
      this.name,
      this.env.clock,
      policyAgain(breaker, lane.breaker),
      policyAgain(rateLimit, lane.rateLimit),
      policyAgain(bulkhead, lane.bulkhead),
    );
  }

  /** The breaker that all calls share. */
  get breaker(): Named<CircuitBreaker> | undefined {
    return this.lane.breaker;
  }

  /** The bulkhead that all calls share. */
  get bulkhead(): Named<Bulkhead> | undefined {
    return this.lane.bulkhead;
  }

  /**
   * Whether a call is admitted at once, and only its method or its limit could end it. Then it is
   * to be made, for it has been charged to the rate limit.
   */
  admitsDirectly(lane: Lane): boolean {
    return (
      !this.engaged &&
      (lane.breaker?.policy.isClosed ?? true) &&
      (lane.bulkhead?.policy.hasRoom ?? true) &&
      (lane.rateLimit?.policy.tryEnter() ?? true)
    );
  }

  /** The limit of an attempt, counted from 1; undefined if it has none. */
  limitFor(attempt: number, args: readonly unknown[]): Milliseconds | undefined {
    return this.timeLimit?.(attempt, args, this.report);
  }

  /** The priority in the bulkhead's queue. */
  priorityOf(args: readonly unknown[]): number {
    return this.priority?.(args) ?? 0;
  }

  /** The arguments for the next attempt: a fresh copy where each is to have its own. */
  freshArgs(args: unknown[]): unknown[] {
    if (this.retry?.cloneArgs !== true) return args;
    try {
      return structuredClone(args);
    } catch (error) {
      this.report('cloneArgs', error);
      return args;
    }
  }

  /** Whether a refusal of the breaker is all there is to say: nothing follows it, and nobody takes notes. */
  get refusesDirectly(): boolean {
    const { trace, calls } = this.env;
    return this.retry === undefined && this.fallback === undefined && !trace && !calls.follows;
  }

  /** The message that a call is about; undefined if none. Never throws. */
  deliveryOf(self: unknown, args: readonly unknown[]): Delivery | undefined {
    if (this.messageId === undefined) return undefined;
    try {
      const id: unknown = Reflect.apply(this.messageId, self, args);
      if (id === undefined) return undefined;
      return new Delivery(this.poison!, messageIdFrom(id), this.env.clock);
    } catch (error) {
      this.report('messageId', error);
      return undefined;
    }
  }

  classify(error: unknown): Classification {
    return this.env.classifier.classify(error);
  }

  /** What an error of the method means for the breaker around it. */
  outcomeOf(error: unknown, judge: Judge): Outcome {
    // our own refusals are no business of the matchers
    if (isResilienceRejection(error)) return judge.classifyAsIs(error).outcome;
    const categoryOf = (e: unknown): ErrorCategory => judge.classifyAsIs(e).category;
    if (this.ignore?.(error, categoryOf) === true) return 'ignored';
    if (this.isFailure !== undefined)
      return this.judge({ ok: false, error }) ? 'failure' : 'ignored';
    if (this.failOn !== undefined) return this.failOn(error, categoryOf) ? 'failure' : 'ignored';
    return judge.classifyAsIs(error).outcome;
  }

  /** Whether an answer may mean something else than that all is well. */
  get judgesAnswers(): boolean {
    return this.isFailure !== undefined;
  }

  /** What an answer of the method means for the breaker around it. */
  outcomeOfValue(value: unknown): Outcome {
    if (this.isFailure === undefined) return 'success';
    return this.judge({ ok: true, value }) ? 'failure' : 'success';
  }

  /** A predicate that throws leaves an answer good and an error bad. */
  private judge(settled: Parameters<NonNullable<CircuitBreakerOptions['isFailure']>>[0]): boolean {
    try {
      return verdict(this.isFailure!(settled));
    } catch (error) {
      this.report('isFailure', error);
      return !settled.ok;
    }
  }
}

/** A longer one is better hashed: ids are held in memory, and messages come from outside. */
const MAX_MESSAGE_ID = 1_024;

function messageIdFrom(answer: unknown): string {
  if (typeof answer === 'string' && answer.length <= MAX_MESSAGE_ID) return answer;
  ignore(answer);
  const got = typeof answer === 'string' ? `${answer.length} characters` : `a ${typeof answer}`;
  throw new TypeError(`got ${got}, expected a string of at most ${MAX_MESSAGE_ID} characters`);
}
