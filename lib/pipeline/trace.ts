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
  /** What was decided, in words: `admitted`, `failed, counted as failure`, `again in 200 ms`. */
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
  /** The same of the protected call further in that the error came from, at most 5 deep. */
  readonly inner?: Explanation;
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

const MAX_DEPTH = 5;

/** When a call took place, by the serial numbers of attempts. */
export interface Span {
  /** Its first attempt. */
  readonly first: number;
  /** Its last attempt. */
  readonly last: number;
}

interface Entry {
  readonly explanation: Explanation;
  readonly first: number;
  readonly depth: number;
}

const entries = new WeakMap<object, Entry | null>();
let attempts = 0;

/** The number of an attempt that starts, higher than all before it. */
export function attemptSerial(): number {
  attempts += 1;
  return attempts;
}

/**
 * Remembers how an error came about. An error object that several calls share explains none of
 * them, unless it passes from one to the other: a call of another method that began and ended
 * within our last attempt was made by it, as far as anybody can tell.
 */
export function explain(error: unknown, explanation: Explanation, { first, last }: Span): void {
  if (typeof error !== 'object' || error === null) return;
  const known = entries.get(error);
  if (known === undefined) {
    entries.set(error, { explanation, first, depth: 1 });
  } else if (known !== null && known.first > last && isFrom(known, explanation)) {
    const { explanation: inner, depth } = known;
    entries.set(error, { explanation: { ...explanation, inner }, first, depth: depth + 1 });
  } else {
    entries.set(error, null);
  }
}

/**
 * The call has nothing to say of its error. What was said of the same object is said of another
 * call, unless that one was made by it: then the error passes through, and it stays.
 */
export function explainNothing(error: unknown, target: string, { last }: Span): void {
  if (typeof error !== 'object' || error === null) return;
  const known = entries.get(error);
  if (known === undefined || known === null) return;
  if (known.first <= last || known.explanation.target === target) entries.set(error, null);
}

function isFrom({ explanation, depth }: Entry, { target }: Explanation): boolean {
  return depth < MAX_DEPTH && explanation.target !== target;
}

/**
 * How an error of a protected call came to its caller: the attempts before the last, and, with the
 * module's `trace: true`, every decision on the way; and the same of the protected call further in
 * that it passed through. Undefined for errors that came straight from the method, that are no
 * objects, or whose object several calls share.
 */
export function explainError(error: unknown): Explanation | undefined {
  return entries.get(error as object)?.explanation; // what is no object is in no WeakMap
}
