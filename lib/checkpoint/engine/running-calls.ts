import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { ResilienceRejection } from '../../kernel/rejection.js';
import { CheckpointError } from '../checkpoint.error.js';
import type { Component } from '../component/component.js';
import type { Keeping } from '../transaction/keeping.js';
import { inTime } from './in-time.js';
import { SlowCalls } from './slow-calls.js';

/** The calls that are running, to end them when that must be. */
export class RunningCalls {
  /** In any order. Not a Set: one that is always in use leaves a chain of old tables to the collector. */
  private readonly running: Keeping[] = [];
  private count = 0;
  private readonly slow: SlowCalls;
  private whenDrained: (() => void) | undefined;

  /**
   * @param objection what a call is told that cannot go on
   * @param tellSlow hears of calls that keep others waiting
   */
  constructor(
    private readonly clock: Clock,
    private readonly components: ReadonlyMap<string, Component>,
    private readonly objection: (target: string) => ResilienceRejection,
    tellSlow: (target: string, duration: Milliseconds) => void,
  ) {
    this.slow = new SlowCalls(clock, this.running, tellSlow);
  }

  add(call: Keeping): void {
    call.number = this.count += 1;
    call.place = this.running.length;
    this.running.push(call);
    this.slow.began();
  }

  /** Its method has ended. */
  ran(call: Keeping, duration: Milliseconds): void {
    this.slow.ended(call, duration);
  }

  /** No more calls will come. */
  stop(): void {
    this.slow.stop();
  }

  delete(call: Keeping): void {
    const last = this.running.pop()!;
    if (last !== call) {
      this.running[call.place] = last;
      last.place = call.place;
    }
    if (this.running.length === 0) this.whenDrained?.();
  }

  /** Nothing that is not in the journal by now will be. */
  dismissAll(): void {
    // in the order in which they began, whatever leaves meanwhile
    for (const call of [...this.running].toSorted((a, b) => a.number - b.number))
      call.dismiss(this.objection(call.target));
    this.refuseWaiting();
  }

  refuseWaiting(): void {
    for (const { turns } of this.components.values())
      turns.refuseNew((target) => this.objection(target));
  }

  /** Lets them end, for so long; the rest is dismissed. */
  async drain(patience: Milliseconds): Promise<void> {
    if (this.running.length === 0) return;
    const drained = new Promise<void>((resolve) => (this.whenDrained = resolve));
    if (!(await inTime(this.clock, patience, drained))) this.dismissAll();
  }

  /** Waits until no method that was called off runs any more where it changes state in place. */
  async atRest(patience: Milliseconds): Promise<void> {
    for (const component of this.components.values()) {
      if (await inTime(this.clock, patience, component.whenIdle())) continue;
      const problem = `component ${component.name} did not come to rest`;
      throw new CheckpointError('CHECKPOINT_CLOSED', problem);
    }
  }
}
