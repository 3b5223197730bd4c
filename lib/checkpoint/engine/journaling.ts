import type { Appended, CheckpointStore } from '../checkpoint-store.js';
import type { Component } from '../component/component.js';
import { type Change, type EntryData, FORMAT } from '../component/format.js';
import type { Transaction } from '../transaction/transaction.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';

/** What a transaction changed, as it is journaled; undefined if nothing. */
export function entryOf(transaction: Transaction, values: Values): EntryData | undefined {
  const changes: Change[] = [];
  for (const { field, op } of transaction.changes())
    changes.push([field.component.name, field.name, field.kind, op]);
  const { entries, answers } = transaction;
  if (changes.length === 0 && entries.length === 0 && answers.length === 0) return undefined;
  return [
    FORMAT,
    changes,
    entries.map(({ component, entry }) => [component.name, values.data(entry)]),
    answers.map(({ component, key, answer }) => [component.name, key, values.data(answer)]),
  ];
}

/** Puts an entry into the journal, and notes with its components where it is. */
export function appendEntry(
  entry: EntryData,
  store: CheckpointStore,
  codec: Codec,
  componentOf: (name: string) => Component,
): Appended {
  const appended = store.append(codec.encode(entry));
  const { sequence, durable } = appended;
  const [, changes, entries, answers] = entry;
  const touched = new Set([...changes, ...entries, ...answers].map(([name]) => componentOf(name)));
  for (const component of touched) {
    component.sequence = sequence;
    component.unsaved += 1;
    component.pending = durable;
  }
  durable.then(
    () => {
      for (const component of touched)
        if (component.sequence === sequence) component.pending = undefined;
    },
    () => {
      // whoever waits for it hears of it; the fence comes from the store
    },
  );
  return appended;
}
