import type { IncomingHttpHeaders } from 'node:http';
import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  Optional,
  type Provider,
  type Type,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { SafeLogger } from './safe-logger.js';
import { makeClassifier } from '../errors/classifier/classifier.js';
import { clean } from '../errors/record/clean.js';
import { factsOf, headline } from '../errors/record/facts.js';
import { ResilienceErrors } from '../errors/resilience-errors.js';
import { checkObject, type Mistake, ResilienceConfigError, show } from '../kernel/check.js';
import type { Clock } from '../kernel/clock.js';
import type { Random } from '../kernel/random.js';
import { reportOf } from '../pipeline/environment.js';
import { ResilienceRegistry } from '../pipeline/registry.js';
import { ResilienceStatistics } from '../pipeline/statistics/statistics.js';
import { systemClock } from '../pipeline/system-clock.js';
import { RecoveryManager } from '../recovery/recovery-manager.js';
import { ApplicationRuntime } from './application-runtime.js';
import { RUNTIME_TOKEN } from './binding.js';
import {
  checkAsyncConfig,
  checkConfig,
  type ResilienceAsyncConfig,
  type ResilienceConfig,
  type ResilienceConfigFactory,
} from './config.js';
import { forOtherCopies, makeKnown } from './copies.js';
import { ResilienceExplorer, rootsOf } from './explorer.js';
import { CheckpointService } from './checkpoint/checkpoint.service.js';
import { CHECKPOINTS, Checkpoints } from './checkpoint/checkpoints.js';
import { IdSource } from './errors/call-ids.js';
import { errorsProviders } from './errors/errors.providers.js';
import { DetailsReaders } from './health/details-readers.js';
import { HealthMetrics } from './health/health-metrics.js';
import { HealthMonitor } from './health/health-monitor.js';
import { HealthMount, MOUNTED } from './health/health-mount.js';
import { HealthReport } from './health/health-report.js';
import { healthControllers } from './health/health.controller.js';
import { NodeReadings, PROCESS_READINGS } from './health/process-readings.js';
import { ResilienceHealthIndicator } from './health/resilience.health.js';
import { RecoveryHookRegistry } from './recovery/recovery-hooks.js';
import { shutdownProviders } from './recovery/shutdown.providers.js';
import { gateProviders } from './recovery/gate.providers.js';
import { RecoveryMount } from './recovery/recovery-mount.js';
import { recoveryController } from './recovery/recovery.controller.js';
import { recoveryProviders } from './recovery/recovery.providers.js';
import type { StaticRecoveryConfig } from './recovery/recovery.config.js';
import { ResilienceExceptionFilter } from './resilience-exception.filter.js';
import { ResilienceService } from './resilience.service.js';
import { earlyHolder, lateHolder } from './runtime-holder.js';
import { StartUpLint } from './start-up-lint.js';
import { CLOCK, CONFIG, RANDOM } from './tokens.js';

/** The configuration as it was given, and what became of it. */
const GIVEN = Symbol('bulwark:given-config');
const CHECKED = Symbol('bulwark:checked-config');
/** Of the log, in characters. */
const MAX_LINE = 2_048;

/** What applications inject by its class. */
const INJECTED: Type[] = [
  ApplicationRuntime,
  ResilienceRegistry,
  ResilienceStatistics,
  ResilienceErrors,
  ResilienceService,
  CheckpointService,
  RecoveryManager,
  HealthMonitor,
  ResilienceHealthIndicator,
  ResilienceExceptionFilter,
];
makeKnown(INJECTED);

interface CheckedConfig {
  readonly mistakes: readonly Mistake[];
  /** What the rest of the module is made of: only what is sound, for the boot to end with the mistakes. */
  readonly usable: ResilienceConfig;
}

/**
 * Gives the decorated methods of an application their policies. Global, and imported once: a
 * second import is a boot error.
 */
