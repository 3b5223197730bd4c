import { randomBytes } from 'node:crypto';
import type { CancelTimer } from '../../../kernel/clock.js';
import type { Sequence } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { ioFailure } from './failures.js';
import { lockName, parseFileName, temporaryName } from './file-names.js';
import { type OpenFile, writeAll } from './file-system.js';
import {
  assertFree,
  epochsOf,
  HEARTBEAT,
  LEASE,
  lockedError,
  type LockPorts,
  publish,
} from './lock-contest.js';
import { encodeLock, type LockRecord } from './lock-record.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/** An owner that knows it was alive this short a time ago need not look whether it still owns: nobody can have waited a lease since. */
const ASSURED = LEASE / 2;

/**
 * Ownership of a directory: the highest epoch with a lock file owns. Each epoch's file is made once, by a
 * `link` that only one can win, and is never renamed or replaced; so a slow contender cannot take away
 * what another has just won. An owner that was taken over finds a higher epoch when it looks,
 * and it looks before it acknowledges anything that it did after a silence.
 */
export class DirectoryLock {
  private beats = 0;
  /** The last entry that is on the disk for sure. */
  durable: Sequence;
  private assuredAt: number;
  private cancel: CancelTimer | undefined;
  private given = false;
  private beating: Promise<void> = Promise.resolve();
  /** Called when it turns out that another has taken over. */
  onLost: (error: CheckpointError) => void = () => {};

  private constructor(
    private readonly directory: StoreDirectory,
    private readonly ports: LockPorts,
    private readonly file: OpenFile,
    private record: LockRecord,
    takenAt: number,
  ) {
    this.assuredAt = takenAt;
    this.durable = record.durable;
    this.beatLater();
  }

  get epoch(): number {
    return this.record.epoch;
  }

  get token(): string {
    return this.record.token;
  }

  /** @throws CheckpointError `CHECKPOINT_LOCKED` naming the owner, `CHECKPOINT_IO` */
  static async take(directory: StoreDirectory, ports: LockPorts): Promise<DirectoryLock> {
    try {
      const before = epochsOf(await directory.list());
      const durable = before.lock > 0 ? await assertFree(directory, before.lock, ports) : 0;
      return await claim(before.all + 1, durable);
    } catch (error) {
      throw ioFailure(`The lock of ${directory.path} cannot be taken`, error);
    }

    async function claim(epoch: number, durable: Sequence): Promise<DirectoryLock> {
      const takenAt = ports.clock.now();
      const record = newRecord(epoch, durable, ports);
      const temporary = temporaryName();
      const file = await directory.fs.create(directory.join(temporary));
      try {
        await writeAll(file, encodeLock(record), 0);
        await file.sync();
        await publish(directory, temporary, epoch, ports);
        const after = epochsOf(await directory.list());
        if (after.all > epoch) {
          // we were so slow that others have come and gone
          await directory.remove(lockName(epoch));
          throw await lockedError(directory, after.lock, ports);
        }
      } catch (error) {
        await closeQuietly(file);
        await removeQuietly(directory, temporary);
        throw error;
      }
      return new DirectoryLock(directory, ports, file, record, takenAt);
    }
  }

  /** Removes the locks of earlier owners, whom nobody asks any more. */
  async removeOlder(): Promise<void> {
    for (const name of await this.directory.list()) {
      const parsed = parseFileName(name);
      if (parsed?.kind === 'lock' && parsed.epoch < this.epoch) await this.directory.remove(name);
    }
  }

  /** Whether it is certain without looking that this is still ours. */
  get assured(): boolean {
    return !this.given && this.ports.clock.now() - this.assuredAt < ASSURED;
  }

  /**
   * Gives a sign of life, and looks whether the directory is still ours.
   *
   * @throws CheckpointError `CHECKPOINT_LOCKED` if it is not
   */
  async assure(): Promise<void> {
    if (this.given) throw this.lost('this process has given it up');
    const now = this.ports.clock.now();
    await this.write(false);
    // after the sign: a contender that did not see it has made its lock already, and so is seen here
    const names = await this.directory.list();
    if (epochsOf(names).all > this.epoch) {
      throw this.lost(
        'this process was paused for longer than its lease, and another has taken over',
      );
    }
    // removed, or another directory has been put in the place of ours: then everybody may take it
    if (!names.includes(lockName(this.epoch))) throw this.lost('our lock is not in it any more');
    this.assuredAt = now;
  }

  /** Gives the directory free. */
  async release(): Promise<void> {
    if (this.given) return;
    this.given = true;
    this.cancel?.();
    await this.beating;
    try {
      await this.write(true);
    } catch {
      // the next owner sees that we have ended, or waits for the lease
    }
    await closeQuietly(this.file);
  }

  /** As if it had never been taken: for an owner that has written nothing. The lock before is still there. */
  async withdraw(): Promise<void> {
    await this.release();
    await removeQuietly(this.directory, lockName(this.epoch));
  }

  private lost(why: string): CheckpointError {
    return new CheckpointError(
      'CHECKPOINT_LOCKED',
      `${this.directory.path} is not ours any more: ${why}.`,
    );
  }

  private async write(released: boolean): Promise<void> {
    this.beats += 1;
    const { durable } = this;
    const life = signOfLife(this.ports);
    this.record = { ...this.record, ...life, durable, beat: this.beats, released };
    await writeAll(this.file, encodeLock(this.record), 0);
  }

  private beatLater(): void {
    this.cancel = this.ports.clock.schedule(() => {
      this.beating = this.beat();
    }, HEARTBEAT);
  }

  /** A sign that cannot be given is no failure yet: who acknowledges looks first. */
  private async beat(): Promise<void> {
    try {
      await this.assure();
    } catch (error) {
      if (error instanceof CheckpointError && !this.given) this.onLost(error);
      // otherwise `assured` is false soon, and then whoever acknowledges hears why
    }
    if (!this.given) this.beatLater();
  }
}

function newRecord(epoch: number, durable: Sequence, ports: LockPorts): LockRecord {
  const token = randomBytes(16).toString('hex');
  const life = signOfLife(ports);
  return { ...ports.machine.self, token, epoch, durable, beat: 0, ...life, released: false };
}

const signOfLife = ({ clock, machine }: LockPorts): { uptime: number; at: string } => ({
  uptime: machine.uptime(),
  at: new Date(clock.epoch()).toISOString(),
});

async function removeQuietly(directory: StoreDirectory, name: string): Promise<void> {
  try {
    await directory.remove(name);
  } catch {
    // the next owner removes it
  }
}
