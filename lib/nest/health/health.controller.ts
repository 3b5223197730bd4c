import {
  Controller,
  Get,
  Inject,
  Req,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HealthCheck } from '@nestjs/terminus';
import { DetailsGuard } from './details.guard.js';
import { HealthReport, type PublicHealth } from './health-report.js';

abstract class HealthEndpoint {
  constructor(@Inject(HealthReport) protected readonly report: HealthReport) {}
}

/**
 * The endpoints, each a controller of its own, so that an application can replace one and keep the
 * others. New classes for each registration: path and decorators are not written on shared ones.
 */
export function healthControllers(path: string, decorators: readonly ClassDecorator[]): Type[] {
  /** Everything: 200 for `ok` and `degraded`, 503 for `error`. */
  class HealthController extends HealthEndpoint {
    @Get()
    @HealthCheck()
    all(@Req() request: object): Promise<PublicHealth> {
      return this.report.all(request);
    }
  }

  /** Whether the process should be restarted: no dependency, and no breaker, has a say in it. */
  class LivenessController extends HealthEndpoint {
    @Get('live')
    @HealthCheck()
    live(): PublicHealth {
      return { status: 'ok' };
    }
  }

  /** Whether traffic should come here: 503 while a critical breaker is open or an indicator is down, and a little longer. */
  class ReadinessController extends HealthEndpoint {
    @Get('ready')
    @HealthCheck()
    ready(@Req() request: object): Promise<PublicHealth> {
      return this.report.ready(request);
    }
  }

  const controllers = [HealthController, LivenessController, ReadinessController];
  for (const controller of controllers) {
    Controller({ path, version: VERSION_NEUTRAL })(controller);
    for (const decorator of decorators) decorator(controller);
    UseGuards(DetailsGuard)(controller);
  }
  return controllers;
}

/** Whether a class is one of those that `healthControllers` made. */
export function isHealthController(type: Type): boolean {
  return type.prototype instanceof HealthEndpoint;
}
