import type { Classification, ErrorCategory } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';
import {
  type CompiledMatcher,
  compileMatcher,
  type PredicateReport,
} from '../../kernel/matcher.js';
import type { Random } from '../../kernel/random.js';
import { isCommitUnknown } from '../../kernel/commit-unknown.js';
import { isResilienceRejection } from '../../kernel/rejection.js';
import { verdict } from '../../kernel/verdict.js';
import { type RetryPlan, retryPlan } from './retry-plan.js';
import {
  type BeforeRetry,
  layered,
  RETRY_BUDGET_DEFAULTS as BUDGET,
  RETRY_DEFAULTS as DEFAULTS,
  type RetryByCategory,
  type RetryOptions,
  type RetryPlanOptions,
} from './retry.options.js';

/** An attempt that failed, and what may be asked about it. */
export interface FailedAttempt {
  readonly error: unknown;
  /** Attempts so far, this one included. */
  readonly attempts: number;
  /** The delay before this attempt; 0 before the first. */
  readonly previousDelay: Milliseconds;
  /** Our own time limit gave up on work that has not ended. */
  readonly stillRunning: boolean;
  /** The error has used up a retry further in. */
  readonly spentFurtherIn: boolean;
  /** What the classifier says of it. Asked at most once, and only if it matters. */
  classification(): Classification;
  /** How long the dependency asks us to stay away. Asked at most once, and only if it matters. */
  retryAfter(): Milliseconds | undefined;
}

/**
 * Why there is no other attempt.
 *
 * - `exhausted`: it was worth one, but this was the last.
 * - `not-retryable`: another attempt will not help, or nobody asked for one.
 * - `aborted-on`: `abortOn` names it.
 * - `still-running`: the work goes on, and the method is not `idempotent`.
 * - `spent-further-in`: another retry has tried already.
 * - `retry-after-too-long`: the dependency wants to be left alone for longer than `maxRetryAfter`.
 */
export type NoRetry =
  | 'exhausted'
  | 'not-retryable'
  | 'aborted-on'
  | 'still-running'
  | 'spent-further-in'
  | 'retry-after-too-long';

export type RetryVerdict =
  | { readonly retry: true; readonly delay: Milliseconds }
  | { readonly retry: false; readonly why: NoRetry };

/** The built-in plans. A port: this policy knows no table. */
export type RetryTable = Partial<Record<ErrorCategory, RetryPlanOptions>>;

/** Decides whether an attempt is followed by another, and when. Holds no state of any call. */
export class Retry {
  readonly totalTimeout: Milliseconds | undefined;
  readonly propagateDeadline: boolean;
  readonly retryAfterEmit: boolean;
  readonly cloneArgs: boolean;
  readonly beforeRetry: ((info: BeforeRetry) => void | Promise<void>) | undefined;
  /** What the budget is to be made of; undefined without one. */
  readonly budget: { readonly ratio: number; readonly minimum: number } | undefined;
  private readonly idempotent: boolean;
  private readonly retryNested: boolean;
  private readonly longestAnnounced: Milliseconds | undefined;
  private readonly retryOn: CompiledMatcher | undefined;
  private readonly abortOn: CompiledMatcher | undefined;
  private readonly retryOnResult: ((value: unknown) => boolean) | undefined;
  private readonly byCategory: RetryByCategory;
  /** Made when first needed; under `undefined` the plan for results, which have no category. */
  private readonly plans = new Map<ErrorCategory | undefined, RetryPlan>();

