import {
  Controller,
  Get,
  Inject,
  Logger,
  ServiceUnavailableException,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import type { Clock } from '../../kernel/clock.js';
import type { HealthConfig, ResilienceConfig } from '../config.js';
import { CLOCK, CONFIG } from '../tokens.js';
import { runIndicator } from './custom-indicators.js';
import { ResilienceHealthIndicator } from './resilience.health.js';

/** What everybody may know. */
interface PublicHealth {
  status: string;
}

const TIMEOUT = 1_000;

abstract class HealthControllerBase {
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

  /** Everything: 200 for `ok` and `degraded`, 503 for `error`. */
  @Get()
  @HealthCheck()
  all(): Promise<PublicHealth> {
    return this.answer();
  }

  /** Whether the process should be restarted: no dependency, and no breaker, has a say in it. */
  @Get('live')
  @HealthCheck()
  live(): PublicHealth {
    return { status: 'ok' };
  }

  /** Whether traffic should come here: 503 only if a critical breaker is open or an indicator is down. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<PublicHealth> {
    return this.answer();
  }

  private async answer(): Promise<PublicHealth> {
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

/** A controller class of its own for each registration: the path is not written on a shared class. */
export function healthController(path: string, decorators: readonly ClassDecorator[]): Type {
  class HealthController extends HealthControllerBase {}
  Controller({ path, version: VERSION_NEUTRAL })(HealthController);
  for (const decorator of decorators) decorator(HealthController);
  return HealthController;
}

/** Whether a class is one of those that `healthController` made. */
export function isHealthController(type: Type): boolean {
  return type.prototype instanceof HealthControllerBase;
}
