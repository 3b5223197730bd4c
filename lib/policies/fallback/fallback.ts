import type { Classification, ErrorCategory } from '../../kernel/classifier.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { FallbackKind } from '../../kernel/event.js';
import {
  type CompiledMatcher,
  compileMatcher,
  type PredicateReport,
} from '../../kernel/matcher.js';
import { type FallbackOptions, type FallbackPlan, fallbackList } from './fallback.options.js';
import { LastGood } from './last-good.js';

type Answer = (self: unknown, error: unknown, args: readonly unknown[]) => unknown;

/** A fallback that stands in for one call. */
export interface Offer {
  readonly kind: FallbackKind;
  /** Its place in the list. */
  readonly position: number;
  /** How old its answer is; undefined for one that is made now. */
  readonly age: Milliseconds | undefined;
  /** Asks it. What it throws is its own failure. */
  readonly answer: Answer;
}

/** What the fallbacks of a method have done so far. */
export interface FallbackSnapshot {
  /** Calls of the method that have begun. */
  readonly calls: number;
  /** Calls that a fallback answered: degraded answers. */
  readonly answered: number;
  /** Degraded answers by the kind of fallback that gave them. */
  readonly byKind: Readonly<Record<FallbackKind, number>>;
  /** Calls that ended with the error of a fallback, each counted once however long the list is. */
  readonly failed: number;
  /** Degraded answers per call, 0 to 1. */
  readonly share: number;
  /** When a fallback last answered, in milliseconds since 1970. */
  readonly lastUsedAt: Milliseconds | undefined;
  /** How old the last good answer was that was given again most recently, in milliseconds, as it was given. */
  readonly cacheAge: Milliseconds | undefined;
  /** Last good answers held. */
  readonly entries: number;
}

interface Entry {
  readonly kind: FallbackKind;
  readonly answer: Answer;
  readonly on: CompiledMatcher | undefined;
  readonly except: CompiledMatcher | undefined;
}

/** Finds who answers instead of the method, in the order of the list, and counts who did. */
export class Fallback {
  private readonly entries: readonly Entry[];
  private readonly lastGood: LastGood | undefined;
  private readonly byKind = { handler: 0, method: 0, value: 0, cache: 0, alternative: 0 };
  private calls = 0;
  private failures = 0;
  private lastUsedAt: Milliseconds | undefined;
  private cacheAge: Milliseconds | undefined;

  constructor(
    plan: FallbackPlan,
    private readonly clock: Clock,
    report: PredicateReport,
  ) {
    const list = fallbackList(plan);
    const cached = list.find((options) => 'cache' in options);
    this.lastGood = cached === undefined ? undefined : new LastGood(cached.cache, clock, report);
    this.entries = list.flatMap((options) => {
      const on = compileMatcher(options.on, 'on', false, report);
      const except = compileMatcher(options.except, 'except', true, report);
      return answersOf(options).map(([kind, answer]) => ({ kind, answer, on, except }));
    });
  }

  /** Whether good answers are kept, so that every call needs its key. */
  get keeps(): boolean {
    return this.lastGood !== undefined;
  }

  /** A call of the method begins. */
  begun(): void {
    this.calls += 1;
  }

  /**
   * Under which key the call's good answer is to be kept; undefined if it is not. To be asked
   * before the method can change its arguments: who shares them would give away the answer of
   * another. Never throws.
   */
  keyOf(self: unknown, args: unknown[]): string | undefined {
    return this.lastGood?.keyOf(self, args);
  }

  /** The method itself gave this answer to a call with this key. */
  keep(key: string, value: unknown): void {
    this.lastGood?.keep(key, value);
  }

  /**
   * The next fallback for a call, from this place of the list on; undefined if there is none.
   *
   * @param errors the error of the method, then those of the fallbacks that were asked already:
   * what must not be hidden is not hidden either where an alternative said it
   * @param classify whether an error may be hidden although nobody listed it, and whether it says
   * that the call was cancelled: that is never hidden
   */
  next(
    from: number,
    errors: readonly unknown[],
    classify: (error: unknown) => Classification,
    key: string | undefined,
  ): Offer | undefined {
    const classes = errors.map((error) => classify(error));
    if (classes.some(({ outcome }) => outcome === 'cancelled')) return undefined;
    for (let position = from; position < this.entries.length; position += 1) {
      const entry = this.entries[position]!;
      const { kind, answer } = entry;
      if (!standsIn(entry, errors, classes)) continue;
      if (kind !== 'cache') return { kind, position, age: undefined, answer };
      const recalled = key === undefined ? undefined : this.lastGood!.recall(key);
      if (recalled === undefined) continue;
      return { kind, position, age: recalled.age, answer: () => recalled.value };
    }
    return undefined;
  }

  /** The caller got this fallback's answer. */
  answered({ kind, age }: Offer): void {
    this.byKind[kind] += 1;
    this.lastUsedAt = this.clock.epoch();
    if (age !== undefined) this.cacheAge = age;
  }

  /** The caller got the error of a fallback. */
  failed(): void {
    this.failures += 1;
  }

  snapshot(): FallbackSnapshot {
    const { calls, failures: failed, lastUsedAt, cacheAge } = this;
    const answered = Object.values(this.byKind).reduce((sum, count) => sum + count, 0);
    return {
      calls,
      answered,
      byKind: { ...this.byKind },
      failed,
      share: calls === 0 ? 0 : answered / calls,
      lastUsedAt,
      cacheAge,
      entries: this.lastGood?.size ?? 0,
    };
  }
}

/** The error of the method must be wanted; what came after it must only not be kept from hiding. */
function standsIn(
  { on, except }: Entry,
  errors: readonly unknown[],
  classes: readonly Classification[],
): boolean {
  const [error] = errors;
  const category = (): ErrorCategory => classes[0]!.category;
  if (on?.(error, category) === false || except?.(error, category) === true) return false;
  return classes.every(
    ({ fallback, category }, i) => fallback || on?.(errors[i], () => category) === true,
  );
}

/** Who answers by these options, in turn. */
function answersOf(options: FallbackOptions): (readonly [FallbackKind, Answer])[] {
  if ('handler' in options) {
    const { handler } = options;
    return [['handler', (self, error, args) => Reflect.apply(handler, self, [error, ...args])]];
  }
  if ('method' in options) {
    const { method } = options;
    const answer: Answer = (self, error, args) => {
      const bound = (self as Record<string, (...a: unknown[]) => unknown>)[method]!;
      return Reflect.apply(bound, self, [error, ...args]);
    };
    return [['method', answer]];
  }
  if ('alternative' in options) {
    const { alternative } = options;
    const functions = typeof alternative === 'function' ? [alternative] : alternative;
    return functions.map((endpoint) => [
      'alternative',
      (self, _error, args) => Reflect.apply(endpoint, self, args),
    ]);
  }
  if ('cache' in options) return [['cache', () => undefined]];
  if ('value' in options) {
    const { value } = options;
    return [['value', () => value]];
  }
  return []; // { queue }: refused at boot
}
