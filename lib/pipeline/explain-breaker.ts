import type { CircuitBreakerSnapshot } from '../policies/circuit-breaker/circuit-breaker.snapshot.js';

/** Why a breaker is in its state, and when it probes next, in one sentence for people. */
export function explainBreaker(name: string, snapshot: CircuitBreakerSnapshot): string {
  const { state, reason, mode, lastTrip, probeDue, retryAfter, share } = snapshot;
  const shadow = mode === 'shadow' ? ' (in shadow mode: it refuses nobody)' : '';
  const why = reason === undefined ? '' : `: ${reason}`;
  const parts = [`circuit breaker ${name} is ${state}${shadow}${why}`];
  if (state !== 'closed' && lastTrip !== undefined) {
    const errors = tally(lastTrip.outcomes.map(({ outcome, error }) => error ?? outcome));
    if (errors !== '') parts.push(`what opened it: ${errors}`);
    if (lastTrip.openings > 1) parts.push(`opened ${lastTrip.openings} times in a row`);
  }
  if (probeDue) parts.push('the next call is a probe');
  else if (retryAfter !== undefined) parts.push(`next probe in ${retryAfter} ms`);
  if (share !== undefined) parts.push(`it lets ${Math.round(share * 100)} % of the calls in`);
  return parts.join('; ');
}

/** `3 × ECONNREFUSED, 1 × timeout`, the most frequent first. */
function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([word, count]) => `${count} × ${word}`)
    .join(', ');
}
