import type { NamedBreaker, NamedBulkhead } from '../../health/inputs.js';
import { bulkheadHealth, keyedBreakerHealth } from '../../health/policy-health.js';
import type { BulkheadReader, ResilienceRegistry } from '../../pipeline/registry.js';

/** The breakers of an application as the score sees them. */
export function breakerFacts({ breakers }: ResilienceRegistry): NamedBreaker[] {
  const keyed = breakers.keyedList().map(({ name, list }) => {
    const each = list().map(([, breaker]) => breaker);
    return { name, ...keyedBreakerHealth(each) };
  });
  return [...breakers.list(), ...keyed];
}

/** The bulkheads of an application as the score sees them. */
export function bulkheadFacts({ bulkheads }: ResilienceRegistry): NamedBulkhead[] {
  const keyed = bulkheads.keyedList().map(({ name, list }) => {
    const each = list().map(([, bulkhead]) => bulkhead);
    return { name, total: each.length, full: each.filter(isFull).length };
  });
  const single = bulkheads
    .list()
    .map((bulkhead) => ({ name: bulkhead.name, total: 1, full: isFull(bulkhead) ? 1 : 0 }));
  return [...single, ...keyed];
}

function isFull({ snapshot }: BulkheadReader): boolean {
  return bulkheadHealth(snapshot()) !== 'up';
}
