import { Injectable } from '@nestjs/common';
import { CheckpointService } from 'nestjs-bulwark';
import { BankingStage } from '../banking/banking-stage.js';
import type { Receipt } from '../banking/banking-stage.js';
import { StoreWatch } from '../banking/store-watch.js';
import { Submissions } from '../banking/submissions.js';
import type { ServiceLevel } from '../banking/submissions.js';
import { Chain } from '../chain/chain.js';
import { Mempool } from '../mempool/mempool.js';
import { RpcError } from '../rpc/rpc.error.js';
import { TransactionRefusedError } from '../transaction/transaction-refused.error.js';
import type { TransactionId } from '../transaction/transaction.js';
import { PeerClient } from './peer.client.js';
import { Settled } from './settled.js';

/** Milliseconds that a client waits for the block; less than its time limit. */
const WAIT_MS = 7_000;

/**
 * Where several decide, a receipt means: it is in a block that a majority has on disk. So no two
 * nodes give one for the same money, and none is given where too few are in reach.
 */
@Injectable()
export class ClusterSubmissions extends Submissions {
  constructor(
    banking: BankingStage,
    store: StoreWatch,
    private readonly chain: Chain,
    private readonly mempool: Mempool,
    private readonly client: PeerClient,
    private readonly settled: Settled,
    private readonly checkpoints: CheckpointService,
  ) {
    super(banking, store);
  }

  override get level(): ServiceLevel {
    return this.client.hasMajority ? super.level : 'read-only';
  }

  override async submit(sent: unknown): Promise<Receipt> {
    if (!this.client.hasMajority) {
      throw new RpcError(
        'read-only',
        'too few validators are in reach: try another node, or later',
      );
    }
    try {
      const receipt = await super.submit(sent);
      await this.confirmed(receipt.id);
      const { fee, verdict } = this.chain.find(receipt.id)!.entry;
      return { ...receipt, fee, verdict };
    } catch (error) {
      // Its first sender may wait for the block still: only then is it settled for this one too.
      if (error instanceof TransactionRefusedError && error.reason === 'replayed') {
        await this.confirmed(String(error.facts['id']));
      }
      throw error;
    }
  }

  private async confirmed(id: TransactionId): Promise<void> {
    const end = performance.now() + WAIT_MS;
    while (!this.chain.has(id)) {
      if (!this.mempool.has(id)) {
        throw new TransactionRefusedError(
          'insufficient-funds',
          'the sender has spent the money in another transaction',
          { id },
        );
      }
      const left = end - performance.now();
      if (left <= 0) {
        throw new RpcError(
          'unconfirmed',
          'no block has it yet: it is kept, and may be in one later; send it again as it is',
          { id },
        );
      }
      await this.settled.next(id, left);
    }
    await this.checkpoints.flush();
  }
}
