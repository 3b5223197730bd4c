import type { Clock } from '../kernel/clock.js';
import type { Classifier } from '../kernel/classifier.js';
import { CATEGORY_DEFAULTS, type ErrorClassification } from './classifier/error-classification.js';
import { ErrorCorrelator, type RelatedError } from './correlation/error-correlator.js';
import type { DependsOn, Incident } from './correlation/incidents.js';
import type { CallIds, ErrorContext } from './error-context.js';
import type { ErrorObserver, FailedAttempt } from './error-observer.js';
import type { ErrorGroup, ErrorLog, ErrorQuery, ErrorTotals } from './log/error-log.js';
import { MAX_NAME } from './log/shown.js';
import type { ErrorPatterns } from './patterns/error-patterns.js';
import type { ErrorAnalysis } from './patterns/error-window.js';
import type { Finding } from './patterns/finding.js';
import { clean } from './record/clean.js';

/** What is said of an error that is recorded by hand. */
export interface RecordOptions {
  /** Where it happened, such as `Importer.run`. */
  component: string;
  /** The dependency behind it. */
  port?: string;
  /** The message or job that was worked on. */
  messageId?: string;
  /** The attempt that failed, counted from 1. Default 1. */
  attempt?: number;
}

/** What the book of errors is made of. */
export interface ResilienceErrorsParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly classifier: Classifier;
  readonly log: ErrorLog;
  readonly patterns: ErrorPatterns;
  /** What a call with these arguments belongs to. Must not throw. */
  readonly idsOf: (args: readonly unknown[]) => CallIds;
  readonly dependsOn?: DependsOn;
  /** Looks for patterns, now or, where errors go on, again and again. */
  readonly watch: { failed(): void; look(): void };
}

/**
 * What is known of the errors of an application: the log, its groups, which belong together, and the
 * patterns they follow. It hears of every failed attempt of every target; errors that pass several
 * targets on their way out are recorded where they came up.
 */
export class ResilienceErrors implements ErrorObserver {
  private readonly correlator: ErrorCorrelator;
  private readonly origins = new Origins();

  /** @internal */
  constructor(private readonly parts: ResilienceErrorsParts) {
    const { log, dependsOn } = parts;
    const entries = (): readonly ErrorContext[] => log.list({ limit: Number.POSITIVE_INFINITY });
    this.correlator = new ErrorCorrelator({ entries, ...(dependsOn && { dependsOn }) });
  }

  /** @internal */
  failed(attempt: FailedAttempt): void {
    const { error, target } = attempt;
    if (this.isPassingThrough(error, target)) return;
    this.note(attempt, target, attempt.port);
  }

  /** Records an error that no protected call had, such as one of a job of yours, and answers what is kept of it. */
  record(error: unknown, { messageId, attempt = 1, ...where }: RecordOptions): ErrorContext {
    const classification = this.parts.classifier.classify(error);
    // patterns remember these, and tell them
    const component = clean(where.component, MAX_NAME);
    const port = where.port === undefined ? undefined : clean(where.port, MAX_NAME);
    return this.note({ error, classification, messageId, attempt, args: [] }, component, port);
  }

  /** The newest errors, newest first. */
  list(query?: ErrorQuery): readonly ErrorContext[] {
    return this.parts.log.list(query);
  }

  /** One of them, while it is kept. */
  get(id: string): ErrorContext | undefined {
    return this.parts.log.get(id);
  }

  /** The errors by kind, the one seen last first. */
  groups(): readonly ErrorGroup[] {
    return this.parts.log.groups();
  }

  totals(): ErrorTotals {
    return this.parts.log.totals();
  }

  /** What has to do with the error of that id, with the reasons, the strongest first. */
  related(id: string): readonly RelatedError[] {
    return this.correlator.related(id);
  }

  /** The errors of the last minute by what they come from, most symptoms first. */
  incidents(): readonly Incident[] {
    return this.correlator.incidents();
  }

  /** What the errors of the last minute amount to. */
  analyse(): ErrorAnalysis {
    return this.parts.patterns.analyse(this.parts.clock.now());
  }

  /** The patterns that errors follow now, oldest first. */
  patterns(): readonly Finding[] {
    this.parts.watch.look();
    return this.parts.patterns.active();
  }

  /** Forgets all errors, and what was learnt as usual. */
  reset(): void {
    this.parts.log.reset();
    this.parts.patterns.reset();
  }

  /**
   * A retry may throw one error object again and again, and each time counts. What another target
   * has had already is the same error on its way out; a frozen constant that two targets throw is
   * told once for want of a way to tell.
   */
  private isPassingThrough(error: unknown, target: string): boolean {
    return typeof error === 'object' && error !== null && this.origins.of(error, target) !== target;
  }

  private note(
    { error, classification, messageId, attempt, args }: Happened,
    component: string,
    port: string | undefined,
  ): ErrorContext {
    const {
      category,
      severity = CATEGORY_DEFAULTS[category].severity,
      configuration = false,
    } = classification as Partial<ErrorClassification> & typeof classification;
    const { log, patterns, clock, idsOf, watch } = this.parts;
    const { correlationId, traceId, sessionId } = idsOf(args);
    const entry = log.record({
      error,
      classification,
      severity,
      component,
      port,
      messageId,
      correlationId,
      traceId,
      sessionId,
      attempt,
      args,
    });
    patterns.failed({
      component,
      port,
      fingerprint: entry.fingerprint,
      category,
      configuration,
      now: clock.now(),
    });
    watch.failed();
    return entry;
  }
}

type Happened = Omit<FailedAttempt, 'target' | 'port'>;

/** So many errors on their way out are told from new ones. */
const ON_THE_WAY = 1_000;

/**
 * Where error objects were first seen. An error is on its way out for a short time, and a weak map
 * keeps the room that it once needed, so what is older than a thousand others is forgotten.
 */
class Origins {
  private young = new WeakMap<object, string>();
  private old = new WeakMap<object, string>();
  private size = 0;

  /** Where the error came up: here, if it is new. */
  of(error: object, here: string): string {
    const origin = this.young.get(error) ?? this.old.get(error);
    if (origin !== undefined) return origin;
    if (this.size === ON_THE_WAY) {
      this.old = this.young;
      this.young = new WeakMap();
      this.size = 0;
    }
    this.size += 1;
    this.young.set(error, here);
    return here;
  }
}
