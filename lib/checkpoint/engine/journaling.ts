import type { Appended, CheckpointStore } from '../checkpoint-store.js';
import type { Component } from '../component/component.js';
import { type EntryData, FORMAT } from '../component/format.js';
import { Pending } from '../component/pending.js';
import type { Member } from '../transaction/member.js';
import type { Transaction } from '../transaction/transaction.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';

/** What a transaction changed, as it is journaled; undefined if nothing. */
export function entryOf(transaction: Transaction, values: Values): EntryData | undefined {
  const { changes, entries, answers } = transaction;
  if (changes.length === 0 && entries.length === 0 && answers.length === 0) return undefined;
  return [
    FORMAT,
    changes.map(({ field, op }) => [field.component.name, field.name, field.kind, op]),
    entries.map(({ component, entry }) => [component.name, values.data(entry)]),
    answers.map(({ component, key, answer }) => [component.name, key, values.data(answer)]),
  ];
}

/** What is to be waited for until the last entry of each of these is on disk, where its component asks for that. */
export function pendingOf(
  members: Iterable<Member>,
  components: ReadonlyMap<string, Component>,
): Pending | undefined {
  let last: Component | undefined;
  for (const { name } of members) {
    const component = components.get(name)!;
    const { durability = 'sync' } = component.options;
    if (component.pending?.isDurable !== false || durability !== 'sync') continue;
    if (last === undefined || component.sequence > last.sequence) last = component;
  }
  return last?.pending;
}

/** The way of entries into the store. */
export class Journaling {
  private newest: Pending | undefined;

  constructor(
    private readonly store: CheckpointStore,
    private readonly codec: Codec,
    private readonly componentOf: (name: string) => Component,
  ) {}

  /** Puts an entry into the journal, and notes with its components where it is. */
  append(entry: EntryData): Appended {
    const appended = this.store.append(this.codec.encode(entry));
    const { sequence, durable } = appended;
    // entries of one batch have one promise
    if (this.newest?.durable !== durable) this.newest = new Pending(durable);
    const [, changes, entries, answers] = entry;
    for (const parts of [changes, entries, answers])
      for (const [name] of parts) {
        const component = this.componentOf(name);
        component.pending = this.newest;
        if (component.sequence === sequence) continue;
        component.sequence = sequence;
        component.unsaved += 1;
      }
    return appended;
  }
}
