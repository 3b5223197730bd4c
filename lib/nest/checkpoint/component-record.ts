import type { CheckpointComponentOptions } from '../../checkpoint/component/component.options.js';
import { prototypesOf } from '../method-record.js';

/** What the decorators found on one class body. */
export interface ComponentRecord {
  options: CheckpointComponentOptions | undefined;
  readonly durable: string[];
}

// a registered symbol, so that two copies of the package see each other's decorators
const RECORD = Symbol.for('bulwark:component-record');

/** The record of this very prototype, made if need be. */
export function makeComponentRecord(prototype: object): ComponentRecord {
  const known = own(prototype);
  if (known !== undefined) return known;
  const value: ComponentRecord = { options: undefined, durable: [] };
  Object.defineProperty(prototype, RECORD, { value });
  return value;
}

/** What a class says of itself, its parents included; undefined if nothing makes it a component. */
export function componentOf(type: {
  readonly prototype?: unknown;
}):
  | { readonly options: CheckpointComponentOptions; readonly durable: readonly string[] }
  | undefined {
  const records = [...prototypesOf(type)].map(own).filter((record) => record !== undefined);
  const options = records.find((record) => record.options !== undefined)?.options;
  if (options === undefined) return undefined;
  return { options, durable: [...new Set(records.flatMap(({ durable }) => durable))] };
}

function own(prototype: object): ComponentRecord | undefined {
  return Object.getOwnPropertyDescriptor(prototype, RECORD)?.value as ComponentRecord | undefined;
}
