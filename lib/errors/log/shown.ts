import type { ErrorContext, ErrorFacts } from '../error-context.js';
import { clean as withoutOwn, type Clean } from '../record/clean.js';
import { bounded } from './captured.js';

/** How long the texts of an entry may be, besides those of its error. */
export const MAX_NAME = 200;
export const MAX_RULE = 100;
export const MAX_ID = 128;
const MAX_CAUSES = 5;

const IDS = ['messageId', 'correlationId', 'traceId', 'sessionId'] as const;

export type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * An entry as it is let out: only the fields that an entry has, every text of it cleaned once
 * more, whoever wrote it and whenever. Not the entry itself, so nobody can change that.
 */
export function shown(entry: ErrorContext, clean: Clean): ErrorContext {
  const copy: Writable<ErrorContext> = {
    // ours, and looked up by: a function from the options must not make others of them
    id: withoutOwn(entry.id, MAX_ID),
    fingerprint: withoutOwn(entry.fingerprint, MAX_ID),
    severity: entry.severity,
    category: entry.category,
    rule: clean(entry.rule, MAX_RULE),
    component: clean(entry.component, MAX_NAME),
    method: clean(entry.method, MAX_NAME),
    error: shownFacts(entry.error, clean, 0),
    occurrences: entry.occurrences,
    firstOccurrence: entry.firstOccurrence,
    lastOccurrence: entry.lastOccurrence,
    recoveryAttempts: entry.recoveryAttempts,
  };
  if (entry.port !== undefined) copy.port = clean(entry.port, MAX_NAME);
  for (const id of IDS) {
    const text = entry[id];
    if (text !== undefined) copy[id] = clean(text, MAX_ID);
  }
  if (entry.metadata !== undefined) copy.metadata = bounded(entry.metadata, clean);
  return copy;
}

function shownFacts(facts: ErrorFacts, clean: Clean, depth: number): ErrorFacts {
  const copy: Writable<ErrorFacts> = {
    name: clean(facts.name, 100),
    message: clean(facts.message, 2_048),
  };
  if (facts.code !== undefined) copy.code = clean(facts.code, 100);
  if (facts.status !== undefined) copy.status = facts.status;
  if (facts.stack !== undefined) copy.stack = clean(facts.stack, 8_192);
  if (facts.cause !== undefined && depth < MAX_CAUSES)
    copy.cause = shownFacts(facts.cause, clean, depth + 1);
  return copy;
}

/** What an entry takes of the memory: its texts, in which a character may have two bytes, and the rest. */
export function weigh(entry: ErrorContext): number {
  let characters = entry.id.length;
  for (const id of IDS) characters += entry[id]?.length ?? 0;
  for (let f: ErrorFacts | undefined = entry.error; f !== undefined; f = f.cause) {
    characters += f.name.length + f.message.length + (f.code?.length ?? 0) + FACTS_OVERHEAD / 2;
    characters += f.stack?.length ?? 0;
  }
  if (entry.metadata !== undefined) {
    for (const [name, text] of Object.entries(entry.metadata))
      characters += name.length + text.length + METADATA_OVERHEAD / 2;
  }
  return ENTRY_OVERHEAD + 2 * characters;
}

/** Bytes of objects, headers of texts and places in tables, as measured by `test/bench/error-log.mjs`. */
const ENTRY_OVERHEAD = 400;
const FACTS_OVERHEAD = 120;
const METADATA_OVERHEAD = 100;
