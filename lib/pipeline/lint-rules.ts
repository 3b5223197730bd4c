import type { Milliseconds } from '../kernel/duration.js';
import { BULKHEAD_DEFAULTS } from '../policies/bulkhead/bulkhead.options.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../policies/circuit-breaker/circuit-breaker.options.js';
import { RUN_SPAN } from '../policies/circuit-breaker/trip-rule.js';
import { type FallbackOptions, fallbackList } from '../policies/fallback/fallback.options.js';
import { RATE_LIMIT_DEFAULTS } from '../policies/rate-limit/rate-limit.options.js';
import { RETRY_DEFAULTS, type RetryOptions } from '../policies/retry/retry.options.js';
import { retryPlan } from '../policies/retry/retry-plan.js';
import { timeLimitOf } from '../policies/time-limit/time-limit.js';
import type { MethodPolicySet, PolicySet } from './policy-set.js';

/** What can be odd about a target. */
export type TargetCode =
  | 'TOTAL_TIMEOUT_TOO_SHORT'
  | 'NESTED_RETRY'
  | 'WINDOW_CANNOT_FILL'
  | 'IMPLAUSIBLE_RATE'
  | 'WRITE_WITHOUT_IDEMPOTENT'
  | 'POLICY_NEVER_ACTS'
  | 'QUEUE_WITHOUT_LIMIT'
  | 'RESULT_KEPT_TWICE';

interface Subject {
  readonly name: string;
  readonly policies: PolicySet;
  /** The policies of all targets of that name, these included. */
  readonly around: readonly PolicySet[];
}

/** Answers what is odd, in words. The policies have been checked. */
type LintRule = (subject: Subject) => string[];

/** By code. What cannot be known for sure is passed over: a false alarm costs more than a missed one. */
export const LINT_RULES: { readonly [C in TargetCode]: LintRule } = {
  TOTAL_TIMEOUT_TOO_SHORT: ({ policies: { retry, timeLimit } }) => {
    const limit = timeLimit === undefined ? undefined : timeLimitOf(timeLimit);
    const total = retry?.totalTimeout;
    // a time limit that never acts is another finding
    if (total === undefined || (limit !== undefined && limit >= total)) return [];
    const { attempts, started, takes } = worstCase(retry!, limit ?? 0, total);
    if (takes <= total) return [];
    const what =
      limit === undefined
        ? `the delays between its ${attempts} attempts`
        : `its ${attempts} attempts of ${ms(limit)} and the delays between them`;
    const then = started < attempts ? `only ${started} of them start` : 'the last one is cut short';
    return [
      `${what} may take ${ms(takes)}, and totalTimeout is ${ms(total)}: then ${then}; fewer or shorter attempts would fit, or a longer totalTimeout`,
    ];
  },

  NESTED_RETRY: ({ policies: { retry } }) =>
    retry?.retryNested === true && mayRetry(retry)
      ? [
          'retryNested: true tries again what a retry further in has used up: their attempts multiply',
        ]
      : [],

  WINDOW_CANNOT_FILL: ({ policies }) => {
    const { circuitBreaker } = policies;
    const room = callsInWindow(policies);
    if (circuitBreaker === undefined || room === undefined) return [];
    const { failureThreshold, failureRate, slowCallDuration } = circuitBreaker;
    const { minimumCalls = CIRCUIT_BREAKER_DEFAULTS.minimumCalls } = circuitBreaker;
    const judged = failureRate !== undefined || slowCallDuration !== undefined;
    const neither = failureThreshold === undefined && failureRate === undefined;
    // without a rule of its own a short run of failures opens it below minimumCalls
    const enough = judged ? minimumCalls : neither ? CIRCUIT_BREAKER_DEFAULTS.failureThreshold : 0;
    if (room >= enough) return [];
    const needs = judged ? `minimumCalls is ${count(minimumCalls)}` : `it takes ${enough} to open`;
    return [
      `the rate limit lets at most ${count(room)} calls into the window of the circuit breaker, and ${needs}: it will not open by what it counts there; take a longer window or fewer calls`,
    ];
  },

  IMPLAUSIBLE_RATE: ({ policies: { rateLimit } }) => {
    if (rateLimit === undefined) return [];
    const { limit, per = RATE_LIMIT_DEFAULTS.per, burst = limit } = rateLimit;
    const perSecond = (limit / per) * 1_000;
    const problems = [];
    if (perSecond > MOST_PER_SECOND)
      problems.push(
        `${count(limit)} calls per ${ms(per)} are ${count(perSecond)} per second, more than one process can make; \`per\` is in milliseconds`,
      );
    if (burst > MOST_BURSTS * limit)
      problems.push(
        `a burst of ${count(burst)} calls is ${count(burst / limit)} times what ${ms(per)} allow: after a rest the limit is none for long`,
      );
    return problems;
  },

  WRITE_WITHOUT_IDEMPOTENT: ({ name, policies: { retry } }) => {
    if (retry === undefined || retry.idempotent !== undefined || !mayRetry(retry)) return [];
    const word = firstWord(name);
    if (!WRITES.has(word)) return [];
    return [
      `is retried, and "${word}" sounds like a write that must not happen twice; say \`idempotent: true\` if it may run again, \`idempotent: false\` if an error of it means that nothing was written, or take the retry away`,
    ];
  },

  POLICY_NEVER_ACTS: ({ policies }) => NEVER_ACTS.flatMap((rule) => rule(policies) ?? []),

  QUEUE_WITHOUT_LIMIT: ({ policies: { bulkhead }, around }) => {
    if (bulkhead === undefined || bulkhead.queueTimeout !== undefined) return [];
    const { maxQueue = BULKHEAD_DEFAULTS.maxQueue } = bulkhead;
    if (maxQueue === 0 || around.some(isLimited)) return [];
    return [
      `up to ${count(maxQueue)} calls wait in the queue of the bulkhead for as long as it takes, and one that comes back to it after an await may wait for itself; give it a queueTimeout, or the method a time limit (maxQueue: 0 refuses at once)`,
    ];
  },

  RESULT_KEPT_TWICE: ({ policies }) => {
    const { retry, checkpoint } = policies as MethodPolicySet;
    if (checkpoint === undefined || retry?.retryOnResult === undefined || !mayRetry(retry))
      return [];
    return [
      'retryOnResult looks at answers that are in the journal already: each attempt of a @Checkpoint method that answers is kept, one on top of the other; throw in the method in place of an answer that is not good enough',
    ];
  },
};

