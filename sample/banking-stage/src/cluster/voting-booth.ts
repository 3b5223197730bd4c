import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import {
  Checkpoint,
  CheckpointComponent,
  Durable,
  DurableValue,
  RecoveryParticipant,
} from 'nestjs-bulwark';
import type { Block } from '../chain/block.js';
import { promising, stricter, votesAt, voting } from '../consensus/voting.js';
import type { Slot, Votes } from '../consensus/voting.js';
import { NodeSettings } from '../settings.js';

const NONE: Votes<Block> = { height: 1, promised: 0 };

/**
 * What this validator has promised and voted for: on disk before anyone hears of it, so that no
 * crash makes it vote twice. Nor does a restore: what it knew before stands beside what was put back,
 * in a file of its own until that is done, so that `kill -9` in the middle of it changes nothing.
 */
@Injectable()
@CheckpointComponent({ name: 'votes' })
@RecoveryParticipant()
export class VotingBooth implements OnModuleInit {
  @Durable() private readonly kept = new DurableValue<Votes<Block>>(NONE);
  private remembered = NONE;
  private readonly file: string;

  constructor({ dataDirectory }: NodeSettings) {
    this.file = `${dataDirectory}.votes`;
  }

  async onModuleInit(): Promise<void> {
    const text = await readFile(this.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return;
    this.remembered = JSON.parse(text) as Votes<Block>;
    await this.afterRestore(this.remembered);
  }

  get votes(): Votes<Block> {
    return stricter(this.kept.get() as Votes<Block>, this.remembered);
  }

  /** Answers whether it was done. */
  @Checkpoint()
  async promise(slot: Slot): Promise<boolean> {
    return this.keep(promising(this.votes, slot));
  }

  /** Like `promise`, and never again for the same round. */
  @Checkpoint()
  async begin(slot: Slot): Promise<boolean> {
    const present = votesAt(this.votes, slot.height);
    return (
      present !== undefined &&
      slot.round > present.promised &&
      this.keep(promising(this.votes, slot))
    );
  }

  @Checkpoint()
  async vote(slot: Slot, block: Block): Promise<boolean> {
    return this.keep(voting(this.votes, slot, block));
  }

  async beforeRestore(): Promise<Votes<Block>> {
    this.remembered = this.votes;
    await writeFile(`${this.file}.new`, JSON.stringify(this.remembered), { flush: true });
    await rename(`${this.file}.new`, this.file);
    return this.remembered;
  }

  async afterRestore(carried: Votes<Block>): Promise<void> {
    await this.reinstate(carried);
    await rm(this.file, { force: true });
  }

  @Checkpoint()
  async reinstate(votes: Votes<Block>): Promise<void> {
    this.keep(stricter(this.votes, votes));
  }

  private keep(next: Votes<Block> | undefined): boolean {
    if (next !== undefined) this.kept.set(next);
    return next !== undefined;
  }
}
