import { ignore } from '../../kernel/ignore.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import { oneLine } from './one-line.js';
import { redact } from './redact.js';

/** Takes out of a text what must not be kept or shown. */
export type Redact = (text: string) => string;

/**
 * Makes a text of anybody's fit to be kept and shown: cut to `max` characters, without secrets, on
 * one line, and a copy of its own. Never throws.
 */
export type Clean = (text: string, max: number) => string;

/** Stands for a text that a function from the options could not redact: never the text itself. */
export const REDACTION_FAILED = '[redaction failed]';
const CUT = '...';
/** Shorter than any token, and without the signs that part a name from a value. */
const HARMLESS = /^[\w.]{0,19}$/;

/**
 * The one function through which every text goes before it is kept and before it is let out. It
 * cuts first, so that no later step sees more than `max`, then takes out what `redact` knows, then
 * what the function given knows.
 *
 * @param own hears the text without the secrets we know; if it throws, or answers no string, that
 *   is reported once as `redact` and the whole text is replaced
 */
export function makeClean(own?: Redact, report: PredicateReport = () => {}): Clean {
  if (own === undefined) return (text, max) => cleaned(text, max);
  let told = false;
  const failed = (error: unknown): string => {
    if (!told) report('redact', error);
    told = true;
    return REDACTION_FAILED;
  };
  return (text, max) => {
    let answer: unknown;
    try {
      answer = own(redact(cut(text, max)));
      if (typeof answer !== 'string') {
        ignore(answer); // a promise may reject
        throw new TypeError(`got a ${typeof answer}, expected a string`);
      }
    } catch (error) {
      return failed(error);
    }
    return ownCopy(cut(oneLine(answer as string), max));
  };
}

/** Without a function from the options. */
export const clean: Clean = cleaned;

function cleaned(text: string, max: number): string {
  if (text.length <= max && HARMLESS.test(text)) return text;
  return ownCopy(cut(oneLine(redact(cut(text, max))), max));
}

/** So cut that it can be seen: what ends with the mark may end within a secret. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return (text.slice(0, Math.max(0, max - CUT.length)) + CUT).slice(0, max);
}

/** The engine keeps the whole of a text alive for the sake of a slice: a message may be one of 5 MB. */
function ownCopy(text: string): string {
  return ` ${text}`.slice(1);
}
