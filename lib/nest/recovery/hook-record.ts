import type { Mistake } from '../../kernel/check.js';
import type { ErrorCategory } from '../../kernel/classifier.js';
import type { InvalidKind, ReconnectOptions } from '../../recovery/hooks.js';
import { prototypesOf } from '../method-record.js';

/** What one decorator said of one method. */
export type MethodHook = { readonly key: string | symbol } & (
  | { readonly hook: 'check'; readonly name: string }
  | { readonly hook: 'reconnect'; readonly name: string; readonly options: ReconnectOptions }
  | { readonly hook: 'resync'; readonly name: string }
  | { readonly hook: 'remedy'; readonly category: ErrorCategory }
  | { readonly hook: 'invalid'; readonly kind: InvalidKind; readonly step: 'reject' | 'request' }
  | { readonly hook: 'shutdown'; readonly name?: string; readonly dependsOn: readonly string[] }
);

/** What the decorators of recovery found in one class body, or in those of a class and its parents. */
export interface HookRecord {
  readonly methods: MethodHook[];
  readonly mistakes: Mistake[];
  isParticipant: boolean;
}

// a registered symbol, so that two copies of the package see each other's decorators
const RECORD = Symbol.for('bulwark:recovery-hooks');

/** The record of this very prototype, made if need be. */
export function makeHookRecord(prototype: object): HookRecord {
  const known = ownHookRecord(prototype);
  if (known !== undefined) return known;
  const value: HookRecord = { methods: [], mistakes: [], isParticipant: false };
  Object.defineProperty(prototype, RECORD, { value });
  return value;
}

/**
 * The hooks of a class and its parents; undefined without any. What a child says of a method stands
 * for what its parents say of it, decorator by decorator.
 */
export function hooksOf(type: { readonly prototype?: unknown }): HookRecord | undefined {
  const records = [...prototypesOf(type)].flatMap((prototype) => ownHookRecord(prototype) ?? []);
  if (records.length === 0) return undefined;
  const methods: MethodHook[] = [];
  for (const record of records) {
    const younger = [...methods];
    const isKnown = (one: MethodHook): boolean =>
      younger.some(({ hook, key }) => hook === one.hook && key === one.key);
    methods.push(...record.methods.filter((one) => !isKnown(one)));
  }
  return {
    methods,
    mistakes: records.flatMap(({ mistakes }) => mistakes),
    isParticipant: records.some(({ isParticipant }) => isParticipant),
  };
}

function ownHookRecord(prototype: object): HookRecord | undefined {
  return Object.getOwnPropertyDescriptor(prototype, RECORD)?.value as HookRecord | undefined;
}
