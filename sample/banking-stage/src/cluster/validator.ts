import { Injectable } from '@nestjs/common';
import type { Block } from '../chain/block.js';
import { Chain } from '../chain/chain.js';
import { isRecord } from '../chain/block-shape.js';
import { signVote } from '../consensus/certificate.js';
import type { Vote } from '../consensus/certificate.js';
import type { OwnVoter, Promised, Refusal, Voted } from '../consensus/proposer.js';
import { leaderOf } from '../consensus/rotation.js';
import { votesAt } from '../consensus/voting.js';
import type { Slot } from '../consensus/voting.js';
import type { Address } from '../keys/key-pair.js';
import { Members } from './members.js';
import { SharedBlocks } from './shared-blocks.js';
import { VotingBooth } from './voting-booth.js';

/** This validator's part: it answers only what is on its disk, and only to the leader of the slot. */
@Injectable()
export class ValidatorDesk implements OwnVoter<Block, Vote> {
  constructor(
    private readonly members: Members,
    private readonly chain: Chain,
    private readonly booth: VotingBooth,
    private readonly blocks: SharedBlocks,
  ) {}

  async begin(slot: Slot): Promise<Promised<Block>> {
    return (await this.booth.begin(slot)) ? this.promised(slot) : this.refusal();
  }

  async promise(slot: Slot, asking = this.members.keys.address): Promise<Promised<Block>> {
    if (!this.isFor(slot, asking)) return this.refusal();
    return (await this.booth.promise(slot)) ? this.promised(slot) : this.refusal();
  }

  async vote(slot: Slot, block: Block, asking = this.members.keys.address): Promise<Voted<Vote>> {
    if (!this.isFor(slot, asking) || block?.height !== slot.height) return this.refusal();
    const problem = await this.blocks.problemOf(block, Date.now());
    if (problem !== undefined || !(await this.booth.vote(slot, block))) return this.refusal();
    return { ok: true, vote: signVote(slot, block.hash, this.members.keys) };
  }

  firstVote(height: number): Block | undefined {
    const accepted = votesAt(this.booth.votes, height)?.accepted;
    return accepted?.round === 0 ? accepted.block : undefined;
  }

  /** Its vote of the next height, where it has one: something is to be decided then. */
  get voted(): Block | undefined {
    return votesAt(this.booth.votes, this.chain.tip.height + 1)?.accepted?.block;
  }

  private isFor(slot: Slot, asking: Address): boolean {
    if (!isRecord(slot) || !isWhole(slot.height) || !isWhole(slot.round)) return false;
    const leader = this.members.all[leaderOf(slot, this.members.all.length)];
    return leader?.address === asking && slot.height === this.chain.tip.height + 1;
  }

  private promised(slot: Slot): Promised<Block> {
    const accepted = votesAt(this.booth.votes, slot.height)?.accepted;
    return { ok: true, ...(accepted && { accepted }) };
  }

  private refusal(): Refusal {
    const { height } = this.chain.tip;
    return { ok: false, height, promised: votesAt(this.booth.votes, height + 1)?.promised ?? 0 };
  }
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
