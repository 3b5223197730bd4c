import { Inject, Injectable } from '@nestjs/common';
import type { CheckpointInfo, VerifyReport } from '../../checkpoint/checkpoint-store.js';
import type { CheckpointEngine } from '../../checkpoint/engine/checkpoint-engine.js';
import { ResilienceConfigError } from '../../kernel/check.js';
import { CHECKPOINTS, Checkpoints } from './checkpoints.js';

/** What `restore` is to put back. */
export interface RestoreOptions {
  /** Only this component; the others stay as they are. Default all. */
  component?: string;
}

/**
 * The checkpoints of the application's components. Every method rejects with a
 * `ResilienceConfigError` in an application without `checkpoint` in its configuration.
 */
@Injectable()
export class CheckpointService {
  constructor(@Inject(CHECKPOINTS) private readonly checkpoints: Checkpoints) {}

  /** Saves the states of all components now; those that have not changed are not written again. */
  async save(): Promise<CheckpointInfo> {
    return this.engine.save();
  }

  /** Resolves when every call acknowledged so far is on disk, whatever its component's `durability`. */
  async flush(): Promise<void> {
    await this.engine.flush();
  }

  /**
   * Saves the states of all components under a name, until `remove`: before a risky operation, say.
   *
   * @throws CheckpointError for a name that may not be one, or is taken
   */
  async create(name: string): Promise<CheckpointInfo> {
    return this.engine.create(name);
  }

  /** What can be restored, newest first. */
  async list(): Promise<readonly CheckpointInfo[]> {
    return this.engine.list();
  }

  /** Reads and checks everything that is kept, beside running calls; changes nothing. */
  async verify(): Promise<VerifyReport> {
    return this.engine.verify();
  }

  /**
   * Puts the components back to a checkpoint: all of them, or nothing. Running calls are called
   * off. The state before is saved first, and is in `list`: a restore can be undone.
   *
   * @param id of `list`
   * @throws CheckpointError if the checkpoint cannot be used; then nothing has changed
   */
  async restore(id: string, { component }: RestoreOptions = {}): Promise<CheckpointInfo> {
    return this.engine.restore(id, component);
  }

  /** Removes a named checkpoint. @throws CheckpointError if there is none */
  async remove(name: string): Promise<void> {
    await this.engine.remove(name);
  }

  private get engine(): CheckpointEngine {
    const { engine } = this.checkpoints;
    if (engine !== undefined) return engine;
    const problem = 'got nothing, expected `{ directory }` for the CheckpointService to work';
    throw new ResilienceConfigError([{ at: 'ResilienceModule checkpoint', problem }]);
  }
}
