import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import {
  breakerHealth,
  bulkheadHealth,
  type HealthStatus,
  keyedBreakerHealth,
  worst,
} from '../../health/policy-health.js';
import { checkOptions, number, ResilienceConfigError } from '../../kernel/check.js';
import { CHECKPOINTS, Checkpoints } from '../checkpoint/checkpoints.js';
import { type CircuitBreakerReader, ResilienceRegistry } from '../../pipeline/registry.js';
import { RecoveryDesks } from '../recovery/recovery.providers.js';
import { ERROR_FIGURES, type ErrorFigures } from './figures.js';
import { HealthMonitor } from './health-monitor.js';

const SCORE_RULES = { downBelow: number(0, 100) };

function entryOf({ mode, snapshot }: CircuitBreakerReader): Record<string, unknown> {
  const { state, probeDue, retryAfter, share, lastTrip } = snapshot();
  return {
    state,
    ...(mode === 'shadow' ? { mode } : {}),
    ...(share === undefined ? {} : { share }),
    ...(state === 'open' ? { probeDue, retryAfter, ...(lastTrip && { lastTrip }) } : {}),
  };
}

/** Terminus indicators over the policies of the application. Reading them changes no state. */
@Injectable()
export class ResilienceHealthIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(ResilienceRegistry) private readonly registry: ResilienceRegistry,
    @Inject(CHECKPOINTS) private readonly checkpointed: Checkpoints,
    @Inject(HealthMonitor) private readonly monitor: HealthMonitor,
    @Inject(ERROR_FIGURES) private readonly figures: ErrorFigures,
    @Inject(RecoveryDesks) private readonly desks: RecoveryDesks,
  ) {}

  /**
   * Every circuit breaker. Open is `degraded`; `down` only for a breaker marked `critical`. Where
   * each key has a breaker of its own, one entry says how many there are and how many are not
   * closed; they are `down` together, if every one of them is. In shadow mode none of this.
   *
   * @param key the name of the entry in the answer
   */
  breakers<const K extends string = 'circuitBreakers'>(
    key: K = 'circuitBreakers' as K,
  ): HealthIndicatorResult<K> {
    const { breakers } = this.registry;
    const readers = breakers.list();
    const keyed = breakers
      .keyedList()
      .map(({ name, list }) => [name, keyedBreakerHealth(list().map(([, one]) => one))] as const);
    const status = worst([
      ...readers.map(breakerHealth),
      ...keyed.map(([, health]) => health.status),
    ]);
    const entries = [
      ...readers.map((reader) => [reader.name, entryOf(reader)] as const),
      ...keyed.map(([name, { keys }]) => [name, { keys }] as const),
    ];
    return this.report(key, status, { breakers: Object.fromEntries(entries) });
  }

  /**
   * Every bulkhead. `degraded` while its slots and its queue are full. Where each key has a
   * bulkhead of its own, one entry says how many there are and how many are full.
   *
   * @param key the name of the entry in the answer
   */
  bulkheads<const K extends string = 'bulkheads'>(
    key: K = 'bulkheads' as K,
  ): HealthIndicatorResult<K> {
    const { bulkheads } = this.registry;
    const entries = bulkheads.list().map(({ name, snapshot }) => [name, snapshot()] as const);
    const keyed = bulkheads.keyedList().map(({ name, list }) => {
      const each = list().map(([, { snapshot }]) => bulkheadHealth(snapshot()));
      const full = each.filter((health) => health !== 'up').length;
      return [name, { keys: { total: each.length, full } }] as const;
    });
    const status = worst([
      ...entries.map(([, bulkhead]) => bulkheadHealth(bulkhead)),
      ...keyed.map(([, { keys }]) => (keys.full > 0 ? 'degraded' : 'up')),
    ]);
    return this.report(key, status, { bulkheads: Object.fromEntries([...entries, ...keyed]) });
  }

  /**
   * The store of checkpoints. `degraded` while it is fenced after a failed write, an earlier state
   * is being restored, or the application shuts down: state can be read, and not changed. Of each
   * component how many calls wait for their turn, and how many came since it was saved.
   *
   * @param key the name of the entry in the answer
   */
  checkpoints<const K extends string = 'checkpoints'>(
    key: K = 'checkpoints' as K,
  ): HealthIndicatorResult<K> {
    const { engine } = this.checkpointed;
    if (engine === undefined) return this.report(key, 'up', { store: 'none', components: {} });
    const components = [...engine.components.values()].map(
      ({ name, turns, unsaved }) => [name, { pending: turns.pending, unsaved }] as const,
    );
    const { state } = engine;
    const status = state === 'open' ? 'up' : 'degraded';
    return this.report(key, status, { store: state, components: Object.fromEntries(components) });
  }

  /**
   * The score, with what took points off. Below 80, which is `healthy`, it is `degraded`; `down`
   * only where the application says so, for to withdraw traffic by a figure is its decision.
   *
   * @param key the name of the entry in the answer
   * @param options `downBelow`: the score, 0 to 100, below which it is `down`; default 0, never
   * @throws ResilienceConfigError (as a rejection) for another `downBelow`
   */
  async score<const K extends string = 'score'>(
    key: K = 'score' as K,
    { downBelow = 0 }: { downBelow?: number } = {},
  ): Promise<HealthIndicatorResult<K>> {
    const mistakes = checkOptions('ResilienceHealthIndicator.score', { downBelow }, SCORE_RULES);
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    const { score, status: band, explanation } = await this.monitor.status();
    const status = score < downBelow ? 'down' : band === 'healthy' ? 'up' : 'degraded';
    return this.report(key, status, { score, band, explanation });
  }

  /**
   * The errors of the application: `degraded` while they follow a pattern, such as a spike, or more
   * a second than can be looked at. What the last minute amounts to, and the patterns that hold.
   *
   * @param key the name of the entry in the answer
   */
  errors<const K extends string = 'errors'>(key: K = 'errors' as K): HealthIndicatorResult<K> {
    const active = this.figures.active();
    const status = active.length === 0 ? 'up' : 'degraded';
    return this.report(key, status, { ...this.figures.analyse(), active });
  }

  /**
   * What recovery knows: `degraded` while corruption is known and not mended, a connection is cut, or
   * a recovery is under way. Looks for nothing itself. Not part of `/health`: whoever goes on without
   * a connection is well.
   *
   * @param key the name of the entry in the answer
   */
  recovery<const K extends string = 'recovery'>(
    key: K = 'recovery' as K,
  ): HealthIndicatorResult<K> {
    const { corruption, network, lock } = this.desks;
    const { isCorrupted: corrupted } = corruption;
    const { partitions } = network;
    const underWay = lock.current;
    const isWell = !corrupted && partitions.length === 0 && underWay === undefined;
    const data = { corrupted, partitions, ...(underWay === undefined ? {} : { underWay }) };
    return this.report(key, isWell ? 'up' : 'degraded', data);
  }

  /** Whether there is anything for `checkpoints` to tell. @internal */
  get keeps(): boolean {
    return this.checkpointed.engine !== undefined;
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
