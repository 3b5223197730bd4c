import { ResilienceConfigError } from '../../kernel/check.js';
import type { ErrorCategory } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { CALM, ComponentWatch } from './component-watch.js';
import { type ErrorAnalysis, ErrorWindow } from './error-window.js';
import type { Finding, FindingListener } from './finding.js';
import { FindingBoard, FindingSlot } from './finding-board.js';
import { KindWatch } from './kind-watch.js';
import type { PatternInput } from './pattern-input.js';
import {
  checkErrorPatterns,
  type ErrorPatternsOptions,
  type ErrorPatternsTerms,
  errorPatternsTerms,
} from './patterns.options.js';

/** Looks closer together than this are one. */
const BETWEEN_LOOKS: Milliseconds = 1_000;
/** How often is looked for what may be forgotten, and how long that was not heard of. */
const BETWEEN_SWEEPS: Milliseconds = 60_000;
const FORGOTTEN: Milliseconds = 7_200_000;
/** The same while there is no room for anything new. */
const FORGOTTEN_WHEN_FULL: Milliseconds = CALM;
/** What holds is over below this share of what raised it. */
const OVER = 0.8;

/**
 * Finds patterns among the errors of an application: spikes, errors that come back at regular
 * intervals, persistent failures, wrong configuration, a high rate of errors, errors mostly of one
 * category. Each finding is raised once and ended once.
 *
 * Telling it of an error only counts; everything else happens in `tick`, which somebody calls about
 * once a second, after the `observe`s of that second. Memory is bounded by `maxSeries`; what comes
 * beyond it still counts for the whole application, and in `ignored`.
 */
export class ErrorPatterns {
  private readonly terms: ErrorPatternsTerms;
  private readonly window: ErrorWindow;
  private readonly components = new Map<string, ComponentWatch>();
  private readonly kinds = new Map<string, KindWatch>();
  private readonly board = new FindingBoard();
  private highRate = new FindingSlot();
  private pattern = new FindingSlot();
  private patternOf: ErrorCategory | undefined;
  private unwatched = 0;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private sweptAt: Milliseconds;

  /**
   * @param startedAt when the application started, monotonic milliseconds: see `bootTime`
   * @throws ResilienceConfigError for options that cannot be used
   */
  constructor(
    options: ErrorPatternsOptions,
    private readonly listener: FindingListener,
    private readonly startedAt: Milliseconds,
  ) {
    const mistakes = checkErrorPatterns('errors.patterns', options);
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    this.terms = errorPatternsTerms(options);
    this.window = new ErrorWindow(this.terms);
    this.sweptAt = startedAt;
  }

  /** Failures and observations of components and kinds of errors that there was no room to watch. */
  get ignored(): number {
    return this.unwatched;
  }

  /** Counts a failed attempt. It says nothing to `spike`, which hears of it by `observe`. */
  failed(input: PatternInput): void {
    this.window.record(input.category, input.now);
    this.componentOf(input.component)?.failed(input);
    this.kindOf(input.fingerprint)?.failed(input);
  }

  /** A success ends a run of failures. Not needed where `observe` tells of successes. */
  succeeded(component: string, now: Milliseconds): void {
    this.components.get(component)?.succeeded(now);
  }

  /** Counts the calls of a component since it was last observed, and the failures among them. */
  observe(component: string, calls: number, failures: number, now: Milliseconds): void {
    if (calls > 0) this.componentOf(component)?.observe(calls, failures, now);
  }

  /** Looks for what is new and tells the listener, at most once a second; in between it is free. */
  tick(now: Milliseconds): void {
    if (now - this.lookedAt < BETWEEN_LOOKS) return;
    this.lookedAt = now;
    this.lookAtAll(now);
    for (const component of this.components.values()) {
      component.tick(now, this.startedAt, this.board);
    }
    for (const kind of this.kinds.values()) kind.tick(now, this.board);
    if (now - this.sweptAt >= BETWEEN_SWEEPS) this.sweep(now);
    this.board.tell(this.listener);
  }

  /** What the errors of the last `window` amount to, all components together. */
  analyse(now: Milliseconds): ErrorAnalysis {
    return this.window.analyse(now);
  }

  /** The findings that hold, oldest first. */
  active(): readonly Finding[] {
    return this.board.active;
  }

  /** Forgets everything, also what was learnt as usual. Findings that hold are ended. */
  reset(): void {
    this.components.clear();
    this.kinds.clear();
    this.unwatched = 0;
    this.window.reset();
    this.highRate = new FindingSlot();
    this.pattern = new FindingSlot();
    this.board.endAll();
    this.board.tell(this.listener);
  }

  private componentOf(name: string): ComponentWatch | undefined {
    let component = this.components.get(name);
    if (component === undefined && this.hasRoom(this.components)) {
      component = new ComponentWatch(name, this.terms);
      this.components.set(name, component);
    }
    return component;
  }

  private kindOf(fingerprint: string): KindWatch | undefined {
    let kind = this.kinds.get(fingerprint);
    if (kind === undefined && this.hasRoom(this.kinds)) {
      kind = new KindWatch(fingerprint, this.terms.recurrence);
      this.kinds.set(fingerprint, kind);
    }
    return kind;
  }

  private hasRoom({ size }: ReadonlyMap<string, unknown>): boolean {
    const room = size < this.terms.maxSeries;
    if (!room) this.unwatched += 1;
    return room;
  }

  private lookAtAll(now: Milliseconds): void {
    const { window, terms, board } = this;
    const rate = window.rate(now);
    const total = window.errors(now);
    const since = now - terms.window;
    this.highRate.set(rate > terms.highRate * (this.highRate.holds ? OVER : 1), board, () => ({
      kind: 'high-error-rate',
      category: window.mostCommon(now)!.type,
      since,
      count: total,
      details: { rate, total },
    }));

    const { holds } = this.pattern;
    if (!holds) this.patternOf = window.mostCommon(now)?.type;
    const category = this.patternOf;
    const count = category === undefined ? 0 : window.count(category, now);
    const slack = holds ? OVER : 1;
    const most = count > total * terms.share * slack && total >= terms.minimumErrors * slack;
    this.pattern.set(most, board, () => ({
      kind: 'pattern',
      category: category!,
      since,
      count,
      details: { count, total, share: count / total },
    }));
  }

  /** What was not heard of for long makes room. */
  private sweep(now: Milliseconds): void {
    this.sweptAt = now;
    const longAgo = ({ size }: ReadonlyMap<string, unknown>): Milliseconds =>
      now - (size < this.terms.maxSeries ? FORGOTTEN : FORGOTTEN_WHEN_FULL);
    const [componentsSince, kindsSince] = [longAgo(this.components), longAgo(this.kinds)];
    for (const [name, { lastSeen }] of this.components) {
      if (lastSeen <= componentsSince) this.components.delete(name);
    }
    for (const [fingerprint, { lastSeen, holds }] of this.kinds) {
      if (lastSeen <= kindsSince && !holds) this.kinds.delete(fingerprint);
    }
  }
}
