import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { EventBody } from '../../kernel/event.js';
import { ResilienceConfigError } from '../../kernel/check.js';
import { CheckpointError } from '../checkpoint.error.js';
import type {
  Appended,
  CheckpointInfo,
  CheckpointStore,
  OpenReport,
  VerifyReport,
} from '../checkpoint-store.js';
import type { StateView } from '../collections/state-view.js';
import { claim } from '../component/claims.js';
import type { Component } from '../component/component.js';
import type { Pending } from '../component/pending.js';
import type { Recovered } from '../component/recovered.js';
import type { CallHost, Keeping } from '../transaction/keeping.js';
import type { CheckpointUnavailableError } from '../transaction/checkpoint-rejections.js';
import type { Member } from '../transaction/member.js';
import type { Transaction } from '../transaction/transaction.js';
import { ClassRegistry, type ClassCodecs } from '../value/class-registry.js';
import { type Codec, v8Codec } from '../value/codec.js';
import { Values } from '../value/values.js';
import type { EntryData } from '../component/format.js';
import { bindComponent, type Definition } from './bind.js';
import { assertPossible, type EngineState, objectionOf } from './engine-state.js';
import { plansFor } from './exchange.js';
import { entryOf, Journaling, pendingOf } from './journaling.js';
import { loadContents } from './load.js';
import { assertClaimed, mistakesOfOrder } from './order.js';
import { Hands, type Looking, type Replacing } from './recovering.js';
import { readAgain, recoveredEvent } from './read-again.js';
import { RunningCalls } from './running-calls.js';
import { type Save, Saving } from './saving.js';
import { presentView } from './trial.js';
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

/** How long running calls may take to end before a restore or the end of the application. */
const PATIENCE = 5_000;
/** How long after a failed attempt the store is opened again; doubles up to `MAX_REOPEN`. */
const REOPEN = 1_000;
const MAX_REOPEN = 30_000;
/** What a component begins with is no entry of the journal if it has more bytes. */
const LARGE = 1024 * 1024;

/** All components of one application over one store. */
export class CheckpointEngine implements CallHost {
  readonly values: Values;
  readonly components = new Map<string, Component>();
  state: EngineState = 'new';
  /** What the store found when it was opened first. */
  report: OpenReport | undefined;
  readonly codec: Codec;
  readonly store: CheckpointStore;
  private readonly clock: Clock;
  private readonly emit: EngineInit['emit'];
  private readonly journaling: Journaling;
  private readonly saving: Saving;
  private readonly twin: Twin | undefined;
  private readonly calls: RunningCalls;
  private recovered = new Map<string, Recovered>();
  private lost: ReadonlyMap<string, string> = new Map();
  private isWeakened = false;
  /** The state on disk has an older form: a save that nothing older can replace is due. */
  private isChanged = false;
  /** How many components have what they begin with in memory only. */
  private beginnings = 0;
  private isReady = false;
  /** One at a time: a second is refused, and does not wait. */
  private isReplacing = false;
  private fencedBy: unknown;
  private cancelReopen: (() => void) | undefined;
  /** Of a store that has failed: resolves when it was opened again, or could not be. */
  reopening: Promise<void> | undefined;

  constructor({ store, clock, emit, codec = v8Codec, classes, verify = false }: EngineInit) {
    this.store = store;
    this.clock = clock;
    this.emit = emit;
    this.codec = codec;
    this.values = new Values(new ClassRegistry(classes));
    this.journaling = new Journaling(store, codec, (name) => this.components.get(name)!);
    this.saving = new Saving({ store, clock, emit, components: this.components });
    this.twin = verify ? new Twin(codec, this.values) : undefined;
    this.calls = new RunningCalls(
      clock,
      this.components,
      (target) => this.objection(target)!,
      (target, duration) => emit({ type: 'slow-checkpoint-call', target, duration }),
    );
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
    this.emit(recoveredEvent(contents));
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
    const { values, codec, clock, components: all } = this;
    const problem = this.lost.get(name);
    const spoiled = (error: unknown): void => this.fence(error);
    const binding = { values, codec, clock, recovered, problem, spoiled };
    const { component, initial, isChanged } = bindComponent(instance, definition, binding, all);
    all.set(name, component);
    this.recovered.delete(name);
    claim(instance, { component, host: this });
    this.isChanged ||= isChanged;
    component.savedAt = this.clock.now();
    if (initial !== undefined) this.begin(initial);
    this.twin?.begin(component);
    return component;
  }

  /** What the constructor put into it goes into the journal, or where it is much, into the first save. */
  private begin(initial: EntryData): void {
    this.beginnings += 1;
    if (this.codec.encode(initial).length > LARGE) {
      this.isChanged = true;
      return;
    }
    const kept = (): void => void (this.beginnings -= 1);
    const { durable } = this.journaling.append(initial);
    durable.then(kept, () => {
      // the start fails
    });
  }

  /**
   * All components of the application are bound: resolves when their states are complete and what
   * they began with is durable.
   *
   * @throws CheckpointError if the store has state that no component claims
   */
  async ready(): Promise<void> {
    assertClaimed([...this.recovered.keys(), ...this.lost.keys()], this.components);
    const mistakes = mistakesOfOrder(this.components);
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    await Promise.all([...this.components.values()].map(({ starting }) => starting));
    if (this.state === 'fenced') {
      const message = 'the store failed while the application started';
      throw new CheckpointError('CHECKPOINT_FENCED', message, { cause: this.fencedBy });
    }
    if (this.isChanged) await this.saving.save({ barrier: true });
    else if (this.isWeakened) await this.saving.save({ whole: true });
    else await this.store.flush();
    this.isChanged = false;
    this.isWeakened = false;
    this.isReady = true;
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
    const plans = await plansFor(id, this, only);
    const info = await this.alone(async (save) => {
      await save();
      return this.hands(save).adopt(plans);
    });
    this.emit({
      type: 'checkpoint-restored',
      target: 'checkpoint',
      id,
      components: plans.map(({ component }) => component.name),
    });
    return info;
  }

