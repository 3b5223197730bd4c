import type { CallHost } from '../transaction/keeping.js';
import type { Component } from './component.js';

/** What an instance is to the engine of its application. */
export interface Claim {
  readonly component: Component;
  readonly host: CallHost;
}

const claims = new WeakMap<object, Claim>();

/** The component that an instance is; undefined for one that has no store, such as in a plain unit test. */
export function claimOf(instance: unknown): Claim | undefined {
  return typeof instance === 'object' && instance !== null ? claims.get(instance) : undefined;
}

export function claim(instance: object, as: Claim): void {
  claims.set(instance, as);
}
