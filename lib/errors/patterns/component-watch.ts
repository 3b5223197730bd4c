import type { ErrorCategory } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { FailureCusum } from './failure-cusum.js';
import { FailureStreak } from './failure-streak.js';
import { type FindingBoard, FindingSlot } from './finding-board.js';
import type { PatternInput } from './pattern-input.js';
import type { ErrorPatternsTerms } from './patterns.options.js';

/** With nothing heard of a component for this long nothing about it holds any more. */
export const CALM: Milliseconds = 600_000;

/** What is watched of one component: all numbers, whatever comes. */
export class ComponentWatch {
  lastSeen: Milliseconds = Number.NEGATIVE_INFINITY;
  private port: string | undefined;
  private calls = 0;
  private failures = 0;
  private lastCalls: Milliseconds = Number.NEGATIVE_INFINITY;
  private lastFailure: Milliseconds = Number.NEGATIVE_INFINITY;
  private category: ErrorCategory | undefined;
  private misconfigured = 0;
  private firstMisconfigured: Milliseconds = 0;
  private lastMisconfigured:
    { readonly at: Milliseconds; readonly fingerprint: string } | undefined;
  private readonly cusum: FailureCusum;
  private readonly streak: FailureStreak;
  private readonly spike = new FindingSlot();
  private readonly persistent = new FindingSlot();
  private readonly configuration = new FindingSlot();

  constructor(
    private readonly name: string,
    private readonly terms: ErrorPatternsTerms,
  ) {
    this.cusum = new FailureCusum(terms.spike);
    this.streak = new FailureStreak(terms.persistentFailures);
  }

  failed({ port, category, fingerprint, configuration, now }: PatternInput): void {
    this.port = port;
    this.lastSeen = now;
    this.lastFailure = now;
    this.category = category;
    this.streak.failed(now);
    if (configuration) {
      if (this.misconfigured === 0) this.firstMisconfigured = now;
      this.misconfigured += 1;
      this.lastMisconfigured = { at: now, fingerprint };
    }
  }

  observe(calls: number, failures: number, now: Milliseconds): void {
    this.calls += calls;
    this.failures += failures;
    if (calls > failures) this.succeeded(now);
    else if (calls > 0) this.lastSeen = now;
  }

  succeeded(now: Milliseconds): void {
    this.lastSeen = now;
    this.streak.succeeded();
  }

  tick(now: Milliseconds, startedAt: Milliseconds, board: FindingBoard): void {
    this.lookForSpike(now, board);
    this.lookForPersistence(now, board);
    this.lookForMistakes(now, startedAt, board);
  }

  private get who(): { readonly component: string; readonly port?: string } {
    const { name: component, port } = this;
    return port === undefined ? { component } : { component, port };
  }

  private lookForSpike(now: Milliseconds, board: FindingBoard): void {
    const { cusum } = this;
    if (this.calls > 0) {
      cusum.observe(this.calls, this.failures, now);
      this.calls = 0;
      this.failures = 0;
      this.lastCalls = now;
    } else if (cusum.alarmed && now - this.lastCalls >= CALM) {
      cusum.giveUp(now);
    }
    this.spike.set(cusum.alarmed, board, () => {
      const { since, rate, usual, calls, failures } = cusum.reading();
      const details = { rate, usual, calls, failures };
      return { kind: 'spike', ...this.who, since, count: failures, details };
    });
  }

  private lookForPersistence(now: Milliseconds, board: FindingBoard): void {
    const { began, failures } = this.streak;
    const within = this.lastFailure - (began ?? Number.NEGATIVE_INFINITY);
    const holds = this.persistent.holds
      ? began !== undefined && now - this.lastFailure < CALM
      : within <= this.terms.window && now - this.lastFailure <= this.terms.window;
    this.persistent.set(holds, board, () => ({
      kind: 'persistent',
      ...this.who,
      category: this.category!,
      since: began!,
      count: failures,
      details: { failures, within },
    }));
  }

  private lookForMistakes(now: Milliseconds, startedAt: Milliseconds, board: FindingBoard): void {
    const last = this.lastMisconfigured;
    if (last === undefined) return;
    if (now - last.at >= CALM) this.misconfigured = 0;
    const failures = this.misconfigured;
    const boot = this.firstMisconfigured - startedAt <= this.terms.bootTime;
    const enough = boot ? failures > 0 : failures >= this.terms.configurationErrors;
    this.configuration.set(enough, board, () => ({
      kind: 'configuration',
      ...this.who,
      fingerprint: last.fingerprint,
      since: this.firstMisconfigured,
      count: failures,
      details: { failures, boot: boot ? 1 : 0 },
    }));
  }
}
