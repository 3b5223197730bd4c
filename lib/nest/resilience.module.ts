import { type DynamicModule, Logger, Module, type NestModule, type Provider } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { defaultClassifier } from '../errors/default-classifier.js';
import { type Mistake, ResilienceConfigError, show } from '../kernel/check.js';
import type { Clock } from '../kernel/clock.js';
import type { Random } from '../kernel/random.js';
import { ResilienceRegistry } from '../pipeline/registry.js';
import { systemClock } from '../pipeline/system-clock.js';
import { ApplicationRuntime } from './application-runtime.js';
import { RUNTIME_TOKEN, RuntimeHolder } from './binding.js';
import {
  checkConfig,
  type HealthConfig,
  type ResilienceAsyncConfig,
  type ResilienceConfig,
  type ResilienceConfigFactory,
} from './config.js';
import { ResilienceExplorer } from './explorer.js';
import { HealthMount, MOUNTED } from './health/health-mount.js';
import { HealthReport } from './health/health-report.js';
import { healthControllers } from './health/health.controller.js';
import { ResilienceHealthIndicator } from './health/resilience.health.js';
import { ResilienceExceptionFilter } from './resilience-exception.filter.js';
import { ResilienceService } from './resilience.service.js';
import { CLOCK, CONFIG, RANDOM } from './tokens.js';

/**
 * Gives the decorated methods of an application their policies. Global, and imported once: a
 * second import is a boot error.
 */
@Module({})
export class ResilienceModule implements NestModule {
  constructor(private readonly health: HealthMount) {}

  /** Nest calls this when every path is known and no route is registered yet. */
  configure(): void {
    this.health.settle();
  }

  /** Mistakes in the configuration are reported when the application starts, all at once. */
  static forRoot(config: ResilienceConfig = {}): DynamicModule {
    const health = typeof config === 'object' && config !== null ? config.health : undefined;
    return assemble({ provide: CONFIG, useValue: config }, health);
  }

  /**
   * The same with a configuration that is made by the application's own providers.
   *
   * @throws ResilienceConfigError unless exactly one of `useFactory`, `useClass`, `useExisting` is given
   */
  static forRootAsync(options: ResilienceAsyncConfig): DynamicModule {
    const module = assemble(configProvider(options), options.health, comesTooLate);
    module.imports = [...(module.imports ?? []), ...(options.imports ?? [])];
    if (options.useClass !== undefined)
      module.providers = [...(module.providers ?? []), options.useClass];
    return module;
  }
}

function assemble(
  config: Provider,
  health: Pick<HealthConfig, 'path' | 'decorators'> | false | undefined,
  alsoCheck: (config: ResilienceConfig) => Mistake[] = () => [],
): DynamicModule {
  const mounted = health === false ? [] : healthControllers(...mountPoint(health));
  return {
    module: ResilienceModule,
    global: true,
    imports: [TerminusModule.forRoot({ logger: false })],
    controllers: mounted,
    providers: [
      config,
      { provide: CLOCK, useValue: systemClock },
      { provide: RANDOM, useValue: Math.random },
      // a factory, not a value: two applications made from one module class must not share it
      { provide: RUNTIME_TOKEN, useFactory: () => new RuntimeHolder() },
      {
        provide: ApplicationRuntime,
        useFactory: (...given: Parameters<typeof makeRuntime>) => {
          const runtime = makeRuntime(...given);
          runtime.early.push(...alsoCheck(given[0]));
          return runtime;
        },
        inject: [CONFIG, RUNTIME_TOKEN, CLOCK, RANDOM],
      },
      {
        provide: ResilienceRegistry,
        useFactory: (runtime: ApplicationRuntime) => runtime.registry,
        inject: [ApplicationRuntime],
      },
      { provide: MOUNTED, useValue: mounted },
      HealthMount,
      HealthReport,
      ResilienceService,
      ResilienceHealthIndicator,
      ResilienceExceptionFilter,
      ResilienceExplorer,
    ],
    exports: [
      RUNTIME_TOKEN,
      CLOCK,
      RANDOM,
      ApplicationRuntime,
      ResilienceRegistry,
      ResilienceService,
      ResilienceHealthIndicator,
      ResilienceExceptionFilter,
    ],
  };
}

function configProvider({
  inject = [],
  useFactory,
  useClass,
  useExisting,
}: ResilienceAsyncConfig): Provider {
  const given = [useFactory, useClass, useExisting].filter((way) => way !== undefined);
  if (given.length !== 1) {
    const problem = `got ${given.length} of useFactory, useClass, useExisting, expected exactly one`;
    throw new ResilienceConfigError([{ at: 'ResilienceModule.forRootAsync', problem }]);
  }
  if (useFactory !== undefined) return { provide: CONFIG, inject, useFactory };
  const make = (
    factory: ResilienceConfigFactory,
  ): ReturnType<ResilienceConfigFactory['createResilienceConfig']> =>
    factory.createResilienceConfig();
  return { provide: CONFIG, inject: [useClass ?? useExisting!], useFactory: make };
}

/** What shapes the module is needed before a factory can run. */
function comesTooLate(config: ResilienceConfig): Mistake[] {
  const health = config?.health;
  if (typeof health !== 'object' || health === null) return [];
  return (['path', 'decorators'] as const)
    .filter((option) => health[option] !== undefined)
    .map((option) => ({
      at: `ResilienceModule health ${option}`,
      problem: 'comes too late from a factory; give it to forRootAsync itself',
    }));
}

/** Bad values are reported at the boot with all other mistakes; until then the defaults stand in. */
function mountPoint(
  health: Pick<HealthConfig, 'path' | 'decorators'> | undefined,
): [string, ClassDecorator[]] {
  const { path, decorators } = health ?? {};
  const usable = typeof path === 'string' && path.trim() !== '' ? path : 'health';
  return [
    usable,
    Array.isArray(decorators) ? decorators.filter((d) => typeof d === 'function') : [],
  ];
}

function makeRuntime(
  config: ResilienceConfig,
  holder: RuntimeHolder,
  clock: Clock,
  random: Random,
): ApplicationRuntime {
  const logger = new Logger('Bulwark');
  const mistakes = checkConfig(config);
  const usable = mistakes.length === 0 ? config : {};
  const runtime = new ApplicationRuntime({
    clock,
    random,
    classifier: defaultClassifier,
    report: (error) =>
      logger.error(
        `an event listener threw ${show(error)}`,
        error instanceof Error ? error.stack : undefined,
      ),
    enabled: usable.enabled,
    stack: usable.stack,
    defaults: usable.defaults,
  });
  runtime.early.push(...mistakes);
  runtime.serve(holder);
  return runtime;
}
