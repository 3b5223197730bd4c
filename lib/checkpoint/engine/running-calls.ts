import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { ResilienceRejection } from '../../kernel/rejection.js';
import { CheckpointError } from '../checkpoint.error.js';
import type { Component } from '../component/component.js';
import type { CheckpointCall } from '../transaction/checkpoint-call.js';
import { inTime } from './in-time.js';

/** The calls that are running, to end them when that must be. */
export class RunningCalls {
  private readonly running = new Set<CheckpointCall>();
  private whenDrained: (() => void) | undefined;

  /** @param objection what a call is told that cannot go on */
  constructor(
    private readonly clock: Clock,
    private readonly components: ReadonlyMap<string, Component>,
    private readonly objection: (target: string) => ResilienceRejection,
  ) {}

  add(call: CheckpointCall): void {
    this.running.add(call);
  }

  delete(call: CheckpointCall): void {
    this.running.delete(call);
    if (this.running.size === 0) this.whenDrained?.();
  }

  /** Nothing that is not in the journal by now will be. */
  dismissAll(): void {
    for (const call of this.running) call.dismiss(this.objection(call.target));
    this.refuseWaiting();
  }

  refuseWaiting(): void {
    for (const { turns } of this.components.values())
      turns.refuseNew((target) => this.objection(target));
  }

  /** Lets them end, for so long; the rest is dismissed. */
  async drain(patience: Milliseconds): Promise<void> {
    if (this.running.size === 0) return;
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
