import type { Appended, CheckpointStore, Sequence } from '../checkpoint-store.js';
import { type EntryData, FORMAT } from '../component/format.js';
import { Pending } from '../component/pending.js';
import type { Member } from '../transaction/member.js';
import type { Transaction } from '../transaction/transaction.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';

/** What a transaction changed, as it is journaled; undefined if nothing. */
export function entryOf(
  { changes, entries, answers }: Transaction,
  values: Values,
): EntryData | undefined {
  if (changes.length === 0 && entries.length === 0 && answers.length === 0) return undefined;
  return [
    FORMAT,
    changes,
    // lists of their own even where they are empty: what is referred to twice is written in another way
    entries.map(({ component, entry }) => [component.name, values.data(entry)]),
    answers.map(({ component, key, answer }) => [component.name, key, values.data(answer)]),
  ];
}

/** What is to be waited for until the last entry of each of these is on disk, where its component asks for that. */
export function pendingOf(members: Iterable<Member>): Pending | undefined {
  let last: Member | undefined;
  for (const member of members) {
    if (member.unsettled === undefined) continue;
    if (last === undefined || member.sequence > last.sequence) last = member;
  }
  return last?.unsettled;
}

/** The way of entries into the store. */
export class Journaling {
  private newest: Pending | undefined;

  constructor(
    private readonly store: CheckpointStore,
    private readonly codec: Codec,
    private readonly componentOf: (name: string) => Member,
  ) {}

  /** Puts an entry into the journal, and notes with its components where it is. */
  append(entry: EntryData): Appended {
    const appended = this.store.append(this.codec.encode(entry));
    const { sequence, durable } = appended;
    // entries of one batch have one promise
    if (this.newest?.durable !== durable) this.newest = new Pending(durable);
    const [, changes, entries, answers] = entry;
    this.note(changes, sequence);
    this.note(entries, sequence);
    this.note(answers, sequence);
    return appended;
  }

  private note(parts: readonly (readonly [component: string, ...unknown[]])[], at: Sequence): void {
    for (const part of parts) this.componentOf(part[0]).journaled(at, this.newest!);
  }
}
