import {
  checkOptions,
  integer,
  isOptionsObject,
  type Mistake,
  number,
  type OptionRule,
  type OptionRules,
  ratio,
  span,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** When failures are more than usual. */
export interface SpikeOptions {
  /**
   * Evidence that it takes: the logarithm of how much likelier a rise is than chance; less below
   * 20 calls a second. One more is about a third of the false alarms, and a tenth longer to wait.
   * 5 to 50. Default 10.
   */
  threshold?: number;
  /** Calls of a component that are only learnt from. From 1. Default 200. */
  warmUp?: number;
  /** The least rise of the share of failures that is looked for. 0.01 to 0.2. Default 0.05: five points. */
  minimumRise?: number;
  /** Milliseconds in which half of what was learnt as usual is forgotten. From 1 s. Default 10 min. */
  halfLife?: Milliseconds;
  /** A rise that lasts this long is what is usual from then on. Milliseconds from 1 s. Default 15 min. */
  relearnAfter?: Milliseconds;
}

/** When errors come back at regular intervals. */
export interface RecurrenceOptions {
  /** Milliseconds: shorter intervals are not looked at. From 1 s. Default 10 s. */
  minimumPeriod?: Milliseconds;
  /** Times that it must have come. 4 to 50. Default 7. */
  episodes?: number;
  /** The most that the intervals may vary, standard deviation over mean. Above 0, at most 0.5. Default 0.2. */
  variation?: number;
}

/** Options of the patterns that are looked for among errors. */
export interface ErrorPatternsOptions {
  /** Milliseconds that an error counts for, in all findings but `spike` and `recurring`. From 1 s to 1 h. Default 60 s. */
  window?: Milliseconds;
  /** Errors per second of the whole application above which the rate is high. Above 0. Default 10. */
  highRate?: number;
  /** Share of one category above which the errors are a pattern. Above 0, at most 1. Default 0.5. */
  share?: number;
  /** Errors in the window below which no pattern is reported. From 1. Default 10. */
  minimumErrors?: number;
  /**
   * Failures of one component within the window, with no success in between, that are a persistent
   * failure. 2 to 1,000. Default 10.
   */
  persistentFailures?: number;
  /** Configuration errors of a component that are reported. From 1. Default 3. */
  configurationErrors?: number;
  /** Milliseconds after the start in which a single configuration error is reported. From 0. Default 60 s. */
  bootTime?: Milliseconds;
  /** When failures are more than usual. */
  spike?: SpikeOptions;
  /** When errors come back at regular intervals. */
  recurrence?: RecurrenceOptions;
  /** Components, and kinds of errors, that are watched at once, each. From 1 to 10,000. Default 250. */
  maxSeries?: number;
}

export const ERROR_PATTERNS_DEFAULTS = {
  window: 60_000,
  highRate: 10,
  share: 0.5,
  minimumErrors: 10,
  persistentFailures: 10,
  configurationErrors: 3,
  bootTime: 60_000,
  spike: {
    threshold: 10,
    warmUp: 200,
    minimumRise: 0.05,
    halfLife: 600_000,
    relearnAfter: 900_000,
  },
  recurrence: { minimumPeriod: 10_000, episodes: 7, variation: 0.2 },
  maxSeries: 250,
} as const;

const SPIKE_RULES: OptionRules<SpikeOptions> = {
  threshold: number(5, 50),
  warmUp: integer(1, 1_000_000),
  minimumRise: number(0.01, 0.2),
  halfLife: span(1_000),
  relearnAfter: span(1_000),
};

const RECURRENCE_RULES: OptionRules<RecurrenceOptions> = {
  minimumPeriod: span(1_000),
  episodes: integer(4, 50),
  variation: (v) =>
    typeof v === 'number' && v > 0 && v <= 0.5 ? undefined : 'a number above 0 and at most 0.5',
};

const anObject: OptionRule = (v) => (isOptionsObject(v) ? undefined : 'an options object');

const RULES: OptionRules<ErrorPatternsOptions> = {
  window: span(1_000, 3_600_000),
  highRate: (v) =>
    typeof v === 'number' && v > 0 && Number.isFinite(v) ? undefined : 'a number above 0',
  share: ratio,
  minimumErrors: integer(1, 1_000_000),
  persistentFailures: integer(2, 1_000),
  configurationErrors: integer(1, 1_000_000),
  bootTime: span(0),
  spike: anObject,
  recurrence: anObject,
  maxSeries: integer(1, 10_000),
};

/** Every mistake in the options. */
export function checkErrorPatterns(at: string, options: ErrorPatternsOptions): Mistake[] {
  const mistakes = checkOptions(at, options, RULES);
  if (mistakes.length > 0) return mistakes;
  const { spike = {}, recurrence = {} } = options;
  return [
    ...checkOptions(`${at} spike`, spike, SPIKE_RULES),
    ...checkOptions(`${at} recurrence`, recurrence, RECURRENCE_RULES),
  ];
}

type Terms<T> = { readonly [K in keyof T]-?: Terms<NonNullable<T[K]>> };

/** Options with the defaults filled in. */
export type ErrorPatternsTerms = Terms<ErrorPatternsOptions>;

/** Fills in the defaults. An option that is undefined counts as not given. */
export function errorPatternsTerms(options: ErrorPatternsOptions): ErrorPatternsTerms {
  return {
    ...ERROR_PATTERNS_DEFAULTS,
    ...given(options),
    spike: { ...ERROR_PATTERNS_DEFAULTS.spike, ...given(options.spike) },
    recurrence: { ...ERROR_PATTERNS_DEFAULTS.recurrence, ...given(options.recurrence) },
  };
}

/** What is given of the options. */
function given<T extends object>(options: T = {} as T): { [K in keyof T]: NonNullable<T[K]> } {
  const some = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(some) as { [K in keyof T]: NonNullable<T[K]> };
}
