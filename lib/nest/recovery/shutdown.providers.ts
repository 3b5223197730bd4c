import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import type { Clock } from '../../kernel/clock.js';
import { GracefulShutdown } from '../../recovery/shutdown/graceful-shutdown.js';
import type { ShutdownHost } from '../../recovery/shutdown/shutdown-host.js';
import { ApplicationRuntime } from '../application-runtime.js';
import type { ResilienceConfig } from '../config.js';
import { inBackground } from '../background.js';
import { SafeLogger } from '../safe-logger.js';
import { CLOCK, CONFIG } from '../tokens.js';
import { recoveryConfigOf } from './recovery.config.js';
import { HttpTraffic } from './shutdown-traffic.js';

/** The end of this application. */
@Injectable()
export class ApplicationShutdown
  extends GracefulShutdown
  implements OnApplicationBootstrap, OnApplicationShutdown
{
  onApplicationBootstrap(): void {
    this.started();
  }

  onApplicationShutdown(): void {
    this.closed();
  }
}

/** Where this process is one that must not end for the sake of an application: the tests of a user. */
function isTest({ NODE_ENV, JEST_WORKER_ID, VITEST }: NodeJS.ProcessEnv): boolean {
  return NODE_ENV === 'test' || JEST_WORKER_ID !== undefined || VITEST !== undefined;
}

/**
 * A process that ends by itself takes down the handlers of signals first, and lives on for
 * milliseconds: a signal that comes then, as the second of those that shells and orchestrators send,
 * would kill it, and its code would be another. `exit` leaves them in place. What others do
 * `beforeExit` has its turn first.
 */
function endInOneStep(): void {
  process.once('beforeExit', () => {
    setImmediate(() => {});
    process.once('beforeExit', () => process.exit());
  });
}

function nodeHost(): ShutdownHost {
  return {
    trafficOf: (app) => HttpTraffic.of(app),
    onSignal: (signal, run) => {
      process.on(signal, run);
      return () => process.off(signal, run);
    },
    exit: isTest(process.env) ? false : (code) => process.exit(code),
    endInOneStep: isTest(process.env) ? () => {} : endInOneStep,
    inBackground,
    logger: new SafeLogger('Bulwark'),
  };
}

export const shutdownProviders: Provider[] = [
  {
    provide: ApplicationShutdown,
    useFactory: (runtime: ApplicationRuntime, clock: Clock, config?: ResilienceConfig) => {
      const { shutdown } = recoveryConfigOf(config);
      return new ApplicationShutdown(clock, runtime, nodeHost(), shutdown);
    },
    inject: [ApplicationRuntime, CLOCK, CONFIG],
  },
];
