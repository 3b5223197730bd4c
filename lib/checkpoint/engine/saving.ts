import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { EventBody } from '../../kernel/event.js';
import type {
  CheckpointInfo,
  CheckpointStore,
  PartToSave,
  UnchangedPart,
} from '../checkpoint-store.js';
import type { Component } from '../component/component.js';
import { inTime } from './in-time.js';

/** What saving needs. */
export interface SavingInit {
  readonly store: CheckpointStore;
  readonly clock: Clock;
  readonly emit: (body: EventBody) => void;
  readonly components: ReadonlyMap<string, Component>;
}

/** How many calls of a component are journaled before it is saved, if it does not say. */
const CALLS = 1_000;
/** How long a component that is changed in place is waited for. */
const GATE = 1_000;

/** Saves all components now; `barrier` as for the store. */
export type Save = (options?: { readonly barrier?: boolean }) => Promise<CheckpointInfo>;

/** When components are saved, one save at a time. */
export class Saving {
  private last: Promise<unknown> = Promise.resolve();
  private isPlanned = false;
  private isStopped = false;
  private cancelTimer: (() => void) | undefined;
  private timerDue = Number.POSITIVE_INFINITY;
  /** Saves are nobody's call: what they run must not find somebody's async context. */
  private readonly aside = new AsyncResource('bulwark:saving');

  constructor(private readonly init: SavingInit) {}

  /** Whether anything has changed since it was saved. */
  get isDue(): boolean {
    return this.all().some(({ unsaved, isSaved, captured }) => unsaved > 0 || !isSaved || captured);
  }

  /** @param options `whole`: those too that have not changed, for what is kept of them is damaged */
  save(
    options: { readonly barrier?: boolean; readonly whole?: boolean } = {},
  ): Promise<CheckpointInfo> {
    if (options.whole === true) for (const component of this.all()) component.isSaved = false;
    return this.inTurn(() => this.saveNow(options));
  }

  /** Does something between two saves. */
  between<T>(work: (save: Save) => Promise<T>): Promise<T> {
    const result = this.last.then(() => work((options) => this.saveNow(options)));
    this.last = result.catch(() => {});
    return result;
  }

  create(name: string): Promise<CheckpointInfo> {
    return this.inTurn(async () => {
      const open = await this.standStill();
      let saved: Promise<CheckpointInfo>;
      try {
        const parts = this.all().map((component) => component.part());
        saved = this.init.store.create(name, parts);
      } finally {
        open();
      }
      return this.told(await saved);
    });
  }

  /** A component has changed: perhaps it is time. Runs with every call, so it only looks. */
  look(): void {
    if (this.isPlanned || this.isStopped) return;
    let due = Number.POSITIVE_INFINITY;
    for (const { unsaved, savedAt, options } of this.init.components.values()) {
      if (unsaved === 0) continue;
      const { calls = CALLS, time } = options.snapshot ?? {};
      if (unsaved >= calls) return this.plan();
      if (time !== undefined) due = Math.min(due, savedAt + time);
    }
    // what is due later than the timer that runs is looked at then
    if (due < this.timerDue) this.planAt(due);
  }

  stop(): void {
    this.isStopped = true;
    this.cancelTimer?.();
  }

  private planAt(due: Milliseconds): void {
    const { clock } = this.init;
    const delay = due - clock.now();
    if (delay <= 0) return this.plan();
    this.cancelTimer?.();
    this.timerDue = due;
    const fire = (): void => {
      this.timerDue = Number.POSITIVE_INFINITY;
      this.look();
    };
    this.cancelTimer = this.aside.runInAsyncScope(() => clock.schedule(fire, delay));
  }

  private plan(): void {
    this.isPlanned = true;
    this.aside.runInAsyncScope(async () => {
      try {
        await this.save();
      } catch {
        // told by an event; tried again after as many calls
      }
      this.isPlanned = false;
      this.look();
    });
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(async () => {
      try {
        return await work();
      } catch (error) {
        this.init.emit({ type: 'checkpoint-failed', target: 'checkpoint', error });
        throw error;
      }
    });
    this.last = result.catch(() => {});
    return result;
  }

  private async saveNow({
    barrier = false,
  }: { readonly barrier?: boolean } = {}): Promise<CheckpointInfo> {
    const open = await this.standStill();
    const startedAt = this.init.clock.now();
    const seen = this.all().map((component) => {
      const { unsaved, isInFlux } = component;
      return { component, unsaved, isInFlux };
    });
    /** A save that failed is not tried at once again: as many calls, or as much time, later. */
    const settle = (isSaved: boolean): void => {
      for (const { component, unsaved, isInFlux } of seen) {
        component.unsaved -= unsaved;
        component.savedAt = startedAt;
        if (!isInFlux) component.isSaved = isSaved;
      }
    };
    try {
      let saved: Promise<CheckpointInfo>;
      try {
        saved = this.init.store.snapshot(this.parts(barrier), { barrier });
      } finally {
        open();
      }
      const info = await saved;
      settle(true);
      return this.told(info);
    } catch (error) {
      settle(false);
      throw error;
    }
  }

  private parts(barrier: boolean): (PartToSave | UnchangedPart)[] {
    const parts: (PartToSave | UnchangedPart)[] = [];
    for (const component of this.all()) {
      const { name, isSaved, unsaved, captured, isInFlux } = component;
      // one that did not come to rest stays as it was saved last, if it was
      if (isSaved && (isInFlux || (unsaved === 0 && !barrier && captured === undefined)))
        parts.push({ component: name, unchanged: true });
      else if (!isInFlux) parts.push(component.part());
    }
    return parts;
  }

  /** Closes the components that a running call changes in place; answers how to open them again. */
  private async standStill(): Promise<() => void> {
    const opens: (() => void)[] = [];
    for (const component of this.all().filter(({ isInFlux }) => isInFlux)) {
      opens.push(component.close());
      await inTime(this.init.clock, GATE, component.whenIdle());
    }
    return () => {
      for (const open of opens) open();
    };
  }

  private told(info: CheckpointInfo): CheckpointInfo {
    const { id, bytes } = info;
    this.init.emit({ type: 'checkpoint-saved', target: 'checkpoint', id, bytes });
    return info;
  }

  private all(): Component[] {
    return [...this.init.components.values()];
  }
}