@Module({})
export class ResilienceModule implements NestModule {
  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Optional() @Inject(HealthMount) private readonly health?: HealthMount,
    @Optional() @Inject(IdSource) private readonly ids?: IdSource,
    @Optional() @Inject(RecoveryMount) private readonly recovery?: RecoveryMount,
  ) {
    // beside a forRoot somewhere else a bare import is idle, for that one is global
    if (rootsOf(modules).length > 0) return;
    const problem =
      'imported without its policies; expected ResilienceModule.forRoot() or forRootAsync()';
    throw new ResilienceConfigError([{ at: 'ResilienceModule', problem }]);
  }

  /** Nest calls this when every path is known and no route is registered yet. */
  configure(consumer: MiddlewareConsumer): void {
    this.health?.settle();
    this.recovery?.settle();
    const { ids } = this;
    if (ids?.follows !== true) return;
    const follow = (
      request: { headers: IncomingHttpHeaders },
      _: unknown,
      next: () => void,
    ): void => ids.follow(request.headers, next);
    consumer.apply(follow).forRoutes('{*path}');
  }

  /** Mistakes in the configuration are reported when the application starts, all at once. */
  static forRoot(config: ResilienceConfig = {}): DynamicModule {
    const shape = checkObject('', config).length === 0 ? config : {};
    return assemble({ provide: GIVEN, useValue: config }, shape, earlyHolder);
  }

  /**
   * The same with a configuration that is made by the application's own providers.
   *
   * @throws ResilienceConfigError for mistakes in these options, such as not exactly one of
   * `useFactory`, `useClass`, `useExisting`
   */
  static forRootAsync(options: ResilienceAsyncConfig): DynamicModule {
    const mistakes = checkAsyncConfig(options);
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    const module = assemble(configProvider(options), options, lateHolder, comesTooLate);
    module.imports = [...(module.imports ?? []), ...(options.imports ?? [])];
    if (options.useClass !== undefined)
      module.providers = [...(module.providers ?? []), options.useClass];
    return module;
  }
}

function assemble(
  config: Provider,
  { health, recovery }: Pick<ResilienceAsyncConfig, 'health' | 'recovery'>,
  holder: Provider,
  alsoCheck: (config: ResilienceConfig) => Mistake[] = () => [],
): DynamicModule {
  const mounted = health === false ? [] : healthControllers(...mountPoint(health, 'health'));
  const controller =
    recovery === false ? undefined : recoveryController(...mountPoint(recovery, 'recovery'));
  const copies = forOtherCopies(INJECTED);
  return {
    module: ResilienceModule,
    global: true,
    imports: [TerminusModule.forRoot({ logger: false })],
    controllers: controller === undefined ? mounted : [...mounted, controller],
    providers: [
      config,
      {
        provide: CHECKED,
        useFactory: (given: ResilienceConfig): CheckedConfig => {
          const mistakes = checkConfig(given);
          const usable = mistakes.length === 0 ? given : soundParts(given);
          return { usable, mistakes: [...mistakes, ...alsoCheck(given)] };
        },
        inject: [GIVEN],
      },
      { provide: CONFIG, useFactory: ({ usable }: CheckedConfig) => usable, inject: [CHECKED] },
      { provide: CLOCK, useValue: systemClock },
      { provide: RANDOM, useValue: Math.random },
      holder,
      {
        provide: ApplicationRuntime,
        useFactory: makeRuntime,
        inject: [CHECKED, CLOCK, RANDOM, ModulesContainer],
      },
      {
        provide: ResilienceRegistry,
        useFactory: (runtime: ApplicationRuntime) => runtime.registry,
        inject: [ApplicationRuntime],
      },
      {
        provide: ResilienceStatistics,
        useFactory: (runtime: ApplicationRuntime) => new ResilienceStatistics(runtime),
        inject: [ApplicationRuntime],
      },
      {
        provide: CHECKPOINTS,
        useFactory: ({ usable }: CheckedConfig, clock: Clock, runtime: ApplicationRuntime) =>
          Checkpoints.open(usable.checkpoint, clock, runtime),
        inject: [CHECKED, CLOCK, ApplicationRuntime],
      },
      ...errorsProviders,
      ...shutdownProviders,
      CheckpointService,
      { provide: MOUNTED, useValue: mounted },
      HealthMount,
      ...gateProviders(controller),
      { provide: PROCESS_READINGS, useFactory: () => new NodeReadings() },
      HealthMetrics,
      HealthMonitor,
      DetailsReaders,
      HealthReport,
      RecoveryHookRegistry,
      ...recoveryProviders,
      StartUpLint,
      ResilienceService,
      ResilienceHealthIndicator,
      ResilienceExceptionFilter,
      ResilienceExplorer,
      ...copies,
    ],
    exports: [RUNTIME_TOKEN, CLOCK, RANDOM, CHECKPOINTS, ...INJECTED, ...copies],
  };
}

