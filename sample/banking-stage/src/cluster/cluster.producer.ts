import { Injectable } from '@nestjs/common';
import { BankingStage } from '../banking/banking-stage.js';
import { BlockProducer } from '../banking/block-producer.js';
import type { Block } from '../chain/block.js';
import { Chain } from '../chain/chain.js';
import type { Vote } from '../consensus/certificate.js';
import { Proposer } from '../consensus/proposer.js';
import type { Voter } from '../consensus/proposer.js';
import { Rotation } from '../consensus/rotation.js';
import { votesAt } from '../consensus/voting.js';
import type { Slot } from '../consensus/voting.js';
import { Mempool } from '../mempool/mempool.js';
import { NodeSettings } from '../settings.js';
import type { Validator } from '../settings.js';
import { Decisions } from './decisions.js';
import { Members } from './members.js';
import { PeerClient } from './peer.client.js';
import { Settled } from './settled.js';
import { SharedBlocks } from './shared-blocks.js';
import { ValidatorDesk } from './validator.js';
import { VotingBooth } from './voting-booth.js';

/** The clock of a chain that several decide: at every interval it looks whether it is its turn. */
@Injectable()
export class ClusterProducer extends BlockProducer {
  private readonly rotation: Rotation;
  private readonly proposer: Proposer<Block, Vote>;

  constructor(
    settings: NodeSettings,
    banking: BankingStage,
    mempool: Mempool,
    members: Members,
    private readonly chain: Chain,
    private readonly booth: VotingBooth,
    private readonly desk: ValidatorDesk,
    private readonly decisions: Decisions,
    private readonly client: PeerClient,
    private readonly settled: Settled,
    blocks: SharedBlocks,
  ) {
    super(settings, banking, mempool);
    this.rotation = new Rotation({
      self: members.place,
      validators: members.all.length,
      patience: members.settings.patience,
      random: Math.random,
      isAway: (place) => place !== members.place && !client.isThere(members.all[place]!),
    });
    this.proposer = new Proposer({
      own: desk,
      others: members.others.map((peer) => this.voter(peer)),
      draft: async () => blocks.draft(Date.now()),
    });
  }

  protected override async make(now: number): Promise<Block | undefined> {
    const { height } = this.chain.tip;
    const votes = votesAt(this.booth.votes, height + 1);
    // A restore has put back the chain, not the votes: what is missing comes from the others.
    if (votes === undefined) return undefined;
    await this.forgetExpired(now);
    if (this.mempool.size === 0 && this.desk.voted === undefined) {
      this.rotation.rest();
      return undefined;
    }
    const round = this.rotation.turn(votes, performance.now());
    return round === undefined ? undefined : this.propose({ height: height + 1, round });
  }

  private async propose(slot: Slot): Promise<Block | undefined> {
    const outcome = await this.proposer.propose(slot);
    if (outcome.kind === 'refused') this.rotation.refused(outcome.by.promised);
    if (outcome.kind !== 'decided') return undefined;
    const { block, votes } = outcome;
    const certificate = { ...slot, hash: block.hash, votes };
    await this.decisions.take({ block, certificate });
    // Who does not hear of it finds out by itself that there is a block more.
    for (const peer of this.client.inReach) {
      this.client.ask(peer, 'decided', { certificate }).catch(() => undefined);
    }
    return block;
  }

  private async forgetExpired(now: number): Promise<void> {
    const [oldest] = this.mempool.oldest(1);
    if (oldest && (oldest.validUntil ?? Infinity) < now) {
      this.settled.tell(await this.banking.forgetExpired(now));
    }
  }

  private voter(peer: Validator): Voter<Block, Vote> {
    return {
      promise: (slot) => this.client.ask(peer, 'promise', { slot }),
      vote: (slot, block) => this.client.ask(peer, 'vote', { slot, block }),
    };
  }
}
