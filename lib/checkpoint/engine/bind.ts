import type { Clock } from '../../kernel/clock.js';
import { type Mistake, ResilienceConfigError } from '../../kernel/check.js';
import { CheckpointError } from '../checkpoint.error.js';
import { DurableCollection } from '../collections/durable-collection.js';
import { CapturedState } from '../component/captured-state.js';
import type { Checkpointable } from '../component/checkpointable.js';
import { type AnyCollection, Component } from '../component/component.js';
import type { CheckpointComponentOptions } from '../component/component.options.js';
import { type Change, type EntryData, FORMAT } from '../component/format.js';
import { Recovered } from '../component/recovered.js';
import type { Op } from '../state/field-state.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';
import { adoptCaptured, prepare, statesOf } from './adopt.js';

/** What a class says of itself. */
export interface Definition {
  readonly options: CheckpointComponentOptions;
  /** The fields that are marked `@Durable()`. */
  readonly durable: readonly string[];
  /** The class, for messages. */
  readonly label: string;
}

/** What an instance is bound with. */
export interface Binding {
  readonly values: Values;
  readonly codec: Codec;
  readonly clock: Clock;
  /** What the store has of it. */
  readonly recovered: Recovered | undefined;
  /** Why what the store had of it cannot be used, if so. */
  readonly problem: string | undefined;
  /** Hears that its state could not be put back after a call that failed. */
  readonly spoiled: (error: unknown) => void;
}

/** A component with its state. */
export interface Bound {
  readonly component: Component;
  /** What the constructor put into fields that the store does not know. */
  readonly initial: EntryData | undefined;
  /** Whether its state is of another form than what the store has, or not there yet. */
  readonly isChanged: boolean;
}

/** Makes an instance a component. */
export function bindComponent(
  instance: object,
  definition: Definition,
  binding: Binding,
  others: ReadonlyMap<string, Component>,
): Bound {
  const { options, durable, label } = definition;
  const mistakes = mistakesOf(instance, definition, others);
  if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
  const { values, codec } = binding;
  const component = new Component(options, instance, codec, values, binding.spoiled);
  for (const field of durable)
    component.fields.set(field, (instance as Record<string, AnyCollection>)[field]!);
  if (durable.length === 0)
    component.captured = new CapturedState(
      label,
      instance as Checkpointable,
      codec,
      values,
      component,
      binding.clock,
      options.restoreTimeout,
    );
  if (binding.problem !== undefined) {
    standIn(component, binding.problem, values);
    return { component, initial: undefined, isChanged: true };
  }
  const recovered = binding.recovered ?? new Recovered(options.name, values);
  const { fields, isMigrated, recovered: ready } = prepare(component, recovered, values);
  component.answers = ready.answers;
  component.isSaved = ready.meta !== undefined;
  component.unsaved = ready.journaled;
  const fresh: Change[] = [];
  for (const [name, collection] of component.fields) {
    const known = fields.get(name);
    collection.attach({ component, name, values }, known);
    if (known === undefined) fresh.push(...beginning(component.name, name, collection));
  }
  const starting = adoptCaptured(component, ready);
  if (starting !== undefined) start(component, starting);
  const initial: EntryData | undefined = fresh.length === 0 ? undefined : [FORMAT, fresh, [], []];
  // what the constructor gave it is in no journal: entries alone would go on from another beginning some day
  const isNew = component.captured !== undefined && ready.captured === undefined;
  return { component, initial, isChanged: isMigrated || isNew };
}

/** What the constructor put into a field; one that is empty is to be known as well. */
function beginning(component: string, field: string, collection: AnyCollection): Change[] {
  const { kind, published } = collection;
  const ops: Op[] = [...published.slices({ entries: 256 })];
  if (ops.length === 0) ops.push(kind === 'list' ? [] : [false, [], [], []]);
  return ops.map((op) => [component, field, kind, op]);
}

/** Calls wait until its state is complete. */
function start(component: Component, starting: Promise<void>): void {
  component.starting = starting.then(() => {
    component.starting = undefined;
  });
  // whoever waits for the start of the application hears of it
  component.starting.catch(() => {});
}

/** No checkpoint can be used: the component's own way, or nothing if it may. */
function standIn(component: Component, problem: string, values: Values): void {
  const { name, options, captured } = component;
  for (const [field, collection] of component.fields)
    collection.attach({ component, name: field, values }, undefined);
  if (options.rebuild === undefined && options.startEmpty === true) return;
  if (options.rebuild === undefined) {
    const ways = 'restore a named checkpoint, give the component a rebuild, or let it startEmpty';
    const message = `no saved state of component ${name} can be used (${problem}); ${ways}`;
    throw new CheckpointError('CHECKPOINT_DAMAGED', message);
  }
  const rebuilt = Promise.resolve(options.rebuild()).then((plain) => {
    if (captured !== undefined)
      return captured.restoreData(values.data(values.takeCopy(plain, `${name} rebuilt state`)));
    for (const [field, state] of statesOf(component, plain, values))
      component.fields.get(field)!.replace(state);
    return undefined;
  });
  start(component, rebuilt);
}

function mistakesOf(
  instance: object,
  { options, durable, label }: Definition,
  others: ReadonlyMap<string, Component>,
): Mistake[] {
  const { name } = options;
  const mistakes: Mistake[] = [];
  const like = [...others.keys()].find((other) => other.toLowerCase() === name.toLowerCase());
  if (like !== undefined) {
    const problem =
      like === name
        ? `got "${name}" a second time, expected one instance per name`
        : `got "${name}" beside "${like}", expected names that differ in more than their case`;
    mistakes.push({ at: `${label} name`, problem });
  }
  for (const field of durable) {
    const value: unknown = (instance as Record<string, unknown>)[field];
    if (!(value instanceof DurableCollection))
      mistakes.push({
        at: `${label}.${field} @Durable`,
        problem: 'expected a DurableMap, DurableSet, DurableList or DurableValue in the field',
      });
  }
  const { captureState, restoreState } = instance as Partial<Checkpointable>;
  const captures = typeof captureState === 'function' && typeof restoreState === 'function';
  if (durable.length > 0 && captures)
    mistakes.push({
      at: label,
      problem: 'has @Durable() fields and captureState/restoreState, expected one of the two',
    });
  if (durable.length === 0 && !captures)
    mistakes.push({
      at: label,
      problem: 'declares no state; expected @Durable() fields, or captureState and restoreState',
    });
  if (durable.length > 0 && options.serial === false)
    mistakes.push({
      at: `${label} serial`,
      problem: 'got false, expected true: calls that change durable fields run one at a time',
    });
  return mistakes;
}
