import { CheckpointError } from '../checkpoint.error.js';
import type { CheckpointInfo } from '../checkpoint-store.js';
import type { Component } from '../component/component.js';
import type { Recovered } from '../component/recovered.js';
import type { Values } from '../value/values.js';
import { adopt, type Adoption, prepare } from './adopt.js';
import { loadParts } from './load.js';
import { inOrder } from './order.js';
import type { Reading } from './reading.js';
import type { Save } from './saving.js';

/** What one component is to become by a restore. */
export interface Plan {
  readonly component: Component;
  readonly adoption: Adoption;
}

/** What a restore of a checkpoint is to do: to all components, or to one. @throws CheckpointError */
export async function plansFor(id: string, reading: Reading, only?: string): Promise<Plan[]> {
  const { store, codec, values, components } = reading;
  const wanted = wantedOf(components, only);
  return plansOf(id, await loadParts(await store.read(id), codec, values), wanted, values);
}

/** The same of states that have been read. */
export function plansOf(
  id: string,
  found: ReadonlyMap<string, Recovered>,
  wanted: readonly Component[],
  values: Values,
): Plan[] {
  return wanted.map((component) => {
    const recovered = found.get(component.name);
    if (recovered === undefined) {
      const message = `checkpoint ${id} has no state of component ${component.name}`;
      throw new CheckpointError('CHECKPOINT_UNKNOWN', message);
    }
    return { component, adoption: prepare(component, recovered, values) };
  });
}

/** All components in the order of a restore, or one. @throws CheckpointError if there is none */
export function wantedOf(
  components: ReadonlyMap<string, Component>,
  only: string | undefined,
): Component[] {
  if (only === undefined) return inOrder([...components.values()]);
  const component = components.get(only);
  if (component !== undefined) return [component];
  const known = [...components.keys()].join(', ');
  const message = `there is no component ${only}; known are ${known}`;
  throw new CheckpointError('CHECKPOINT_UNKNOWN', message);
}

/** How an exchange is carried out. */
export interface Exchange {
  readonly save: Save;
  /** Throws if it has been overtaken, as by a fence. */
  readonly assertAlone: () => void;
  /** Throws if the new states are not to stay. */
  readonly assertSound?: () => Promise<void>;
}

/** Carries them out. The states before stay where the new ones cannot be taken over. */
export async function exchange(
  plans: readonly Plan[],
  values: Values,
  { save, assertAlone, assertSound }: Exchange,
): Promise<CheckpointInfo> {
  const back = keepsakes(plans);
  try {
    for (const { component, adoption } of plans) {
      await adopt(component, adoption, values);
      assertAlone();
    }
    await assertSound?.();
    assertAlone();
    return await save({ barrier: true });
  } catch (error) {
    await back();
    throw error;
  }
}

/** Remembers what components are. @returns makes them that again */
export function keepsakes(plans: readonly Plan[]): () => Promise<void> {
  const back = plans.map(({ component }) => ({ component, undo: component.keepsake() }));
  return async () => {
    for (const { component, undo } of back) {
      try {
        await undo();
      } catch (thrown) {
        component.spoiled(thrown);
      }
    }
  };
}
