import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { EventBody } from '../../kernel/event.js';
import { CheckpointError } from '../checkpoint.error.js';
import type {
  Appended,
  CheckpointInfo,
  CheckpointStore,
  OpenReport,
  StoreContents,
  VerifyReport,
} from '../checkpoint-store.js';
import { claim } from '../component/claims.js';
import type { Component } from '../component/component.js';
import { Recovered } from '../component/recovered.js';
import type { CallHost, CheckpointCall } from '../transaction/checkpoint-call.js';
import { CheckpointUnavailableError } from '../transaction/checkpoint-rejections.js';
import type { Member } from '../transaction/member.js';
import type { Transaction } from '../transaction/transaction.js';
import { ClassRegistry, type ClassCodecs } from '../value/class-registry.js';
import { type Codec, v8Codec } from '../value/codec.js';
import { Values } from '../value/values.js';
import { adopt, prepare } from './adopt.js';
import { bindComponent, type Definition } from './bind.js';
import { appendEntry, entryOf } from './journaling.js';
import { loadContents, loadParts } from './load.js';
import { inOrder } from './order.js';
import { RunningCalls } from './running-calls.js';
import { Saving } from './saving.js';
import { Twin } from './twin.js';

/** What an engine is made of. */
export interface EngineInit {
  readonly store: CheckpointStore;
  readonly clock: Clock;
  readonly emit: (body: EventBody) => void;
  readonly codec?: Codec | undefined;
  readonly classes?: ClassCodecs | undefined;
  /** Whether every entry is carried out on a second copy, and compared. */
  readonly verify?: boolean | undefined;
}

/** A call that has its component for longer is told of. Milliseconds. */
const SLOW = 50;
/** How long running calls may take to end before a restore or the end of the application. */
const PATIENCE = 5_000;
/** How long after a failed attempt the store is opened again; doubles up to `MAX_REOPEN`. */
const REOPEN = 1_000;
const MAX_REOPEN = 30_000;

/** How the engine is doing. */
export type EngineState = 'new' | 'open' | 'fenced' | 'restoring' | 'closing' | 'closed';

/** All components of one application over one store. */
export class CheckpointEngine implements CallHost {
  readonly values: Values;
  readonly components = new Map<string, Component>();
  state: EngineState = 'new';
  /** What the store found when it was opened first. */
  report: OpenReport | undefined;
  private readonly codec: Codec;
  private readonly store: CheckpointStore;
  private readonly clock: Clock;
  private readonly emit: EngineInit['emit'];
  private readonly saving: Saving;
  private readonly twin: Twin | undefined;
  private readonly calls: RunningCalls;
  private recovered = new Map<string, Recovered>();
  private lost: ReadonlyMap<string, string> = new Map();
  private isWeakened = false;
  /** The state on disk has an older form: a save that nothing older can replace is due. */
  private isChanged = false;
  private fencedBy: unknown;
  private cancelReopen: (() => void) | undefined;

  constructor({ store, clock, emit, codec = v8Codec, classes, verify = false }: EngineInit) {
    this.store = store;
    this.clock = clock;
    this.emit = emit;
    this.codec = codec;
    this.values = new Values(new ClassRegistry(classes));
    this.saving = new Saving({ store, clock, emit, components: this.components });
    this.twin = verify ? new Twin(codec, this.values) : undefined;
    this.calls = new RunningCalls(clock, this.components, (target) => this.objection(target)!);
    store.onFenced((cause) => this.fence(cause));
  }

  /** Takes the store and reads what it holds; then components can be bound. */
  async open(): Promise<void> {
    const contents = await this.store.open();
    this.recovered = await loadContents(contents, this.codec, this.values);
    this.lost = contents.lost;
    this.isWeakened = contents.report.weakened;
    this.report = contents.report;
    this.state = 'open';
    this.tellRecovered(contents);
  }