  constructor(
    private readonly options: RetryOptions,
    private readonly random: Random,
    private readonly report: PredicateReport,
    private readonly table: RetryTable = {},
  ) {
    const { budget, respectRetryAfter, maxRetryAfter } = options;
    this.totalTimeout = options.totalTimeout;
    this.propagateDeadline = options.propagateDeadline ?? DEFAULTS.propagateDeadline;
    this.retryAfterEmit = options.retryAfterEmit ?? DEFAULTS.retryAfterEmit;
    this.cloneArgs = options.cloneArgs ?? DEFAULTS.cloneArgs;
    this.beforeRetry = options.beforeRetry;
    this.budget =
      budget === false
        ? undefined
        : {
            ratio: budget?.ratio ?? BUDGET.ratio,
            minimum: budget?.minimum ?? BUDGET.minimum,
          };
    this.idempotent = options.idempotent ?? DEFAULTS.idempotent;
    this.retryNested = options.retryNested ?? DEFAULTS.retryNested;
    this.longestAnnounced =
      (respectRetryAfter ?? DEFAULTS.respectRetryAfter)
        ? (maxRetryAfter ?? DEFAULTS.maxRetryAfter)
        : undefined;
    this.retryOn = compileMatcher(options.retryOn, 'retryOn', false, report);
    this.abortOn = compileMatcher(options.abortOn, 'abortOn', true, report);
    this.retryOnResult = options.retryOnResult;
    this.byCategory = options.byCategory ?? {};
  }

  /** What follows a failed attempt. */
  decide(failure: FailedAttempt): RetryVerdict {
    const { error, attempts, stillRunning } = failure;
    if (isCommitUnknown(error)) return NO['not-retryable'];
    if (stillRunning && !this.idempotent) return NO['still-running'];
    let known: Classification | undefined;
    const categoryOf = (): ErrorCategory => (known ??= failure.classification()).category;
    if (this.abortOn?.(error, categoryOf) === true) return NO['aborted-on'];
    if (failure.spentFurtherIn && !this.retryNested) return NO['spent-further-in'];
    const classification = (known ??= failure.classification());
    if (!this.wants(error, classification, stillRunning)) return NO['not-retryable'];
    const plan = this.planOf(classification.category);
    if (attempts >= plan.maxAttempts) return NO['exhausted'];

    const delay = plan.backoff(attempts, error, failure.previousDelay);
    if (this.longestAnnounced === undefined) return { retry: true, delay };
    const announced = failure.retryAfter();
    if (announced === undefined || !(announced > delay)) return { retry: true, delay };
    return announced > this.longestAnnounced
      ? NO['retry-after-too-long']
      : { retry: true, delay: Math.ceil(announced) };
  }

  /** Whether the options call this result not good enough. */
  wantsResult(value: unknown): boolean {
    if (this.retryOnResult === undefined) return false;
    try {
      const answer: unknown = this.retryOnResult(value);
      return verdict(answer) && answer === true;
    } catch (thrown) {
      this.report('retryOnResult', thrown);
      return false;
    }
  }

  /** What follows an attempt whose result `wantsResult` did not like. */
  afterResult(attempts: number, previousDelay: Milliseconds): RetryVerdict {
    const plan = this.planOf(undefined);
    if (attempts >= plan.maxAttempts) return NO['exhausted'];
    return { retry: true, delay: plan.backoff(attempts, undefined, previousDelay) };
  }

  private wants(error: unknown, classification: Classification, stillRunning: boolean): boolean {
    const plan = this.byCategory[classification.category];
    if (plan === false) return false;
    if (this.retryOn !== undefined) return this.retryOn(error, () => classification.category);
    if (stillRunning) return true;
    if (isResilienceRejection(error)) return false;
    if (classification.retryable) return true;
    // a plan of its own asks for errors of a category, but not for calls that nobody waits for
    const { outcome } = classification;
    return plan !== undefined && (outcome === 'failure' || outcome === 'ignored');
  }

  private planOf(category: ErrorCategory | undefined): RetryPlan {
    let plan = this.plans.get(category);
    if (plan === undefined) {
      const given = category === undefined ? undefined : this.byCategory[category];
      const own = layered(given === false ? undefined : given, this.options);
      const table = category === undefined ? undefined : this.table[category];
      plan = retryPlan(own, table ?? {}, this.random, this.report);
      this.plans.set(category, plan);
    }
    return plan;
  }
}

const no = (why: NoRetry): RetryVerdict => Object.freeze({ retry: false, why });

const NO: { readonly [W in NoRetry]: RetryVerdict } = {
  exhausted: no('exhausted'),
  'not-retryable': no('not-retryable'),
  'aborted-on': no('aborted-on'),
  'still-running': no('still-running'),
  'spent-further-in': no('spent-further-in'),
  'retry-after-too-long': no('retry-after-too-long'),
};
