import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import type { CheckpointInfo } from '../../checkpoint/checkpoint-store.js';
import type { CheckpointEngine } from '../../checkpoint/engine/checkpoint-engine.js';
import { Keyring } from '../../checkpoint/stores/file/keyring.js';
import { nodeFileSystem } from '../../checkpoint/stores/file/node-file-system.js';
import { ResilienceErrors } from '../../errors/resilience-errors.js';
import { makeClean } from '../../errors/record/clean.js';
import { factsOf, headline } from '../../errors/record/facts.js';
import type { Clock } from '../../kernel/clock.js';
import { emit } from '../../pipeline/environment.js';
import { ResilienceStatistics } from '../../pipeline/statistics/statistics.js';
import { ActionLog } from '../../recovery/actions/action-log.js';
import { FileActionStore } from '../../recovery/actions/file-action-store.js';
import { Backups } from '../../recovery/backups/backups.js';
import { Corruption } from '../../recovery/corruption/corruption.js';
import { runChecks } from '../../recovery/integrity/run-checks.js';
import { InvalidData } from '../../recovery/invalid/invalid-data.js';
import { Connections } from '../../recovery/network/connections.js';
import { OperationLock } from '../../recovery/operation-lock.js';
import { RECOVERY_DEFAULTS, type RecoveryOptions } from '../../recovery/recovery.options.js';
import { RecoveryManager } from '../../recovery/recovery-manager.js';
import { ErrorRecoveryDesk } from '../../recovery/remedies/error-recovery.js';
import { RecoverySchedule } from '../../recovery/schedule/recovery-schedule.js';
import type { Custody } from '../../recovery/state-custody.js';
import { statusOf } from '../../recovery/status.js';
import { Verdict } from '../../recovery/verdict.js';
import { ApplicationRuntime } from '../application-runtime.js';
import { CHECKPOINTS, Checkpoints } from '../checkpoint/checkpoints.js';
import type { ResilienceConfig } from '../config.js';
import { HealthMonitor } from '../health/health-monitor.js';
import { backgroundOf } from '../background.js';
import { ResilienceService } from '../resilience.service.js';
import { SafeLogger } from '../safe-logger.js';
import { CLOCK, CONFIG, RANDOM } from '../tokens.js';
import { recoveryConfigOf } from './recovery.config.js';
import { RecoveryHookRegistry } from './recovery-hooks.js';
import { ApplicationShutdown } from './shutdown.providers.js';

type Options = RecoveryOptions & typeof RECOVERY_DEFAULTS;

function optionsOf(config: ResilienceConfig): Options {
  const known = Object.entries(recoveryConfigOf(config)).filter(([, value]) => value !== undefined);
  return { ...RECOVERY_DEFAULTS, ...Object.fromEntries(known) } as Options;
}

