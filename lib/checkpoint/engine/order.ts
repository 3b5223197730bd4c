import type { Mistake } from '../../kernel/check.js';
import { CheckpointError } from '../checkpoint.error.js';
import type { Component } from '../component/component.js';

/** Components after those that they depend on. */
export function inOrder(components: readonly Component[]): Component[] {
  const sorted = new Set<Component>();
  const visit = (component: Component): void => {
    if (sorted.has(component)) return;
    for (const name of component.options.dependsOn ?? []) {
      const other = components.find((c) => c.name === name);
      if (other !== undefined) visit(other);
    }
    sorted.add(component);
  };
  for (const component of components) visit(component);
  return [...sorted];
}

/** Dependencies that cannot be kept: on what is no component, or in a circle. */
export function mistakesOfOrder(components: ReadonlyMap<string, Component>): Mistake[] {
  const mistakes: Mistake[] = [];
  const dependsOn = (name: string): readonly string[] =>
    components.get(name)?.options.dependsOn ?? [];
  const leadsTo = (from: string, to: string, seen = new Set<string>()): boolean =>
    dependsOn(from).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return leadsTo(next, to, seen);
    });
  for (const name of components.keys()) {
    const at = `component ${name} dependsOn`;
    for (const other of dependsOn(name))
      if (!components.has(other))
        mistakes.push({ at, problem: `got "${other}", expected names of components` });
    if (leadsTo(name, name)) mistakes.push({ at, problem: 'leads back to the component itself' });
  }
  return mistakes;
}

/** @throws CheckpointError if the store has state that no component claims */
export function assertClaimed(
  names: readonly string[],
  components: ReadonlyMap<string, Component>,
): void {
  const orphans = names.filter((name) => !components.has(name));
  if (orphans.length === 0) return;
  const message = `the store has state of ${orphans.join(', ')}, and no component of that name is in the application; starting without it would leave it behind`;
  throw new CheckpointError('CHECKPOINT_UNKNOWN', message);
}
