import type { Milliseconds } from '../../kernel/duration.js';
import type { ErrorContext } from '../error-context.js';
import { coOccurring, type Together } from './co-occurrence.js';
import { type DependsOn, type Incident, incidentsOf } from './incidents.js';

/** Why two errors may have to do with each other. */
export type Relation =
  /** Both belong to the same request. Certain. */
  | { readonly kind: 'correlation'; readonly correlationId: string }
  /** Both belong to the same distributed trace. Certain. */
  | { readonly kind: 'trace'; readonly traceId: string }
  /** Both met the same dependency; `apart` in milliseconds. */
  | { readonly kind: 'dependency'; readonly port: string; readonly apart: Milliseconds }
  /** Errors of these kinds come together again and again. */
  | ({ readonly kind: 'co-occurrence' } & Together);

/** An error that has to do with another. */
export interface RelatedError {
  readonly entry: ErrorContext;
  /** At least one, the strongest first. */
  readonly reasons: readonly Relation[];
  /** How sure it is, above 0 to 1 (certain): of the strongest reason. */
  readonly strength: number;
}

export interface ErrorCorrelatorOptions {
  /** The entries of the log, in any order. At most the newest 1,000 are looked at. */
  readonly entries: () => readonly ErrorContext[];
  /** What a component depends on, by name. Default: what its own errors tell, their `port`. */
  readonly dependsOn?: DependsOn;
  /** Milliseconds in which errors of one dependency have to do with each other. Default 30 s. */
  readonly near?: Milliseconds;
  /** Milliseconds before the newest error that an incident is made of. Default 60 s. */
  readonly recent?: Milliseconds;
}

const MOST_ENTRIES = 1_000;
const MOST_RELATED = 50;
const NEAR: Milliseconds = 30_000;
const RECENT: Milliseconds = 60_000;
/** How strong the weaker reasons are at their best. */
const SAME_DEPENDENCY = 0.8;
const SAME_TIMES = 0.6;

/**
 * Which errors belong together. It keeps nothing: each question is answered from the entries of the
 * log, in a time bounded by their number.
 */
export class ErrorCorrelator {
  private readonly near: Milliseconds;
  private readonly recent: Milliseconds;

  constructor(private readonly options: ErrorCorrelatorOptions) {
    this.near = options.near ?? NEAR;
    this.recent = options.recent ?? RECENT;
  }

  /**
   * The errors that have to do with this one: the strongest first, then the nearest in time, at most
   * 50. Empty if the id is not in the log.
   */
  related(id: string): readonly RelatedError[] {
    const entries = this.entries();
    const subject = entries.find((entry) => entry.id === id);
    if (subject === undefined) return [];
    const together = coOccurring(subject.fingerprint, entries.map(sighting));
    const related: (RelatedError & { readonly apart: Milliseconds })[] = [];
    for (const entry of entries) {
      if (entry === subject) continue;
      const apart = Math.abs(entry.lastOccurrence - subject.lastOccurrence);
      const found = [
        ...sameRequest(subject, entry),
        ...this.sameDependency(subject, entry, apart),
        ...sameTimes(entry, apart, together),
      ].toSorted((a, b) => b.strength - a.strength);
      const strength = found[0]?.strength;
      if (strength === undefined) continue;
      related.push({ entry, reasons: found.map(({ reason }) => reason), strength, apart });
    }
    return related
      .toSorted((a, b) => b.strength - a.strength || a.apart - b.apart)
      .slice(0, MOST_RELATED)
      .map(({ entry, reasons, strength }) => ({ entry, reasons, strength }));
  }

  /** The newest errors grouped by what they come from, most symptoms first. */
  incidents(): readonly Incident[] {
    const entries = this.entries();
    const newest = entries.at(-1)?.lastOccurrence ?? 0;
    const recent = entries.filter(({ lastOccurrence }) => newest - lastOccurrence <= this.recent);
    return incidentsOf(recent, this.options.dependsOn ?? (() => []));
  }

  /** Oldest first. */
  private entries(): readonly ErrorContext[] {
    return this.options
      .entries()
      .toSorted((a, b) => a.lastOccurrence - b.lastOccurrence)
      .slice(-MOST_ENTRIES);
  }

  private sameDependency(a: ErrorContext, b: ErrorContext, apart: Milliseconds): Reason[] {
    const { port } = a;
    if (port === undefined || port !== b.port || apart > this.near) return [];
    // half as sure at the end of the time as at its beginning
    const strength = SAME_DEPENDENCY * (1 - apart / this.near / 2);
    return [{ reason: { kind: 'dependency', port, apart }, strength }];
  }
}

interface Reason {
  readonly reason: Relation;
  readonly strength: number;
}

function sighting({ fingerprint, lastOccurrence: at }: ErrorContext): {
  readonly fingerprint: string;
  readonly at: Milliseconds;
} {
  return { fingerprint, at };
}

function sameRequest(a: ErrorContext, b: ErrorContext): Reason[] {
  const reasons: Reason[] = [];
  const { correlationId, traceId } = a;
  if (correlationId !== undefined && correlationId === b.correlationId) {
    reasons.push({ reason: { kind: 'correlation', correlationId }, strength: 1 });
  }
  if (traceId !== undefined && traceId === b.traceId) {
    reasons.push({ reason: { kind: 'trace', traceId }, strength: 1 });
  }
  return reasons;
}

const SAME_STRETCH: Milliseconds = 10_000;

function sameTimes(
  { fingerprint }: ErrorContext,
  apart: Milliseconds,
  together: ReadonlyMap<string, Together>,
): Reason[] {
  const found = apart <= SAME_STRETCH ? together.get(fingerprint) : undefined;
  if (found === undefined) return [];
  return [{ reason: { kind: 'co-occurrence', ...found }, strength: SAME_TIMES * found.overlap }];
}
