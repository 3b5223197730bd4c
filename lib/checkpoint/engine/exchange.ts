import { CheckpointError } from '../checkpoint.error.js';
import type { CheckpointInfo } from '../checkpoint-store.js';
import type { Component } from '../component/component.js';
import type { Recovered } from '../component/recovered.js';
import type { Values } from '../value/values.js';
import { adopt, type Adoption, prepare } from './adopt.js';
import { inOrder } from './order.js';
import type { Save } from './saving.js';

/** What one component is to become by a restore. */
export interface Plan {
  readonly component: Component;
  readonly adoption: Adoption;
}

/** What a restore of a checkpoint is to do: to all components, or to one. @throws CheckpointError */
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

/**
 * Carries them out. The state before is saved, and stays where the new one cannot be taken over.
 *
 * @param assertAlone throws if the restore has been overtaken, as by a fence
 */
export async function exchange(
  plans: readonly Plan[],
  values: Values,
  save: Save,
  assertAlone: () => void,
): Promise<CheckpointInfo> {
  await save();
  const back = plans.map(({ component }) => ({ component, undo: component.keepsake() }));
  try {
    for (const { component, adoption } of plans) {
      await adopt(component, adoption, values);
      assertAlone();
    }
    return await save({ barrier: true });
  } catch (error) {
    for (const { component, undo } of back) {
      try {
        await undo();
      } catch (thrown) {
        component.spoiled(thrown);
      }
    }
    throw error;
  }
}
