import { ignore } from './ignore.js';

/**
 * What a predicate from the options answered, as true or false.
 *
 * @throws TypeError for a promise, which is no answer, and would always count as true
 */
export function verdict(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return Boolean(answer);
  if (typeof (answer as { then?: unknown }).then !== 'function') return true;
  ignore(answer);
  throw new TypeError('answered a promise, expected true or false');
}
