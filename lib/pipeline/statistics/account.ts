import type { Classification } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { Pipeline } from '../pipeline.js';
import { endedWith, wasRefused } from './call-end.js';
import type { CallEnd } from './target-statistics.js';
import { Timing } from './timing.js';

/** The attempts of a call, as far as there were any. */
interface Attempts {
  readonly count: number;
  readonly messageId: string | undefined;
  classify(error: unknown): Classification;
}

/** What one call gives account of: to the counters of its target, and to whoever hears of errors. */
export class Account {
  /** When its first attempt failed. */
  private failedAt: Milliseconds | undefined;
  private lastFailure: unknown;
  private timing: Timing | undefined;
  private over = false;

  constructor(private readonly pipeline: Pipeline) {}

  begins(): void {
    const { counters, env } = this.pipeline;
    counters.calls += 1;
    this.timing = Timing.of(counters.latency, env.clock);
  }

  /** It began without an engine, and is counted already. */
  resumes(timing: Timing | undefined): void {
    this.timing = timing;
  }

  /** A refusal of ours is no failed attempt, nor is what is left of one whose caller is gone. */
  attemptFailed(error: unknown, attempts: Attempts, args: readonly unknown[]): void {
    if (wasRefused(error)) return;
    const { counters, env, name, port } = this.pipeline;
    const classification = attempts.classify(error);
    if (classification.outcome === 'cancelled') return;
    counters.failedAttempts += 1;
    this.failedAt ??= env.clock.now();
    this.lastFailure = error;
    const { count: attempt, messageId } = attempts;
    env.errors?.failed({ error, classification, target: name, port, messageId, attempt, args });
  }

  /** Only the first end counts. */
  ends(how: CallEnd): void {
    if (this.over) return;
    this.over = true;
    const { counters, env } = this.pipeline;
    const since = this.failedAt === undefined ? undefined : env.clock.now() - this.failedAt;
    counters.ended(how, since);
    this.timing?.answered();
  }

  endsWith(error: unknown): void {
    // mostly that of the last attempt, of which it is known what it was
    const isKnown = this.failedAt !== undefined && error === this.lastFailure;
    this.ends(isKnown ? 'failed' : endedWith(error, this.pipeline));
  }
}
