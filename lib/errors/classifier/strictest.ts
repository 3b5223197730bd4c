import type { ErrorClassification } from './error-classification.js';

/**
 * Which of several errors speaks for all, each of which kept the work from being done:
 *
 * 1. a refusal of access, for what one of them must not hide the others must not either;
 * 2. then a mistake in a program, for the same reason;
 * 3. then a cancellation, for nobody waits any more;
 * 4. then one that another attempt will not heal, those before the others that the dependency is to
 *    be blamed for: it is worth asking again only if all of them are.
 *
 * Of equals the first.
 */
export function strictest(all: readonly ErrorClassification[]): ErrorClassification | undefined {
  let worst: ErrorClassification | undefined;
  for (const each of all) if (worst === undefined || rank(each) > rank(worst)) worst = each;
  return worst;
}

function rank({ fallback, outcome, retryable }: ErrorClassification): number {
  if (outcome === 'cancelled') return 3;
  if (!fallback) return outcome === 'failure' ? 4 : 5;
  if (retryable) return 0;
  return outcome === 'failure' ? 2 : 1;
}
