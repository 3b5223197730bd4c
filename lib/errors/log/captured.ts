import { isOptionsObject, show } from '../../kernel/check.js';
import { ignore } from '../../kernel/ignore.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import type { Clean } from '../record/clean.js';
import { REDACTED } from '../record/redact.js';
import { isSecretName } from '../record/secret-value.js';
import type { Capture } from './error-log.options.js';

const MAX_ENTRIES = 16;
const MAX_NAME = 40;
const MAX_VALUE = 256;
/** All together: what an entry has left beside the facts of its error. */
const MAX_ALL = 2_048;

/** What is kept of the arguments. Never throws: the first failure is reported, none keeps anything. */
export function makeCapture(
  capture: Capture,
  clean: Clean,
  report: PredicateReport,
): (args: readonly unknown[]) => Record<string, string> | undefined {
  let told = false;
  return (args) => {
    try {
      const given: unknown = capture(args);
      if (given instanceof Promise) ignore(given);
      return bounded(given, clean);
    } catch (error) {
      if (!told) report('capture', error);
      told = true;
      return undefined;
    }
  };
}

/** The same bounds and the same redaction for what is kept and for what is shown. */
export function bounded(given: unknown, clean: Clean): Record<string, string> {
  if (!isOptionsObject(given) || given instanceof Promise)
    throw new TypeError(`got ${show(given)}, expected texts by name`);
  const kept: Record<string, string> = {};
  let left = MAX_ALL;
  for (const key of Object.keys(given).slice(0, MAX_ENTRIES)) {
    const value = given[key];
    if (typeof value !== 'string') continue;
    const name = clean(key, MAX_NAME);
    const text = isSecretName(key) ? REDACTED : clean(value, Math.min(MAX_VALUE, left));
    left -= name.length + text.length;
    if (left < 0) break;
    kept[name] = text;
  }
  return kept;
}