function configProvider(options: ResilienceAsyncConfig): Provider {
  const { inject = [], useFactory, useClass, useExisting } = options;
  if (useFactory !== undefined) return { provide: GIVEN, inject, useFactory };
  const make = (
    factory: Partial<ResilienceConfigFactory> | null | undefined,
  ): ReturnType<ResilienceConfigFactory['createResilienceConfig']> => {
    if (typeof factory?.createResilienceConfig === 'function')
      return factory.createResilienceConfig();
    const at = `ResilienceModule.forRootAsync ${useClass === undefined ? 'useExisting' : 'useClass'}`;
    const problem = `got ${show(factory)}, expected something with a method createResilienceConfig`;
    throw new ResilienceConfigError([{ at, problem }]);
  };
  return { provide: GIVEN, inject: [useClass ?? useExisting!], useFactory: make };
}

/** Without what is wrong, but with what others refer to: its names are not to be missed as well. */
function soundParts(config: ResilienceConfig): ResilienceConfig {
  if (checkObject('', config).length > 0) return {};
  return Object.fromEntries(
    Object.entries(config).filter(
      ([option, value]) => checkConfig({ [option]: value }).length === 0,
    ),
  );
}

/** What shapes the module is needed before a factory can run. */
function comesTooLate(config: ResilienceConfig): Mistake[] {
  if (checkObject('', config).length > 0) return [];
  return (['health', 'recovery'] as const).flatMap((room) => {
    const given = config[room];
    if (typeof given !== 'object' || checkObject('', given).length > 0) return [];
    return (['path', 'decorators'] as const)
      .filter((option) => given[option] !== undefined)
      .map((option) => ({
        at: `ResilienceModule ${room} ${option}`,
        problem: 'comes too late from a factory; give it to forRootAsync itself',
      }));
  });
}

/** Bad values are reported at the boot with all other mistakes; until then the defaults stand in. */
function mountPoint(given: unknown, fallback: string): [string, ClassDecorator[]] {
  if (checkObject('', given).length > 0) return [fallback, []];
  const { path, decorators } = given as StaticRecoveryConfig;
  const usable = typeof path === 'string' && path.trim() !== '' ? path : fallback;
  return [
    usable,
    Array.isArray(decorators) ? decorators.filter((d) => typeof d === 'function') : [],
  ];
}

function makeRuntime(
  { usable, mistakes }: CheckedConfig,
  clock: Clock,
  random: Random,
  modules: ModulesContainer,
): ApplicationRuntime {
  const logger = new SafeLogger('Bulwark');
  const runtime: ApplicationRuntime = new ApplicationRuntime(
    {
      clock,
      random,
      classifier: makeClassifier({
        classify: usable.errors?.classify,
        // the runtime is made with the classifier that reports to it
        report: (option, error) => reportOf(runtime.env, 'ResilienceModule')(option, error),
      }),
      report: (error) => {
        const facts = factsOf(error, { stack: true });
        logger.error(clean(`an event listener threw ${headline(facts)}`, MAX_LINE), facts.stack);
      },
      enabled: usable.enabled,
      stack: usable.stack,
      trace: usable.trace,
      sample: usable.latencySample === false ? 0 : usable.latencySample,
      presets: usable.presets,
      overrides: usable.policies,
      defaults: usable.defaults,
    },
    modules,
  );
  runtime.early.push(...mistakes);
  return runtime;
}
