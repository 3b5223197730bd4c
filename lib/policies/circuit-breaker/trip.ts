import type { Milliseconds } from '../../kernel/duration.js';
import type { Outcome } from '../../kernel/outcome.js';

/** What a breaker keeps of an error. Never its message, which may hold a user's data. */
export interface FailureFacts {
  /** The error's code, else its name. */
  readonly error?: string;
  /** How long the dependency asked us to stay away, counted from the failure. */
  readonly retryAfter?: Milliseconds;
}

/** The facts of any thrown value. Never throws, whatever the value does. */
export function failureFacts(error: unknown, retryAfter?: Milliseconds): FailureFacts {
  const word = codeOrName(error);
  return {
    ...(word === undefined ? {} : { error: word }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/**
 * What opened a breaker: a run of failures, the share of failed or of slow calls, the probes of a
 * half-open period, or a call let in while it was closing by steps.
 */
export type TripCause = 'failure-threshold' | 'failure-rate' | 'slow-rate' | 'probes' | 'recovery';

/** The counts that opened a breaker. */
export interface TripEvidence {
  readonly rule: TripCause;
  /** The calls that were looked at: the run, the window, or the probes. */
  readonly calls: number;
  /** How many of them failed. Of probes, and while recovering, slow ones are among them. */
  readonly failures: number;
  /** How many of them were slow; 0 without a slow rule. */
  readonly slow: number;
  /** The share that reached its limit, 0 to 1. */
  readonly rate: number;
}

/** One of the outcomes that opened a breaker. A success is among them because it was slow. */
export interface TripOutcome {
  readonly outcome: Outcome;
  readonly error?: string;
  /** How long the call took, if that was measured. */
  readonly duration?: Milliseconds;
  /** How long before the trip it came. */
  readonly age: Milliseconds;
}

/** Why and when a breaker opened. */
export interface Trip extends TripEvidence {
  /** By the wall clock. */
  readonly at: Milliseconds;
  /** The last outcomes that caused it, at most 10, oldest first. */
  readonly outcomes: readonly TripOutcome[];
}

/** A trip with what came of it. */
export interface LastTrip extends Trip {
  /** How often the breaker opened since it was last closed, this time included. */
  readonly openings: number;
  readonly openFor: Milliseconds;
  /** When the next probe may pass, by the wall clock. */
  readonly probeAt: Milliseconds;
}

/** The trip in words, for the event. */
export function describeTrip({ rule, calls, failures, slow }: TripEvidence): string {
  switch (rule) {
    case 'failure-threshold':
      return `${failures} failures in a row`;
    case 'failure-rate':
      return `${failures} of the last ${calls} calls failed`;
    case 'slow-rate':
      return `${slow} of the last ${calls} calls were slow`;
    case 'probes':
      return `${failures} of ${calls} probes failed`;
    case 'recovery':
      return 'a call failed at the first step of recovery';
    default:
      return rule satisfies never;
  }
}

/** A code or a name is a word; what is longer holds something else. */
const MAX_WORD = 100;

function cut(word: string): string {
  return word.length <= MAX_WORD ? word : `${word.slice(0, MAX_WORD)}…`;
}

function codeOrName(error: unknown): string | undefined {
  try {
    const { code, name } = error as { code?: unknown; name?: unknown };
    if (typeof code === 'string' || typeof code === 'number') return cut(String(code));
    return typeof name === 'string' ? cut(name) : undefined;
  } catch {
    return undefined; // undefined and null have neither; a getter that throws is no better than none
  }
}
