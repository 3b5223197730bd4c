import { Injectable } from '@nestjs/common';
import { RecoveryParticipant } from 'nestjs-bulwark';
import { BankingStage } from '../banking/banking-stage.js';
import { isBlock, isRecord } from '../chain/block-shape.js';
import { Chain } from '../chain/chain.js';
import { Mempool } from '../mempool/mempool.js';
import type { PendingOrder } from '../mempool/pending-order.js';

/** Orders that go back in one transaction: a long one keeps others waiting. */
const AT_ONCE = 200;

/** What became of the orders that the state put back does not have. */
export interface TakenBack {
  readonly accepted: number;
  /** The ids of those that could not be accepted again: not sound, or not paid for any more. */
  readonly refused: readonly string[];
}

/**
 * Whoever has a receipt keeps what it promises, whatever is restored: orders that are pending, and
 * those of blocks that are gone afterwards, are accepted again, as after a fork.
 */
@Injectable()
@RecoveryParticipant()
export class AcceptedOrders {
  constructor(
    private readonly banking: BankingStage,
    private readonly chain: Chain,
    private readonly mempool: Mempool,
  ) {}

  /** In the order of their acceptance. The state may be any rot: what is no order is left behind. */
  beforeRestore(): PendingOrder[] {
    const entries = this.chain
      .allBlocks()
      .flatMap((block) => (isBlock(block) ? block.entries : []));
    const confirmed = entries.map(({ id, transaction, fee, verdict }) => {
      return { id, transaction, fee, verdict };
    });
    return [...confirmed, ...[...this.mempool.allPending().values()].filter(isRecord)];
  }

  async afterRestore(carried: readonly PendingOrder[]): Promise<TakenBack> {
    const lost = carried.filter(({ id }) => !this.banking.isKnown(id));
    const refused: string[] = [];
    const before = this.banking.statistics.accepted;
    for (let from = 0; from < lost.length; from += AT_ONCE) {
      const some = lost.slice(from, from + AT_ONCE);
      for (const { id } of await this.banking.takeBack(some, Date.now())) refused.push(String(id));
    }
    return { accepted: this.banking.statistics.accepted - before, refused };
  }
}
