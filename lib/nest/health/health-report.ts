import { Inject, Injectable, ServiceUnavailableException } from '@nestjs/common';
import {
  type HealthCheckResult,
  HealthCheckService,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { SafeLogger } from '../safe-logger.js';
import { Damping } from '../../health/damping.js';
import { Fresh } from '../../health/fresh.js';
import type { Clock } from '../../kernel/clock.js';
import type { ResilienceConfig } from '../config.js';
import { ApplicationShutdown } from '../recovery/shutdown.providers.js';
import { CLOCK, CONFIG } from '../tokens.js';
import { runIndicator } from './custom-indicators.js';
import { DetailsReaders } from './details-readers.js';
import { type CompleteHealthConfig, healthConfigOf } from './health-defaults.js';
import { HealthMonitor, type HealthReading } from './health-monitor.js';
import { ResilienceHealthIndicator } from './resilience.health.js';

/** What everybody may know. */
export interface PublicHealth {
  status: string;
}

/** However many ask, an indicator of the application runs once in this span. */
const MAX_AGE = 1_000;

/** Asks every indicator, and decides how much of the answers is said to whom. */
@Injectable()
export class HealthReport {
  private readonly logger = new SafeLogger('Bulwark');
  private readonly config: CompleteHealthConfig;
  private readonly indicators: readonly Fresh<HealthIndicatorResult>[];
  private readonly readiness: Damping;
  private last = 'ok';

  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(ResilienceHealthIndicator) private readonly resilience: ResilienceHealthIndicator,
    @Inject(HealthMonitor) private readonly monitor: HealthMonitor,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) config: ResilienceConfig | undefined,
    @Inject(ApplicationShutdown) private readonly shutdown: ApplicationShutdown,
    @Inject(DetailsReaders) private readonly readers: DetailsReaders,
  ) {
    this.config = healthConfigOf(config);
    const { indicators, timeout, recoverAfter } = this.config;
    this.indicators = Object.entries(indicators).map(
      ([name, check]) => new Fresh(() => runIndicator(name, check, timeout, clock), clock, MAX_AGE),
    );
    this.readiness = new Damping(recoverAfter);
  }

  /**
   * How everything is, at this moment; with details the score and what it is made of too.
   *
   * @throws ServiceUnavailableException with the answer, where something is down
   */
  async all(request?: object): Promise<PublicHealth> {
    const isOpen = this.isOpenTo(request);
    const [result, reading] = await Promise.all([
      this.check(),
      isOpen ? this.monitor.status() : undefined,
    ]);
    const status = overall(result);
    this.logChange(status, result);
    return answer(isUp(status), isOpen ? { ...result, status, ...scoreIn(reading) } : { status });
  }

  /**
   * Whether traffic should come here. That is taken back at once where something is down, and given
   * again when it has been up for a while. Not while the application shuts down, however it is.
   *
   * @throws ServiceUnavailableException with the answer, where it should not
   */
  async ready(request?: object): Promise<PublicHealth> {
    if (this.shutdown.isShuttingDown) return answer(false, { status: 'shutting_down' });
    const result = await this.check();
    const now = overall(result);
    this.logChange(now, result);
    const isReady = this.readiness.look(isUp(now), this.clock.now());
    const isHeld = !isReady && isUp(now);
    const status = isHeld ? 'error' : now;
    if (!this.isOpenTo(request)) return answer(isReady, { status });
    return answer(isReady, { ...result, ...(isHeld ? { held: now } : {}), status });
  }

  private isOpenTo(request: object | undefined): boolean {
    const { details } = this.config;
    return (
      details === 'always' ||
      (details === 'authorized' && request !== undefined && this.readers.has(request))
    );
  }

  private async check(): Promise<HealthCheckResult> {
    try {
      return await this.health.check([
        () => this.resilience.breakers(),
        () => this.resilience.bulkheads(),
        ...(this.resilience.keeps ? [() => this.resilience.checkpoints()] : []),
        ...this.indicators.map((indicator) => () => indicator.get()),
      ]);
    } catch (error) {
      // Terminus throws its report where something is down
      if (error instanceof ServiceUnavailableException)
        return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }

  /** The details may be hidden from callers; operators find the reason in the log. */
  private logChange(status: string, { details }: HealthCheckResult): void {
    if (status === this.last) return;
    this.last = status;
    if (status === 'ok') {
      this.logger.log('health: ok again');
      return;
    }
    const impaired = Object.entries(details).filter(([, e]) => e.status !== 'up' || isDegraded(e));
    this.logger.warn(`health: ${status}`, { health: Object.fromEntries(impaired) });
  }
}

/** Terminus 11 cannot say `degraded`; its entries then say so in `state`. */
function isDegraded(entry: object): boolean {
  return (entry as { state?: unknown }).state === 'degraded';
}

function overall({ status, details }: HealthCheckResult): string {
  return status === 'ok' && Object.values(details).some(isDegraded) ? 'degraded' : status;
}

function isUp(status: string): boolean {
  return status === 'ok' || status === 'degraded';
}

function answer(isGood: boolean, body: PublicHealth): PublicHealth {
  if (isGood) return body;
  throw new ServiceUnavailableException(body);
}

/** The words of the score; `status` is taken by the verdict of the indicators. */
function scoreIn(reading: HealthReading | undefined): object {
  if (reading === undefined) return {};
  const { at: _at, status, ...figures } = reading;
  return { band: status, ...figures };
}