/** More than that one process cannot make, let alone a dependency take. */
const MOST_PER_SECOND = 100_000;
const MOST_BURSTS = 100;

/** Each names one policy that can never act. */
const NEVER_ACTS: readonly ((policies: PolicySet) => string | undefined)[] = [
  ({ retry }) =>
    retry !== undefined && !mayRetry(retry) && acts(retry) === undefined
      ? 'the retry never acts: maxAttempts is 1, the first attempt'
      : undefined,
  ({ retry }) =>
    isEmpty(retry?.retryOn) && retry?.retryOnResult === undefined && acts(retry!) === undefined
      ? 'the retry never acts: retryOn is empty, and so lists no error'
      : undefined,
  ({ timeLimit, retry }) => {
    const limit = timeLimit === undefined ? undefined : timeLimitOf(timeLimit);
    const total = retry?.totalTimeout;
    return limit !== undefined && total !== undefined && limit >= total
      ? `the time limit of ${ms(limit)} never acts: totalTimeout ends the call after ${ms(total)}`
      : undefined;
  },
  ({ timeLimit, bulkhead }) => {
    const limit = timeLimit === undefined ? undefined : timeLimitOf(timeLimit);
    const wait = bulkhead?.queueTimeout;
    return limit !== undefined && wait !== undefined && wait >= limit
      ? `the queueTimeout of ${ms(wait)} never acts: the time limit of ${ms(limit)} includes the wait in the queue`
      : undefined;
  },
  ({ timeLimit, retry }) => {
    const ofLimit = typeof timeLimit === 'object' && timeLimit.propagateDeadline === true;
    const propagates = ofLimit || retry?.propagateDeadline === true;
    const limited = typeof timeLimit === 'number' || timeLimit?.ms !== undefined;
    return propagates && !limited && retry?.totalTimeout === undefined
      ? 'propagateDeadline hands on no deadline: there is neither a time limit nor a totalTimeout'
      : undefined;
  },
  ({ circuitBreaker, timeLimit }) =>
    isEmpty(circuitBreaker?.failOn) &&
    circuitBreaker?.slowCallDuration === undefined &&
    timeLimit === undefined // our own timeouts count as failures whatever failOn says
      ? 'the circuit breaker never opens: failOn is empty, and so lists no error'
      : undefined,
  (policies) => {
    const { failureThreshold, window } = policies.circuitBreaker ?? {};
    const room = typeof window === 'number' ? callsInWindow(policies) : undefined;
    return failureThreshold !== undefined && room !== undefined && room < failureThreshold
      ? `the failureThreshold of ${count(failureThreshold)} is never reached: the rate limit lets at most ${count(room)} calls into its window`
      : undefined;
  },
  ({ fallback }) => {
    if (fallback === undefined) return undefined;
    const list = fallbackList(fallback);
    const empty = list.findIndex(({ on }) => isEmpty(on));
    if (empty >= 0)
      return `fallback ${empty + 1} never acts: its \`on\` is empty, and so lists no error`;
    const always = list.findIndex(answersAlways);
    const behind = list.findIndex(({ on }, i) => i > always && on === undefined);
    return always >= 0 && behind >= 0
      ? `fallback ${behind + 1} never acts: the value before it answers whatever it would`
      : undefined;
  },
];

