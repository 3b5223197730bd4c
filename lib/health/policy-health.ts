import type { CircuitState } from '../kernel/event.js';

/** `degraded`: it works, with less; `down`: traffic should go elsewhere. */
export type HealthStatus = 'up' | 'degraded' | 'down';

/**
 * What a breaker's state means for health. An open breaker is the protection at work, so it is
 * `degraded`; only a breaker marked critical takes the instance out of service.
 */
export function breakerHealth(state: CircuitState, critical: boolean): HealthStatus {
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
