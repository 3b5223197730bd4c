import { Injectable } from '@nestjs/common';
import { Chain } from '../chain/chain.js';
import type { Validator } from '../settings.js';
import { Decisions } from './decisions.js';
import type { DecidedBlock } from './messages.js';
import { PeerClient } from './peer.client.js';

/** Transactions in one page, unless a single block has more. */
const PAGE = 2_000;

/** Brings the chain up to where a peer is: page by page, each block looked through like any other. */
@Injectable()
export class BlockSync {
  private underway: Promise<void> | undefined;

  constructor(
    private readonly chain: Chain,
    private readonly client: PeerClient,
    private readonly decisions: Decisions,
  ) {}

  /** One at a time: who asks meanwhile waits for it. */
  catchUp(peer: Validator): Promise<void> {
    this.underway ??= this.run(peer).finally(() => (this.underway = undefined));
    return this.underway;
  }

  /** What another one lacks. */
  page(from: number): DecidedBlock[] {
    const decided: DecidedBlock[] = [];
    let entries = 0;
    for (let height = from; height <= this.chain.tip.height && entries < PAGE; height++) {
      const [block, certificate] = [this.chain.blockAt(height), this.chain.certificateAt(height)];
      if (block === undefined || certificate === undefined) break;
      entries += block.entries.length;
      decided.push({ block, certificate });
    }
    return decided;
  }

  private async run(peer: Validator): Promise<void> {
    for (;;) {
      const from = this.chain.tip.height + 1;
      const { decided } = await this.client.ask(peer, 'blocks', { from });
      for (const one of decided) await this.decisions.take(one);
      if (this.chain.tip.height < from) return;
    }
  }
}