  /**
   * Makes an instance a component, and gives it the state that the store has of it.
   *
   * @throws ResilienceConfigError for what the class declares
   * @throws CheckpointError if the state cannot be used
   */
  bind(instance: object, definition: Definition): Component {
    const { name } = definition.options;
    const recovered = this.recovered.get(name);
    const { values, codec } = this;
    const problem = this.lost.get(name);
    const bound = bindComponent(
      instance,
      definition,
      { values, codec, recovered, problem },
      this.components,
    );
    const { component } = bound;
    this.components.set(name, component);
    this.recovered.delete(name);
    claim(instance, { component, host: this });
    this.isChanged ||= bound.isChanged;
    component.savedAt = this.clock.now();
    if (bound.initial !== undefined) appendEntry(bound.initial, this.store, codec, () => component);
    this.twin?.begin(component);
    return component;
  }

  /**
   * All components of the application are bound: resolves when their states are complete and what
   * they began with is durable.
   *
   * @throws CheckpointError if the store has state that no component claims
   */
  async ready(): Promise<void> {
    const orphans = [...this.recovered.keys(), ...this.lost.keys()].filter(
      (name) => !this.components.has(name),
    );
    if (orphans.length > 0) {
      const message = `the store has state of ${orphans.join(', ')}, and no component of that name is in the application; starting without it would leave it behind`;
      throw new CheckpointError('CHECKPOINT_UNKNOWN', message);
    }
    await Promise.all([...this.components.values()].map(({ starting }) => starting));
    if (this.isChanged) await this.saving.save({ barrier: true });
    else if (this.isWeakened) await this.saving.save({ whole: true });
    else await this.store.flush();
    this.isChanged = false;
    this.isWeakened = false;
  }

  /** Saves the states of all components now. */
  save(): Promise<CheckpointInfo> {
    return this.saving.save();
  }

  /** Resolves when every call acknowledged so far is durable, whatever its component's options. */
  flush(): Promise<void> {
    return this.store.flush();
  }

  /** Saves the states of all components under a name. */
  create(name: string): Promise<CheckpointInfo> {
    return this.saving.create(name);
  }

  list(): Promise<readonly CheckpointInfo[]> {
    return this.store.list();
  }

  remove(name: string): Promise<void> {
    return this.store.remove(name);
  }

  verify(): Promise<VerifyReport> {
    return this.store.verify();
  }

  /**
   * Puts all components, or one, back to a checkpoint: all or nothing. The present state is saved
   * before, so that it can be restored in turn. Running calls are called off.
   *
   * @throws CheckpointError if the checkpoint cannot be used; then nothing has changed
   */
  async restore(id: string, only?: string): Promise<CheckpointInfo> {
    const wanted = this.wanted(only);
    const found = await loadParts(await this.store.read(id), this.codec, this.values);
    const plans = wanted.map((component) => {
      const recovered = found.get(component.name);
      if (recovered === undefined) {
        const message = `checkpoint ${id} has no state of component ${component.name}`;
        throw new CheckpointError('CHECKPOINT_UNKNOWN', message);
      }
      return { component, adoption: prepare(component, recovered, this.values) };
    });
    const info = await this.alone(async () => {
      await this.saving.save();
      const back = wanted.map((component) => component.keepsake());
      try {
        for (const { component, adoption } of plans) await adopt(component, adoption, this.values);
        return await this.saving.save({ barrier: true });
      } catch (error) {
        for (const undo of back) await undo();
        throw error;
      }
    });
    for (const { component } of plans) this.twin?.begin(component);
    this.emit({
      type: 'checkpoint-restored',
      target: 'checkpoint',
      id,
      components: wanted.map(({ name }) => name),
    });
    return info;
  }

  /** Lets running calls end, saves the states, and gives the store free. */
  async close(): Promise<void> {
    if (this.state === 'closed' || this.state === 'closing') return;
    const wasOpen = this.state === 'open';
    this.state = 'closing';
    this.cancelReopen?.();
    this.calls.refuseWaiting();
    await this.calls.drain(PATIENCE);
    try {
      if (wasOpen && this.saving.isDue) await this.saving.save();
    } catch {
      // told by an event; the journal has everything
    }
    this.saving.stop();
    this.state = 'closed';
    await this.store.close();
  }

  now(): Milliseconds {
    return this.clock.now();
  }

