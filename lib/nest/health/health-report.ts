import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import type { Clock } from '../../kernel/clock.js';
import type { HealthConfig, ResilienceConfig } from '../config.js';
import { CLOCK, CONFIG } from '../tokens.js';
import { runIndicator } from './custom-indicators.js';
import { ResilienceHealthIndicator } from './resilience.health.js';

/** What everybody may know. */
export interface PublicHealth {
  status: string;
}

const TIMEOUT = 1_000;

/** Asks every indicator, and decides how much of the answers is said to whom. */
@Injectable()
export class HealthReport {
  private readonly logger = new Logger('Bulwark');
  private readonly config: HealthConfig;
  private last = 'ok';

  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(ResilienceHealthIndicator) private readonly resilience: ResilienceHealthIndicator,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) config: ResilienceConfig | undefined,
  ) {
    const given = config?.health;
    this.config = given === undefined || given === null || given === false ? {} : given;
  }

  /** @throws ServiceUnavailableException with the answer, where something is down */
  async answer(): Promise<PublicHealth> {
    const result = await this.check();
    const status = overall(result);
    this.logChange(status, result);
    const body = this.config.details === 'always' ? { ...result, status } : { status };
    if (status === 'ok' || status === 'degraded') return body;
    throw new ServiceUnavailableException(body);
  }

  private async check(): Promise<HealthCheckResult> {
    const { indicators = {}, timeout = TIMEOUT } = this.config;
    const own = Object.entries(indicators).map(
      ([name, check]) =>
        () =>
          runIndicator(name, check, timeout, this.clock),
    );
    try {
      return await this.health.check([
        () => this.resilience.breakers(),
        () => this.resilience.bulkheads(),
        ...(this.resilience.keeps ? [() => this.resilience.checkpoints()] : []),
        ...own,
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
