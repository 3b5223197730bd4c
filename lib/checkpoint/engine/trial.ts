import { StateView } from '../collections/state-view.js';
import { BEGINNING, type History, type PartToSave, type Sequence } from '../checkpoint-store.js';
import type { Component } from '../component/component.js';
import type { EntryData } from '../component/format.js';
import { Recovered, replay } from '../component/recovered.js';
import { makeState } from '../state/make-state.js';
import type { FieldState } from '../state/field-state.js';
import type { Values } from '../value/values.js';
import { type Plan, plansOf, wantedOf } from './exchange.js';
import { entryFrom, loadParts } from './load.js';
import type { Reading } from './reading.js';

/** One entry of the journal, and what it is about. */
export interface JournaledCall {
  readonly sequence: Sequence;
  readonly components: readonly string[];
  readonly entry: Uint8Array;
}

/** What the components would become. */
export interface Candidate {
  readonly plans: readonly Plan[];
  /** To look at it. Whoever has it closes it. */
  readonly view: StateView;
}

/** A checkpoint and the journal since, to be tried before anything is changed. */
export class Trial {
  private constructor(
    readonly id: string,
    private readonly reading: Reading,
    private readonly history: History,
    private readonly calls: readonly JournaledCall[],
  ) {}

  /** @throws CheckpointError if the checkpoint cannot be used */
  static async of(id: string, reading: Reading): Promise<Trial> {
    const history = await reading.store.history(id);
    const calls: JournaledCall[] = [];
    for await (const { sequence, entry } of history.entries()) {
      const components = componentsOf(entryFrom(reading.codec.decode(entry)));
      calls.push({ sequence, components, entry });
    }
    return new Trial(id, reading, history, calls);
  }

  /** How many calls were journaled since. */
  get count(): number {
    return this.history.count;
  }

  /** How many of them can be done again: all of them, or none. */
  get replayable(): number {
    return this.calls.length;
  }

  /** Those that are not done again where only the first so many are. */
  callsAfter(replayed: number): readonly JournaledCall[] {
    return this.calls.slice(replayed);
  }

  /**
   * The states with the first so many calls done again.
   *
   * @throws CheckpointError, and what a call throws that cannot be done again
   */
  async after(replayed: number): Promise<Candidate> {
    const { id, reading } = this;
    const { store, codec, values, components } = reading;
    const found =
      id === BEGINNING
        ? fromNothing(reading)
        : await loadParts(await store.read(id), codec, values);
    for (const { entry } of this.calls.slice(0, replayed))
      replay(entryFrom(codec.decode(entry)), (name) => {
        const known = found.get(name) ?? new Recovered(name, values);
        found.set(name, known);
        return known;
      });
    const plans = plansOf(id, found, wantedOf(components, undefined), values);
    return { plans, view: viewOf(plans, values) };
  }
}

/** What the constructors put in is in the journal, where no checkpoint has it. */
function fromNothing({ components, values }: Reading): Map<string, Recovered> {
  return new Map([...components.keys()].map((name) => [name, new Recovered(name, values)]));
}

function componentsOf([, changes, entries, answers]: EntryData): string[] {
  const names = [...changes, ...entries, ...answers].map(([name]) => name);
  return [...new Set(names)];
}

function viewOf(plans: readonly Plan[], values: Values): StateView {
  const states = new Map<object, FieldState>();
  for (const { component, adoption } of plans) standIn(states, component, adoption, values);
  return new StateView(states);
}

/** What was read of a component stands in for its collections; for one of which nothing is known, nothing. */
function standIn(
  states: Map<object, FieldState>,
  component: Component,
  { fields }: { readonly fields: ReadonlyMap<string, FieldState | undefined> },
  values: Values,
): void {
  for (const [name, collection] of component.fields)
    states.set(collection, fields.get(name) ?? makeState(collection.kind, values));
}

/**
 * What all components hold at this moment, copied while they go on. Captured state is not copied: of
 * that, whoever looks sees the present.
 *
 * @param breathe gives others a turn
 */
export async function presentView(
  { codec, values, components }: Omit<Reading, 'store'>,
  breathe: () => Promise<void>,
): Promise<StateView> {
  const durable = [...components.values()].filter(({ captured }) => captured === undefined);
  // in one step: so the states belong together
  const parts = durable.map((component) => ({ component, part: component.part() }));
  const states = new Map<object, FieldState>();
  for (const { component, part } of parts) {
    const recovered = new Recovered(component.name, values);
    await recovered.load(
      { ...part, sequence: 0, bytes: 0, pieces: () => slowly(part, breathe) },
      codec,
    );
    standIn(states, component, recovered, values);
  }
  return new StateView(states);
}

async function* slowly(
  { pieces }: PartToSave,
  breathe: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    yield piece;
    await breathe();
  }
}
