import { show } from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** What is kept of one failed attempt. Texts are cut, so that all of it is at most 1 KB. */
export interface AttemptRecord {
  /** Counted from 1. */
  readonly attempt: number;
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  /** What was waited for afterwards, in milliseconds. */
  readonly delay: Milliseconds;
}

const MAX_RECORDS = 10;
/** Together 340 characters: at most 1,020 bytes, whatever the script and the encoding. */
const MAX_NAME = 40;
const MAX_CODE = 40;
const MAX_MESSAGE = 260;

/**
 * The failed attempts of one call, for whoever wants to know what came before the last error. It
 * keeps the first attempt, which often names the cause, and the nine newest; and it keeps texts,
 * never the errors, which may hold on to anything.
 */
export class AttemptLog {
  readonly records: AttemptRecord[] = [];

  add(attempt: number, error: unknown, delay: Milliseconds): void {
    if (this.records.length === MAX_RECORDS) this.records.splice(1, 1);
    this.records.push({
      attempt,
      name: cut(() => (error as { name?: unknown }).name, MAX_NAME) ?? typeof error,
      message: cut(() => messageOf(error), MAX_MESSAGE) ?? '',
      code: cut(() => (error as { code?: unknown }).code, MAX_CODE),
      delay,
    });
  }
}

function messageOf(error: unknown): unknown {
  if (typeof error === 'string') return error;
  const message = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : show(error);
}

/** The beginning of a text, or undefined if the error has none or will not say. */
function cut(read: () => unknown, length: number): string | undefined {
  try {
    const text = read();
    if (typeof text === 'number') return String(text);
    if (typeof text !== 'string') return undefined;
    // a mere slice would keep the whole text alive behind it
    return text.length <= length ? text : copyOf(text.slice(0, length - 1) + '…');
  } catch {
    return undefined;
  }
}

function copyOf(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}