  /** What all components hold at this moment. @param breathe gives others a turn */
  present(breathe: () => Promise<void>): Promise<StateView> {
    return presentView(this, breathe);
  }

  /** Looks at earlier states while calls go on; no save runs beside it. */
  look<T>(work: (hands: Looking) => Promise<T>): Promise<T> {
    return this.saving.between((save) => work(this.hands(save)));
  }

  /** The same with no call in any component, and none to come: running ones are called off. */
  replace<T>(work: (hands: Replacing) => Promise<T>): Promise<T> {
    return this.alone((save) => work(this.hands(save)));
  }

  /** Lets running calls end, saves the states, and gives the store free. */
  async close(): Promise<void> {
    if (this.state === 'closed' || this.state === 'closing') return;
    const wasOpen = this.state === 'open';
    this.state = 'closing';
    this.cancelReopen?.();
    this.calls.refuseWaiting();
    await this.reopening;
    await this.calls.drain(PATIENCE);
    try {
      if (wasOpen && this.saving.isDue) await this.saving.save();
    } catch {
      // told by an event; the journal has everything
    }
    this.saving.stop();
    this.calls.stop();
    await this.saving.between(async () => {
      this.state = 'closed';
      await this.store.close();
    });
  }

  now(): Milliseconds {
    return this.clock.now();
  }

  objection(target: string): CheckpointUnavailableError | undefined {
    return objectionOf(this.state, target, this.fencedBy);
  }

  commit(transaction: Transaction): Appended | undefined {
    const entry = entryOf(transaction, this.values);
    const of = (name: string): Component => this.components.get(name)!;
    const appended = entry && this.journaling.append(entry);
    // also where nothing is journaled: what it did in place stays
    transaction.publish();
    if (entry === undefined) return undefined;
    for (const { component, key, answer } of transaction.answers)
      of(component.name).answers.keep(key, answer);
    this.twin?.check(entry, of);
    this.saving.look();
    return appended;
  }

  settled(members: Iterable<Member>): Pending | undefined {
    return pendingOf(members);
  }

  began(call: Keeping): void {
    this.calls.add(call);
  }

  ended(call: Keeping): void {
    this.calls.delete(call);
  }

  touched(member: Member): void {
    this.components.get(member.name)!.unsaved += 1;
    this.saving.look();
  }

  ran(call: Keeping, duration: Milliseconds): void {
    this.calls.ran(call, duration);
  }

  /** Runs with no call in any component, and none to come, and no save beside it. */
  private async alone<T>(work: (save: Save) => Promise<T>): Promise<T> {
    assertPossible(this.isReplacing ? 'restoring' : this.state, 'restore', this.fencedBy);
    this.isReplacing = true;
    try {
      // calls go on until it is our turn: somebody may be looking at an earlier state
      return await this.saving.between(async (save) => {
        assertPossible(this.state, 'restore', this.fencedBy);
        this.state = 'restoring';
        this.calls.dismissAll();
        await this.calls.atRest(PATIENCE);
        const result = await work(save);
        this.beginTwins();
        return result;
      });
    } finally {
      this.isReplacing = false;
      if (this.state === 'restoring') this.state = 'open';
    }
  }

  private beginTwins(): void {
    for (const component of this.components.values()) this.twin?.begin(component);
  }

  private hands(save: Save): Hands {
    return new Hands(this, save, () => this.assertAlone());
  }

  private assertAlone(): void {
    if (this.state !== 'restoring') throw this.objection('restore')!;
  }

  private fence(cause: unknown): void {
    if (this.state === 'closed') return;
    this.fencedBy = cause;
    const wasClosing = this.state === 'closing';
    const wasOpen = this.state !== 'fenced';
    if (!wasClosing) this.state = 'fenced';
    this.emit({ type: 'store-fenced', target: 'checkpoint', error: cause });
    this.calls.dismissAll();
    // what is on disk lacks what a component begins with: the start fails instead
    if (!wasClosing && wasOpen && (this.isReady || this.beginnings === 0)) this.reopenIn(REOPEN);
  }

  private reopenIn(delay: Milliseconds): void {
    this.reopening = this.saving.between(() => this.reopen(delay));
  }

  /** Reads what is on disk, and goes on from there. Between saves, and never beside a restore. */
  private async reopen(delay: Milliseconds): Promise<void> {
    try {
      if (this.state !== 'fenced') return;
      const contents = await readAgain(this, () => this.calls.atRest(PATIENCE));
      this.beginTwins();
      if (this.state !== 'fenced') return;
      // it failed again meanwhile, and nothing else would open it
      if (this.store.state !== 'open') throw this.fencedBy;
      this.state = 'open';
      this.fencedBy = undefined;
      this.emit(recoveredEvent(contents));
    } catch {
      // the store tells why by its state; it may heal, as a full disk does
      if (this.state !== 'fenced') return;
      const again = (): void => this.reopenIn(Math.min(MAX_REOPEN, delay * 2));
      this.cancelReopen = this.clock.schedule(again, delay);
    }
  }
}
