import { type BeforeApplicationShutdown } from '@nestjs/common';
import { SafeLogger } from '../safe-logger.js';
import type { CheckpointStore } from '../../checkpoint/checkpoint-store.js';
import { claimOf } from '../../checkpoint/component/claims.js';
import { backgroundClock } from '../../checkpoint/stores/file/background-clock.js';
import { FileCheckpointStore } from '../../checkpoint/stores/file/file-checkpoint-store.js';
import { CheckpointEngine } from '../../checkpoint/engine/checkpoint-engine.js';
import { type Mistake, ResilienceConfigError } from '../../kernel/check.js';
import type { Clock } from '../../kernel/clock.js';
import { emit } from '../../pipeline/environment.js';
import { systemClock } from '../../pipeline/system-clock.js';
import type { ApplicationRuntime } from '../application-runtime.js';
import { type AnyClass, classOf } from '../binding.js';
import type { CheckpointConfig } from './checkpoint.config.js';
import { componentOf } from './component-record.js';
import { logRecovery } from './recovery-log.js';

/** The injection token of the components' host, the same in every copy of the package. */
export const CHECKPOINTS = Symbol.for('bulwark:checkpoints');
const BRAND: unique symbol = Symbol.for('bulwark:checkpoints-protocol') as never;
const PROTOCOL = 1;

/**
 * What Nest injects into every component, when the store has been opened and read: so the state is
 * there before any hook of the life cycle.
 */
export class Checkpoints implements BeforeApplicationShutdown {
  readonly [BRAND] = PROTOCOL;
  /** Found while Nest constructs the components; the boot reports them with its own. */
  readonly mistakes: Mistake[] = [];

  /** @param engine undefined in an application without a store */
  private constructor(
    readonly engine: CheckpointEngine | undefined,
    private readonly components: Map<unknown, object>,
  ) {}

  static async open(
    config: CheckpointConfig | undefined,
    clock: Clock,
    { env, components }: Pick<ApplicationRuntime, 'env' | 'components'>,
  ): Promise<Checkpoints> {
    if (config === undefined) return new Checkpoints(undefined, components);
    const { classes, codec, verify } = config;
    const engine = new CheckpointEngine({
      store: storeOf(config),
      // its timers are no reason for a process to live
      clock: clock === systemClock ? backgroundClock : clock,
      emit: (event) => emit(env, event),
      classes,
      codec,
      verify,
    });
    await engine.open();
    if (engine.report !== undefined) logRecovery(engine.report, new SafeLogger('Bulwark'));
    return new Checkpoints(engine, components);
  }

  /** Makes an instance a component, and gives it its state. @throws CheckpointError if that cannot be used */
  bind(instance: object): void {
    const type = classOf(instance);
    const record = type && componentOf(type);
    if (type === undefined || record === undefined || claimOf(instance) !== undefined) return;
    const { name: label } = type;
    if (this.engine === undefined) {
      const problem =
        'is a component, and the module has no store; expected `checkpoint: { directory }` in forRoot';
      this.mistakes.push({ at: label, problem });
      return;
    }
    try {
      this.engine.bind(instance, { ...record, label });
      this.components.set(type, instance);
    } catch (error) {
      if (!(error instanceof ResilienceConfigError)) throw error;
      this.mistakes.push(...error.mistakes);
    }
  }

  /** Every component is bound: resolves when their states are complete. */
  async ready(): Promise<void> {
    await this.engine?.ready();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.engine?.close();
  }
}

/** Automatic mocks are truthy and have every property; ours has the brand with the right number. */
export function isCheckpoints(value: unknown): value is Checkpoints {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Partial<Checkpoints>)[BRAND] === PROTOCOL
  );
}

/** A component that Nest did not construct, or constructs more than once, is none. */
export function unboundComponent(type: AnyClass, instance: unknown, isStatic: boolean): Mistake[] {
  if (componentOf(type) === undefined) return [];
  const at = `${type.name} @CheckpointComponent`;
  if (!isStatic) return [{ at, problem: 'is request-scoped or transient, expected a singleton' }];
  if (typeof instance !== 'object' || instance === null || claimOf(instance) !== undefined)
    return [];
  const problem =
    'was made by a factory or given as a value, expected a class that Nest constructs';
  return [{ at, problem }];
}

function storeOf(config: CheckpointConfig): CheckpointStore {
  const { store, directory, generations, maxBytes, retain } = config;
  const { integrityKey, encryptionKey, acceptPlain } = config;
  if (store !== undefined) return store;
  return new FileCheckpointStore({
    directory: directory!,
    maxBytes,
    retain,
    integrityKey,
    encryptionKey,
    acceptPlain,
    ...(generations === undefined ? {} : { generations }),
  });
}
