import { AsyncResource } from 'node:async_hooks';
import { show } from '../kernel/check.js';
import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';

interface Task {
  readonly at: Milliseconds;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  private time: Milliseconds;
  private wall: Milliseconds;
  private readonly tasks = new Set<Task>();

  /** @param start the monotonic reading to begin with @param wall the wall clock to begin with */
  constructor(start: Milliseconds = 1_000_000, wall: Milliseconds = Date.UTC(2030, 0, 1)) {
    this.time = start;
    this.wall = wall;
  }

  now(): Milliseconds {
    return this.time;
  }

  epoch(): Milliseconds {
    return this.wall;
  }

  schedule(run: () => void, delay: Milliseconds): CancelTimer {
    // as a real timer does: the task runs in the async context of whoever scheduled it
    const task: Task = { at: this.time + Math.max(0, delay), run: AsyncResource.bind(run) };
    this.tasks.add(task);
    return () => this.tasks.delete(task);
  }

  /** Tasks that are waiting for their time. */
  get pending(): number {
    return this.tasks.size;
  }

  /** Moves the wall clock alone, as an administrator or NTP does. */
  stepWallClock(by: Milliseconds): void {
    this.wall += by;
  }

  /**
   * Moves time on, running what falls due in order, with the promises that hang on it settled in
   * between.
   *
   * @throws RangeError (as a rejection) if that is not a finite number from 0
   */
  async advance(by: Milliseconds): Promise<void> {
    refuseOther(by);
    const end = this.time + by;
    await settle();
    for (let task = this.next(end); task !== undefined; task = this.next(end)) {
      this.tasks.delete(task);
      this.moveTo(task.at);
      task.run();
      await settle();
    }
    this.moveTo(end);
    await settle();
  }

  /** Moves time on without running anything, as a suspended machine does. */
  jump(by: Milliseconds): void {
    refuseOther(by);
    this.moveTo(this.time + by);
  }

  private next(end: Milliseconds): Task | undefined {
    let first: Task | undefined;
    for (const task of this.tasks) {
      if (task.at <= end && (first === undefined || task.at < first.at)) first = task;
    }
    return first;
  }

  private moveTo(time: Milliseconds): void {
    this.wall += Math.max(0, time - this.time);
    this.time = Math.max(this.time, time);
  }
}

function refuseOther(by: unknown): void {
  if (typeof by === 'number' && by >= 0 && by < Number.POSITIVE_INFINITY) return;
  throw new RangeError(
    `got ${show(by)}, expected milliseconds from 0: time does not run backwards`,
  );
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
}
