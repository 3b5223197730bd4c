import { Injectable } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Mistake } from '../../kernel/check.js';
import type {
  CheckAnswer,
  IntegrityCheckHook,
  InvalidDataHook,
  ParticipantHook,
  ReconnectHook,
  RecoveryHooks,
  RemedyHook,
  ResyncHook,
  ShutdownHook,
} from '../../recovery/hooks.js';
import { type AnyClass, classOf } from '../binding.js';
import type { Wrapper } from '../wrappers.js';
import { checkHooks } from './check-hooks.js';
import { type HookRecord, hooksOf, type MethodHook } from './hook-record.js';

type Lists = { readonly [K in keyof RecoveryHooks]: RecoveryHooks[K][number][] };

/** What the providers and controllers of the application have to say about recovery, also those loaded later. */
@Injectable()
export class RecoveryHookRegistry implements RecoveryHooks {
  readonly checks: IntegrityCheckHook[] = [];
  readonly participants: ParticipantHook[] = [];
  readonly reconnects: ReconnectHook[] = [];
  readonly resyncs: ResyncHook[] = [];
  readonly remedies: RemedyHook[] = [];
  readonly invalid: InvalidDataHook[] = [];
  readonly shutdowns: ShutdownHook[] = [];
  private readonly seen = new WeakSet<object>();

  /** Takes in what is decorated, once however often it is walked; with a mistake among it, nothing of it. */
  collect(wrappers: readonly Wrapper[]): Mistake[] {
    const found = emptyLists();
    const mistakes = wrappers.flatMap((wrapper) => this.visit(wrapper, found));
    const all = emptyLists();
    addTo(all, this);
    addTo(all, found);
    mistakes.push(...checkHooks(all));
    if (mistakes.length === 0) addTo(this, found);
    return mistakes;
  }

  private visit(wrapper: Wrapper, found: Lists): Mistake[] {
    const { instance, metatype } = wrapper;
    const type = classOf(instance) ?? metatype;
    const record = typeof type === 'function' ? hooksOf(type) : undefined;
    if (record === undefined || this.seen.has(wrapper)) return [];
    this.seen.add(wrapper);
    const { name } = type as AnyClass;
    if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient === true) {
      const problem = 'is request-scoped or transient, expected a singleton: whose state is it?';
      return [...record.mistakes, { at: `${name} with hooks of recovery`, problem }];
    }
    if (typeof instance !== 'object' || instance === null) return record.mistakes;
    if (this.seen.has(instance)) return [];
    this.seen.add(instance);
    for (const method of record.methods) addMethod(found, name, instance as Instance, method);
    return [...record.mistakes, ...this.participate(record, name, instance, found)];
  }

  private participate(
    { isParticipant }: HookRecord,
    type: string,
    instance: object,
    found: Lists,
  ): Mistake[] {
    if (!isParticipant) return [];
    const self = instance as {
      beforeRestore?(): unknown;
      afterRestore?(carried: unknown): unknown;
    };
    const missing = (['beforeRestore', 'afterRestore'] as const).filter(
      (method) => typeof self[method] !== 'function',
    );
    if (missing.length > 0) {
      const problem = `has no method ${missing.join(' and no method ')}, expected both`;
      return [{ at: `${type} @RecoveryParticipant`, problem }];
    }
    const known = [...this.participants, ...found.participants].map((one) => one.name);
    found.participants.push({
      name: freeName(type, known),
      before: () => self.beforeRestore!(),
      after: (carried) => self.afterRestore!(carried),
    });
    return [];
  }
}

/** Methods are called by their keys, so that policies and children apply. */
type Instance = Record<string | symbol, (...args: unknown[]) => unknown>;

function addMethod(lists: Lists, type: string, self: Instance, method: MethodHook): void {
  const { key } = method;
  const from = `${type}.${String(key)}`;
  const run = (...args: unknown[]): unknown => subscribed(self[key]!(...args));
  switch (method.hook) {
    case 'check': {
      const { name } = method;
      lists.checks.push({ name, from, run: (signal) => run(signal) as CheckAnswer });
      return;
    }
    case 'reconnect':
      lists.reconnects.push({ name: method.name, from, options: method.options, run });
      return;
    case 'resync':
      lists.resyncs.push({ name: method.name, from, run });
      return;
    case 'remedy':
      lists.remedies.push({ category: method.category, from, run });
      return;
    case 'invalid':
      lists.invalid.push({ kind: method.kind, step: method.step, from, run });
      return;
    case 'shutdown': {
      const { name = from, dependsOn } = method;
      lists.shutdowns.push({ name, from, dependsOn, run });
      return;
    }
    default:
      method satisfies never;
  }
}

/** Nobody else would: it would look as if it had succeeded. */
function subscribed(answer: unknown): unknown {
  return isObservable(answer) ? lastValueFrom(answer, { defaultValue: undefined }) : answer;
}

/** Names of participants are only for people, so two classes of one name are no mistake. */
function freeName(name: string, taken: readonly string[]): string {
  let free = name;
  for (let i = 2; taken.includes(free); i += 1) free = `${name} (${i})`;
  return free;
}

function emptyLists(): Lists {
  return {
    checks: [],
    participants: [],
    reconnects: [],
    resyncs: [],
    remedies: [],
    invalid: [],
    shutdowns: [],
  };
}

function addTo(lists: Lists, more: RecoveryHooks): void {
  lists.checks.push(...more.checks);
  lists.participants.push(...more.participants);
  lists.reconnects.push(...more.reconnects);
  lists.resyncs.push(...more.resyncs);
  lists.remedies.push(...more.remedies);
  lists.invalid.push(...more.invalid);
  lists.shutdowns.push(...more.shutdowns);
}
