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
