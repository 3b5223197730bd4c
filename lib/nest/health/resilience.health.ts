import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import {
  breakerHealth,
  bulkheadHealth,
  type HealthStatus,
  worst,
} from '../../health/policy-health.js';
import { ResilienceRegistry } from '../../pipeline/registry.js';

/** Terminus indicators over the policies of the application. Reading them changes no state. */
@Injectable()
export class ResilienceHealthIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(ResilienceRegistry) private readonly registry: ResilienceRegistry,
  ) {}

  /**
   * Every circuit breaker. Open is `degraded`; `down` only for a breaker marked `critical`.
   *
   * @param key the name of the entry in the answer
   */
  breakers<const K extends string = 'circuitBreakers'>(
    key: K = 'circuitBreakers' as K,
  ): HealthIndicatorResult<K> {
    const readers = this.registry.breakers.list();
    const status = worst(readers.map(({ state, critical }) => breakerHealth(state, critical)));
    const entries = readers.map((reader) => {
      const { state, probeDue, retryAfter, lastTrip } = reader.snapshot();
      const open =
        state === 'open'
          ? { probeDue, retryAfter, ...(lastTrip === undefined ? {} : { lastTrip }) }
          : {};
      return [reader.name, { state, ...open }] as const;
    });
    return this.report(key, status, { breakers: Object.fromEntries(entries) });
  }

  /**
   * Every bulkhead. `degraded` while its slots and its queue are full.
   *
   * @param key the name of the entry in the answer
   */
  bulkheads<const K extends string = 'bulkheads'>(
    key: K = 'bulkheads' as K,
  ): HealthIndicatorResult<K> {
    const entries = this.registry.bulkheads
      .list()
      .map(({ name, snapshot }) => [name, snapshot()] as const);
    const status = worst(entries.map(([, bulkhead]) => bulkheadHealth(bulkhead)));
    return this.report(key, status, { bulkheads: Object.fromEntries(entries) });
  }

  private report<const K extends string>(
    key: K,
    status: HealthStatus,
    data: Record<string, unknown>,
  ): HealthIndicatorResult<K> {
    const session = this.indicators.check(key);
    if (status === 'down') return session.down(data) as HealthIndicatorResult<K>;
    if (status === 'up') return session.up(data) as HealthIndicatorResult<K>;
    // Terminus 11 drops a status it does not know, and the entry with it
    const { degraded } = session as { degraded?: unknown };
    if (typeof degraded !== 'function')
      return session.up({ state: 'degraded', ...data }) as HealthIndicatorResult<K>;
    return Reflect.apply(degraded, session, [data]) as HealthIndicatorResult<K>;
  }
}
