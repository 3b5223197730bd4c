import type { CancelTimer } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import { emit, type Environment } from './environment.js';

const nothing: CancelTimer = () => {};

/** Whose limit it is. */
interface Limited {
  timedOut(): void;
}

/** The time limit of one attempt, from now on. */
export class LimitWatch {
  /** By the monotonic clock. */
  readonly ends: Milliseconds;
  private cancelTimer: CancelTimer;

  constructor(
    private readonly pipeline: { readonly name: string; readonly env: Environment },
    readonly ms: Milliseconds,
    /** Told when the limit has passed. */
    private readonly owner: Limited,
  ) {
    const { clock } = pipeline.env;
    const now = clock.now();
    this.ends = now + ms;
    // behind everything that falls due at the same moment: an answer that comes just in time wins
    const due = (): void => {
      this.cancelTimer = clock.schedule(() => this.owner.timedOut(), 0);
    };
    this.cancelTimer = clock.schedule(due, ms, now);
  }

  /** How long ago it ended; negative while it has not. */
  get late(): Milliseconds {
    return this.pipeline.env.clock.now() - this.ends;
  }

  cancel(): void {
    this.cancelTimer();
    this.cancelTimer = nothing; // work that never ends would keep the timer for ever
  }

  /**
   * There is an answer. If it comes after the limit, and is given all the same, that is told: the
   * method blocked the event loop, and the timer with it. Nothing can interrupt it.
   */
  answered(): void {
    this.cancel();
    const { name, env } = this.pipeline;
    if (!env.bus.wants('limit-overrun')) return;
    const { ms: limit, late } = this;
    if (late > 0) emit(env, { type: 'limit-overrun', target: name, limit, took: limit + late });
  }
}