  objection(target: string): CheckpointUnavailableError | undefined {
    const why = {
      new: 'the store is not open yet',
      open: undefined,
      fenced: 'the store is fenced after a failed write',
      restoring: 'an earlier state is being restored',
      closing: 'the application is shutting down',
      closed: 'the application has shut down',
    }[this.state];
    return why === undefined
      ? undefined
      : new CheckpointUnavailableError(target, why, this.fencedBy);
  }

  commit(transaction: Transaction): Appended | undefined {
    const entry = entryOf(transaction, this.values);
    if (entry === undefined) return undefined;
    const of = (name: string): Component => this.components.get(name)!;
    const appended = appendEntry(entry, this.store, this.codec, of);
    transaction.publish();
    for (const { component, key, answer } of transaction.answers)
      of(component.name).answers.keep(key, answer);
    this.twin?.check(entry, of);
    this.saving.look();
    return appended;
  }

  settled(members: Iterable<Member>): Promise<void> | undefined {
    let last: Component | undefined;
    for (const member of members) {
      const component = this.components.get(member.name)!;
      const { durability = 'sync' } = component.options;
      if (component.pending === undefined || durability !== 'sync') continue;
      if (last === undefined || component.sequence > last.sequence) last = component;
    }
    return last?.pending;
  }

  began(call: CheckpointCall): void {
    this.calls.add(call);
  }

  ended(call: CheckpointCall): void {
    this.calls.delete(call);
  }

  ran(target: string, duration: Milliseconds): void {
    if (duration > SLOW) this.emit({ type: 'slow-checkpoint-call', target, duration });
  }

  private wanted(only: string | undefined): Component[] {
    if (only === undefined) return inOrder([...this.components.values()]);
    const component = this.components.get(only);
    if (component !== undefined) return [component];
    const known = [...this.components.keys()].join(', ');
    throw new CheckpointError(
      'CHECKPOINT_UNKNOWN',
      `there is no component ${only}; known are ${known}`,
    );
  }

  /** Runs with no call in any component, and none to come. */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    const objection = this.objection('restore');
    if (objection !== undefined) throw objection;
    this.state = 'restoring';
    try {
      this.calls.dismissAll();
      for (const component of this.components.values())
        await this.calls.within(
          PATIENCE,
          component.whenIdle(),
          `component ${component.name} did not come to rest`,
        );
      return await work();
    } finally {
      if (this.state === 'restoring') this.state = 'open';
    }
  }

  private fence(cause: unknown): void {
    if (this.state === 'closed') return;
    this.fencedBy = cause;
    const wasClosing = this.state === 'closing';
    if (!wasClosing) this.state = 'fenced';
    this.emit({ type: 'store-fenced', target: 'checkpoint', error: cause });
    this.calls.dismissAll();
    if (!wasClosing) void this.reopen(REOPEN);
  }

  /** Reads what is on disk, and goes on from there. */
  private async reopen(delay: Milliseconds): Promise<void> {
    try {
      const contents = await this.store.open();
      const recovered = await loadContents(contents, this.codec, this.values);
      for (const component of inOrder([...this.components.values()])) {
        await component.whenIdle();
        const known = recovered.get(component.name) ?? new Recovered(component.name, this.values);
        await adopt(component, prepare(component, known, this.values), this.values);
        component.pending = undefined;
        this.twin?.begin(component);
      }
      if (this.state !== 'fenced') return;
      this.state = 'open';
      this.fencedBy = undefined;
      this.tellRecovered(contents);
    } catch {
      // the store tells why by its state; it may heal, as a full disk does
      if (this.state !== 'fenced') return;
      const again = (): void => void this.reopen(Math.min(MAX_REOPEN, delay * 2));
      this.cancelReopen = this.clock.schedule(again, delay);
    }
  }

  private tellRecovered({ sequence, report }: StoreContents): void {
    this.emit({
      type: 'checkpoint-recovered',
      target: 'checkpoint',
      sequence,
      tailTruncatedBytes: report.tailTruncatedBytes,
      skipped: report.skipped.length,
    });
  }
}