/** What a retry does besides retrying. */
function acts({ totalTimeout, propagateDeadline }: RetryOptions): unknown {
  return totalTimeout ?? (propagateDeadline === true || undefined);
}

function mayRetry({ maxAttempts = RETRY_DEFAULTS.maxAttempts, byCategory }: RetryOptions): boolean {
  const plans = Object.values(byCategory ?? {});
  return maxAttempts > 1 || plans.some((plan) => plan && (plan.maxAttempts ?? maxAttempts) > 1);
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}

function isLimited({ timeLimit, retry }: PolicySet): boolean {
  const limited = typeof timeLimit === 'object' ? timeLimit.ms : timeLimit;
  return limited !== undefined || retry?.totalTimeout !== undefined;
}

function answersAlways(options: FallbackOptions): boolean {
  return 'value' in options && options.on === undefined && options.except === undefined;
}

/** Of a longer retry nobody waits for the end. */
const MOST_ATTEMPTS = 10_000;

/** A call whose every attempt takes all its time and then fails. */
function worstCase(
  retry: RetryOptions,
  limit: Milliseconds,
  total: Milliseconds,
): { attempts: number; started: number; takes: Milliseconds } {
  // what a function would answer is not known; the least is nothing
  const known = typeof retry.backoff === 'function' ? NO_DELAY : {};
  const { maxAttempts, backoff } = retryPlan({ ...retry, ...known }, {}, highest, () => {});
  const attempts = Math.min(maxAttempts, MOST_ATTEMPTS);
  let started = 0;
  let takes = 0;
  let delay = 0;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    if (attempt > 1) takes += delay = backoff(attempt - 1, undefined, delay);
    if (takes < total) started += 1;
    takes += limit;
  }
  return { attempts, started, takes };
}

const NO_DELAY = { delay: 0, backoff: 'constant' } as const;

/** Dice that always show the most. */
const highest = (): number => 1 - Number.EPSILON;

/**
 * How many calls the target's rate limit lets into the time window of its breaker; undefined where
 * that is not known: other methods or other keys may bring calls too.
 */
function callsInWindow({ circuitBreaker, rateLimit }: PolicySet): number | undefined {
  if (circuitBreaker === undefined || rateLimit === undefined) return undefined;
  const span = windowOf(circuitBreaker);
  const perKey = rateLimit.key !== undefined && rateLimit.key !== circuitBreaker.key;
  if (span === undefined || perKey || circuitBreaker.name !== undefined) return undefined;
  const { limit, per = RATE_LIMIT_DEFAULTS.per, burst = limit } = rateLimit;
  return Math.floor(burst + (span * limit) / per);
}

/** How long an outcome counts at most: it is forgotten by tenths of the window. */
function windowOf(circuitBreaker: CircuitBreakerOptions): Milliseconds | undefined {
  const { window, failureThreshold, failureRate, slowCallDuration } = circuitBreaker;
  const rules = [window, failureThreshold, failureRate, slowCallDuration];
  if (rules.every((rule) => rule === undefined)) return RUN_SPAN;
  const span = window ?? CIRCUIT_BREAKER_DEFAULTS.window;
  return typeof span === 'number' ? span * 1.1 : undefined;
}

const WRITES = new Set(
  (
    'create add insert update delete remove send post put patch pay charge transfer submit process ' +
    'save write publish book order withdraw deposit mint'
  ).split(' '),
);

/** `create` of `Orders.createOrder` and of `create-order`. */
function firstWord(name: string): string {
  const method = name.slice(name.lastIndexOf('.') + 1);
  const words = method.split(/[^a-zA-Z]+|(?<=[a-z])(?=[A-Z])/).filter((word) => word !== '');
  return words[0]?.toLowerCase() ?? '';
}

function count(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

function ms(span: Milliseconds): string {
  return `${count(span)} ms`;
}
