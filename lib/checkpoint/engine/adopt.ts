import { CheckpointError } from '../checkpoint.error.js';
import type { Component } from '../component/component.js';
import type { Recovered } from '../component/recovered.js';
import type { FieldState } from '../state/field-state.js';
import { makeState, stateFrom } from '../state/make-state.js';
import type { Values } from '../value/values.js';

/** What a component is to become, prepared before anything of it is touched. */
export interface Adoption {
  readonly recovered: Recovered;
  /** By field; undefined for those that nothing is known of. */
  readonly fields: ReadonlyMap<string, FieldState | undefined>;
  /** Whether its state has been brought to another form than it has on disk. */
  readonly isMigrated: boolean;
}

/**
 * Prepares what was recovered for the class as it is now.
 *
 * @throws CheckpointError `CHECKPOINT_VERSION` for a state of newer code, or of older code that
 * nothing migrates, or with fields that the class has not
 */
export function prepare(component: Component, recovered: Recovered, values: Values): Adoption {
  const { name, options } = component;
  const { version = 1, migrate } = options;
  const isMigrated = !recovered.isEmpty && recovered.version !== version;
  if (recovered.version > version)
    refuse(
      `component ${name} was kept in version ${recovered.version}, and this code has ${version}`,
    );
  if (!isMigrated) return { recovered, fields: fieldsOf(component, recovered), isMigrated };
  if (migrate === undefined) {
    const way = 'give @CheckpointComponent a migrate function';
    refuse(
      `component ${name} was kept in version ${recovered.version}, this code has ${version}; ${way}`,
    );
  }
  if (recovered.entries.length > 0) {
    const count = recovered.entries.length;
    refuse(
      `component ${name}: ${count} journal entries of version ${recovered.version} follow its last snapshot; stop the older code in good order first, which saves it`,
    );
  }
  return { ...migrated(component, recovered, values, migrate), isMigrated };
}

function migrated(
  component: Component,
  recovered: Recovered,
  values: Values,
  migrate: NonNullable<Component['options']['migrate']>,
): Pick<Adoption, 'recovered' | 'fields'> {
  const { version } = recovered;
  if (component.captured !== undefined) {
    const old = recovered.captured?.data;
    const state = migrate(values.fresh(old) as never, version);
    const stored = values.takeCopy(state, `${component.name} migrated state`);
    recovered.captured = { data: values.data(stored) };
    return { recovered, fields: new Map() };
  }
  const old = Object.fromEntries([...recovered.fields].map(([name, f]) => [name, f.plain()]));
  return { recovered, fields: statesOf(component, migrate(old as never, version), values) };
}

/** The durable fields of a component from plain Maps, Sets, arrays and values. */
export function statesOf(
  component: Component,
  plain: unknown,
  values: Values,
): Map<string, FieldState> {
  const { name, fields } = component;
  const given = Object(plain) as Record<string, unknown>;
  const states = new Map<string, FieldState>();
  for (const [field, { kind }] of fields) {
    if (!Object.hasOwn(given, field))
      refuse(`component ${name}: the new state has no field ${field}`);
    states.set(field, stateFrom(kind, given[field], values, `${name}.${field}`));
  }
  return states;
}

function fieldsOf(component: Component, recovered: Recovered): Map<string, FieldState | undefined> {
  const { name, fields } = component;
  for (const [field, state] of recovered.fields) {
    const kind = fields.get(field)?.kind;
    if (kind === undefined)
      refuse(
        `component ${name} has a field ${field} on disk that its class has not; migrate it by a new version`,
      );
    if (kind !== state.kind)
      refuse(
        `component ${name}: field ${field} is a ${state.kind} on disk and a ${kind} in the class; migrate it by a new version`,
      );
  }
  return new Map([...fields.keys()].map((field) => [field, recovered.fields.get(field)]));
}

/** Gives a component the state that was prepared for it, in place of its own. */
export function adopt(
  component: Component,
  { recovered, fields }: Adoption,
  values: Values,
): void | Promise<void> {
  component.answers = recovered.answers;
  for (const [name, collection] of component.fields)
    collection.replace(fields.get(name) ?? makeState(collection.kind, values));
  return adoptCaptured(component, recovered);
}

/** Hands a component its captured state, and what was journaled since. */
export function adoptCaptured(component: Component, recovered: Recovered): void | Promise<void> {
  const { captured } = component;
  if (captured === undefined) return undefined;
  const applyAll = (): void => {
    for (const entry of recovered.entries) captured.apply(entry);
  };
  const restored = recovered.captured && captured.restoreData(recovered.captured.data);
  if (restored instanceof Promise) return restored.then(applyAll);
  applyAll();
  return undefined;
}

function refuse(message: string): never {
  throw new CheckpointError('CHECKPOINT_VERSION', message);
}
