import type { CircuitState } from '../kernel/event.js';

/** `degraded`: it works, with less; `down`: traffic should go elsewhere. */
export type HealthStatus = 'up' | 'degraded' | 'down';

/** What health must know of a breaker. */
export interface BreakerFacts {
  readonly state: CircuitState;
  readonly critical: boolean;
  readonly mode: 'enforce' | 'shadow';
}

/**
 * What a breaker's state means for health. An open breaker is the protection at work, so it is
 * `degraded`; only a breaker marked critical takes the instance out of service. One in shadow mode
 * protects nothing, so it says nothing.
 */
export function breakerHealth({ state, critical, mode }: BreakerFacts): HealthStatus {
  if (mode === 'shadow') return 'up';
  switch (state) {
    case 'closed':
    case 'disabled':
      return 'up';
    case 'half-open':
    case 'recovering':
      return 'degraded';
    case 'open':
    case 'isolated':
      return critical ? 'down' : 'degraded';
    default:
      return state satisfies never;
  }
}

/** The breakers of one name, one per key, in figures. */
export interface KeyedBreakerHealth {
  readonly status: HealthStatus;
  /** `open`: those that are not up, whether they refuse all calls or some. */
  readonly keys: { readonly total: number; readonly open: number };
}

/**
 * What the breakers of all keys mean together. One key is one customer or one host, so the instance
 * is out of service only if every key that is known is down.
 */
export function keyedBreakerHealth(breakers: Iterable<BreakerFacts>): KeyedBreakerHealth {
  let [total, open, down] = [0, 0, 0];
  for (const breaker of breakers) {
    const health = breakerHealth(breaker);
    total += 1;
    if (health !== 'up') open += 1;
    if (health === 'down') down += 1;
  }
  const status = open === 0 ? 'up' : down === total ? 'down' : 'degraded';
  return { status, keys: { total, open } };
}

/** A bulkhead is degraded while the next call would be refused. */
export function bulkheadHealth(bulkhead: {
  readonly running: number;
  readonly queued: number;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
}): HealthStatus {
  const { running, queued, maxConcurrent, maxQueue } = bulkhead;
  return running >= maxConcurrent && queued >= maxQueue ? 'degraded' : 'up';
}

const RANK: { readonly [S in HealthStatus]: number } = { up: 0, degraded: 1, down: 2 };

/** The worst of several; `up` if there are none. */
export function worst(statuses: readonly HealthStatus[]): HealthStatus {
  return statuses.reduce<HealthStatus>((a, b) => (RANK[b] > RANK[a] ? b : a), 'up');
}
