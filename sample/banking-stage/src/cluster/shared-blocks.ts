import { Injectable } from '@nestjs/common';
import { blockHash, sealed } from '../chain/block.js';
import type { Block } from '../chain/block.js';
import { isBlock } from '../chain/block-shape.js';
import { Chain } from '../chain/chain.js';
import { same } from '../codec/same.js';
import { Ledger } from '../ledger/ledger.js';
import { Mempool } from '../mempool/mempool.js';
import { isExpired } from '../mempool/pending-order.js';
import { NodeSettings } from '../settings.js';
import { orderProblem } from '../transaction/order.js';
import { verifyAhead } from '../transaction/verify-transaction.js';
import { Members } from './members.js';

/** Milliseconds that a validator's clock may be ahead of ours. */
const CLOCK_SKEW_MS = 60_000;

/** Blocks as they are proposed: made, and looked through, without changing anything. */
@Injectable()
export class SharedBlocks {
  constructor(
    private readonly settings: NodeSettings,
    private readonly members: Members,
    private readonly chain: Chain,
    private readonly ledger: Ledger,
    private readonly mempool: Mempool,
  ) {}

  /** The next one, of what is pending here. */
  draft(now: number): Block | undefined {
    const pending = this.mempool.oldest(this.settings.maxBlockEntries);
    const orders = pending.filter((order) => !isExpired(order, now));
    if (orders.length === 0) return undefined;
    const frame = this.chain.frame(now, this.members.keys.address);
    return sealed({ ...frame, entries: this.ledger.tryOut(frame, orders) });
  }

  /** Why it cannot be the block after the last one here; undefined where it can. */
  async problemOf(block: unknown, now: number): Promise<string | undefined> {
    if (!isBlock(block)) return 'it is no block';
    await Promise.all(block.entries.map(({ transaction }) => verifyAhead(transaction)));
    try {
      return this.frameProblem(block, now) ?? this.entriesProblem(block);
    } catch (error) {
      return `it cannot be executed: ${String(error)}`;
    }
  }

  private frameProblem(block: Block, now: number): string | undefined {
    const { tip } = this.chain;
    if (block.height !== tip.height + 1) return `block ${tip.height + 1} is next`;
    if (block.parent !== tip.hash) return 'its parent is not the last block';
    if (blockHash(block) !== block.hash) return 'its hash is not that of its content';
    if (block.timestamp < tip.timestamp) return 'it is older than its parent';
    if (block.timestamp > now + CLOCK_SKEW_MS) return 'it is from the future';
    if (block.allocations.length > 0) return 'only genesis may allocate';
    if (block.entries.length === 0) return 'it is empty';
    if (block.entries.length > this.settings.maxBlockEntries) return 'it is too long';
    if (!this.members.addresses.includes(block.validator)) return 'it is from no validator';
    return undefined;
  }

  private entriesProblem(block: Block): string | undefined {
    const seen = new Set<string>();
    for (const entry of block.entries) {
      const problem = orderProblem(entry);
      if (problem !== undefined) return problem;
      if (seen.has(entry.id) || this.chain.has(entry.id)) return 'a transaction is in it again';
      seen.add(entry.id);
    }
    return same(this.ledger.tryOut(block, block.entries), block.entries)
      ? undefined
      : 'it spends or makes other coins';
  }
}
