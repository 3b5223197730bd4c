import type { Clean } from '../../../errors/record/clean.js';
import { REDACTED } from '../../../errors/record/redact.js';
import { isSecretName } from '../../../errors/record/secret-value.js';

/** Of one text, in characters. */
const MAX_TEXT = 2_048;
const MAX_DEPTH = 12;

/** What is sent, as it may be sent: every text of it is cleaned, and what is no JSON left out. */
export function outgoing(value: unknown, clean: Clean, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return clean(value, MAX_TEXT);
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return String(value);
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null || depth > MAX_DEPTH) return null;
  if (Array.isArray(value)) return value.map((item) => outgoing(item, clean, depth + 1) ?? null);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      clean(key, MAX_TEXT),
      outgoing(item, clean, depth + 1),
    ]),
  );
}

/** What code of the application says of itself: texts under the names of secrets are none of anybody's business. */
export function withoutSecrets(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => [
      key,
      typeof value === 'string' && isSecretName(key) ? REDACTED : value,
    ]),
  );
}
