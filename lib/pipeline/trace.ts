import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { PolicyKind } from '../kernel/rejection.js';
import type { AttemptRecord } from '../policies/retry/attempt-log.js';

/** One decision on the way of a call. */
export interface Decision {
  /** Milliseconds since the call began. */
  readonly at: Milliseconds;
  /** The attempt it concerns, from 1. */
  readonly attempt: number;
  /** Who decided; `method` is the protected method itself. */
  readonly by: PolicyKind | 'method';
  /** What was decided, such as `admitted`, `refused`, `failed`, `retry in 200 ms`. */
  readonly verdict: string;
}

/** What this library knows of how an error came to its caller. */
export interface Explanation {
  /** The name of the protected method. */
  readonly target: string;
  /** The attempts that failed before the last one, at most 10. */
  readonly attempts: readonly AttemptRecord[];
  /** Every decision, at most the first 100; empty unless the module has `trace: true`. */
  readonly decisions: readonly Decision[];
  /** Milliseconds that were left of the call's total time; undefined without a limit. */
  readonly remaining?: Milliseconds;
}

const MAX_DECISIONS = 100;

/** Writes down the decisions of one call. */
export class Trace {
  readonly decisions: Decision[] = [];
  private readonly began: Milliseconds;

  constructor(private readonly clock: Clock) {
    this.began = clock.now();
  }

  note(attempt: number, by: Decision['by'], verdict: string): void {
    if (this.decisions.length >= MAX_DECISIONS) return;
    this.decisions.push({ at: this.clock.now() - this.began, attempt, by, verdict });
  }
}

const explanations = new WeakMap<object, Explanation | null>();

/** Remembers how an error came about. An error object that several calls share explains none of them. */
export function explain(error: unknown, explanation: Explanation): void {
  if (typeof error !== 'object' || error === null) return;
  explanations.set(error, explanations.has(error) ? null : explanation);
}

/**
 * How an error of a protected call came to its caller: the attempts before the last, and, with the
 * module's `trace: true`, every decision on the way. Undefined for errors that came straight from
 * the method, that are no objects, or whose object several calls share.
 */
export function explainError(error: unknown): Explanation | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return explanations.get(error) ?? undefined;
}
