import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { SafeLogger } from '../safe-logger.js';
import { clean } from '../../errors/record/clean.js';
import { askInTime } from '../../health/ask-in-time.js';
import { Fresh } from '../../health/fresh.js';
import type { CallCounts, MetricValue, ProcessFigures } from '../../health/inputs.js';
import type { HealthMetricOptions } from '../../health/metric.options.js';
import { type HealthScore, levelOf, scoreOf } from '../../health/score.js';
import { type HealthTrend, Trend } from '../../health/trend.js';
import { show } from '../../kernel/check.js';
import type { CancelTimer, Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { ResilienceRegistry } from '../../pipeline/registry.js';
import { backgroundOf } from '../background.js';
import { CHECKPOINTS, Checkpoints } from '../checkpoint/checkpoints.js';
import type { ResilienceConfig } from '../config.js';
import { CLOCK, CONFIG } from '../tokens.js';
import { CALL_FIGURES, type CallFigures } from './figures.js';
import { type CompleteHealthConfig, healthConfigOf } from './health-defaults.js';
import { HealthMetrics, type Metric } from './health-metrics.js';
import { breakerFacts, bulkheadFacts } from './policy-facts.js';
import { PROCESS_READINGS, type ProcessReadings } from './process-readings.js';

/** One of the application's own figures, as it was last read. */
export interface MetricReading extends HealthMetricOptions {
  /** `unknown`: it threw, took too long, or answered no number. */
  readonly value: number | 'unknown';
  readonly level: 'ok' | 'warn' | 'critical' | 'unknown';
}

/** How the instance is doing, why, and where it is going. */
export interface HealthSample extends HealthScore {
  /** When this was read: wall-clock time, milliseconds since 1970. */
  readonly at: Milliseconds;
  /** The application's own figures, by the names given to `@HealthMetric`. */
  readonly metrics: Readonly<Record<string, MetricReading>>;
  /** Calls and failures of the last minute. */
  readonly calls: CallCounts;
  /** Event loop and heap, as far as they are known. */
  readonly process: ProcessFigures;
}

/** The last sample with the way that led there. */
export interface HealthReading extends HealthSample {
  readonly trend: HealthTrend;
}

/** However many ask, the application is read once in this span. */
const MAX_AGE: Milliseconds = 1_000;
/** Of the log, in characters. */
const MAX_LINE = 2_048;

/**
 * Reads the health of the application every `health.sampleInterval`, and when somebody asks.
 * Nothing that it reads is changed by that.
 */
@Injectable()
export class HealthMonitor implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new SafeLogger('Bulwark');
  private readonly trend = new Trend();
  private readonly latest: Fresh<HealthSample>;
  private readonly unread = new Set<string>();
  private readonly config: CompleteHealthConfig;
  private cancel: CancelTimer = () => {};

  constructor(
    @Inject(ResilienceRegistry) private readonly registry: ResilienceRegistry,
    @Inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @Inject(HealthMetrics) private readonly metrics: HealthMetrics,
    @Inject(PROCESS_READINGS) private readonly process: ProcessReadings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) config: ResilienceConfig | undefined,
    @Inject(CALL_FIGURES) private readonly figures: CallFigures,
  ) {
    this.config = healthConfigOf(config);
    this.latest = new Fresh(() => this.sample(), clock, MAX_AGE);
  }

  /** The health of now: what is older than a second is read anew, once for all who ask. */
  async status(): Promise<HealthReading> {
    const sample = await this.latest.get();
    return { ...sample, trend: this.trend.read(this.clock.now()) };
  }

  onApplicationBootstrap(): void {
    if (!this.config.isOn) return;
    this.process.open();
    this.plan();
  }

  onApplicationShutdown(): void {
    this.cancel();
    this.process.close();
  }

  private plan(): void {
    const { sampleInterval } = this.config;
    const again = (): void => {
      this.latest.get().catch((error: unknown) => {
        this.logger.error(`health: cannot be read: ${show(error)}`);
      });
      this.plan();
    };
    this.cancel = backgroundOf(this.clock)(again, sampleInterval);
  }

  private async sample(): Promise<HealthSample> {
    const metrics = await Promise.all(this.metrics.all.map((metric) => this.read(metric)));
    const process = this.process.read();
    const calls = this.figures.recent();
    const { score, status, explanation } = scoreOf({
      breakers: breakerFacts(this.registry),
      bulkheads: bulkheadFacts(this.registry),
      store: this.checkpoints.engine?.state,
      calls,
      process,
      metrics,
    });
    const at = this.clock.epoch();
    this.trend.add({ at, score, status }, this.clock.now());
    return {
      at,
      status,
      score,
      explanation,
      metrics: Object.fromEntries(metrics.map(readingOf)),
      calls,
      process,
    };
  }

  private async read({ name, from, options, read }: Metric): Promise<MetricValue> {
    const what = `health metric ${name}`;
    const answer = await askInTime(what, read, this.config.timeout, this.clock);
    const value = 'value' in answer ? answer.value : undefined;
    if (typeof value === 'number' && !Number.isNaN(value)) {
      if (this.unread.delete(name)) this.logger.log(`${what}: can be read again`);
      return { ...options, name, value };
    }
    const problem = 'problem' in answer ? answer.problem : `got ${show(value)}, expected a number`;
    if (!this.unread.has(name))
      this.logger.warn(clean(`${what}: cannot be read from ${from}: ${problem}`, MAX_LINE));
    this.unread.add(name);
    return { ...options, name, value: 'unknown' };
  }
}

function readingOf(metric: MetricValue): [name: string, MetricReading] {
  const { name, ...reading } = metric;
  return [name, { ...reading, level: levelOf(metric) }];
}