/** The desks of the recovery manager, made for one application. */
@Injectable()
export class RecoveryDesks
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown
{
  readonly lock = new OperationLock();
  readonly backups: Backups;
  readonly corruption: Corruption;
  readonly network: Connections;
  readonly errors: ErrorRecoveryDesk;
  readonly invalid: InvalidData;
  private readonly schedule: RecoverySchedule;
  /** An application may be closed without being shut down in good order. */
  private readonly closing = new AbortController();
  private readonly logger = new SafeLogger('Bulwark');

  // oxlint-disable-next-line max-params -- Nest injects by constructor
  constructor(
    @Inject(CONFIG) config: ResilienceConfig,
    @Inject(CLOCK) clock: Clock,
    @Inject(RANDOM) random: () => number,
    @Inject(CHECKPOINTS) { engine }: Checkpoints,
    @Inject(RecoveryHookRegistry) private readonly hooks: RecoveryHookRegistry,
    @Inject(ActionLog) readonly actions: ActionLog,
    @Inject(ResilienceErrors) errors: ResilienceErrors,
    @Inject(ApplicationRuntime) { env }: ApplicationRuntime,
    @Inject(ApplicationShutdown) private readonly shutdown: ApplicationShutdown,
  ) {
    const options = optionsOf(config);
    const { lock } = this;
    const background = backgroundOf(clock);
    const ending = AbortSignal.any([shutdown.draining, this.closing.signal]);
    const clean = makeClean(config.errors?.log?.redact);
    const timeout = options.checkTimeout;
    const custody: Custody = {
      engine,
      clock,
      actions,
      lock,
      verdict: new Verdict(),
      participants: hooks.participants,
      runChecks: ({ signal, within }) =>
        runChecks(hooks.checks, {
          clock,
          timeout,
          clean,
          // the last save of the application waits for whoever looks at a state
          signal: AbortSignal.any([this.closing.signal, ...(signal ? [signal] : [])]),
          ...(within && { within }),
        }),
      breathe: () => setImmediate(),
    };
    const primary = (): string | undefined => primaryOf(engine);
    const pathOf = pathsIn(config.checkpoint?.directory);
    this.backups = new Backups({ ...custody, retention: options, primary, pathOf });
    this.corruption = new Corruption(custody, () => this.backups.retain());
    this.network = new Connections({ hooks, clock, background, actions, clean, ending });
    const { network, corruption } = this;
    this.errors = new ErrorRecoveryDesk({
      hooks,
      errors,
      classifier: env.classifier,
      network,
      actions,
      clock,
      random,
      clean,
      ending,
    });
    this.invalid = new InvalidData({ hooks, corruption, actions, clock, clean, ending });
    this.schedule = new RecoverySchedule({
      backups: this.backups,
      corruption,
      schedule: background,
      backupInterval: engine !== undefined && options.backupInterval,
      corruptionCheckInterval: engine !== undefined && options.corruptionCheckInterval,
      autoFix: options.autoFix,
      report: (error) =>
        this.logger.error(`recovery by schedule failed: ${headline(factsOf(error))}`),
    });
  }

  onApplicationBootstrap(): void {
    const { hooks, actions } = this;
    this.shutdown.connect({
      hooks: () => hooks.shutdowns,
      record: (entry) => actions.record(entry),
    });
    this.schedule.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.closing.abort(new Error('the application is closing'));
    await this.schedule.stop();
  }

  /** The directory is given free at this step, and another process may take it. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.actions.close();
  }
}

/** What is done to recover, for one application. */
export const recoveryProviders: Provider[] = [
  {
    provide: ActionLog,
    useFactory: openActions,
    inject: [CONFIG, CLOCK, CHECKPOINTS, ApplicationRuntime],
  },
  RecoveryDesks,
  {
    provide: RecoveryManager,
    useFactory: makeManager,
    inject: [
      RecoveryDesks,
      CHECKPOINTS,
      ApplicationRuntime,
      ResilienceService,
      ResilienceErrors,
      ResilienceStatistics,
      HealthMonitor,
      ApplicationShutdown,
    ],
  },
];

async function openActions(
  config: ResilienceConfig,
  clock: Clock,
  { engine }: Checkpoints,
  { env }: ApplicationRuntime,
): Promise<ActionLog> {
  const logger = new SafeLogger('Bulwark');
  const directory = engine === undefined ? undefined : config.checkpoint?.directory;
  const log = new ActionLog({
    clock,
    emit: (event) => emit(env, event),
    store:
      directory === undefined
        ? undefined
        : new FileActionStore(
            join(directory, 'recovery'),
            nodeFileSystem,
            Keyring.of(config.checkpoint ?? {}),
          ),
    report: (error) =>
      logger.error(`recovery: actions are not kept on disk: ${headline(factsOf(error))}`),
    max: optionsOf(config).maxActions,
  });
  for (const { type, details } of await log.open())
    logger.warn(
      `recovery: ${type} had begun when the process ended, and is not known to have ended: ${details}`,
    );
  return log;
}

// oxlint-disable-next-line max-params -- Nest injects by position
function makeManager(
  desks: RecoveryDesks,
  { engine }: Checkpoints,
  runtime: ApplicationRuntime,
  service: ResilienceService,
  errors: ResilienceErrors,
  statistics: ResilienceStatistics,
  monitor: HealthMonitor,
  shutdown: ApplicationShutdown,
): RecoveryManager {
  const { actions, backups, corruption, network, lock } = desks;
  return new RecoveryManager({
    actions,
    backups,
    corruption,
    network,
    errors: desks.errors,
    invalid: desks.invalid,
    shutdown,
    execute: (name, work, policies) => {
      const known = runtime.target(name) !== undefined;
      return service.execute(name, work, policies ?? (known ? undefined : { circuitBreaker: {} }));
    },
    reset: () => {
      errors.reset();
      statistics.reset();
    },
    status: () =>
      statusOf({
        lock,
        corruption,
        network,
        engine,
        isShuttingDown: () => shutdown.isShuttingDown,
        health: () => monitor.status(),
        breakers: () => runtime.registry.breakers.list().map(({ name, state }) => [name, state]),
      }),
  });
}

/** The component that is marked as the one that speaks for all, or the only one. */
function primaryOf(engine: CheckpointEngine | undefined): string | undefined {
  const all = [...(engine?.components.values() ?? [])];
  return (
    all.find(({ options }) => options.primary === true) ?? (all.length === 1 ? all[0] : undefined)
  )?.name;
}

function pathsIn(directory: string | undefined): (info: CheckpointInfo) => string {
  return ({ id, named }) => {
    const name = named ? join('named', id) : `generation ${id}`;
    return directory === undefined ? name : join(directory, name);
  };
}
