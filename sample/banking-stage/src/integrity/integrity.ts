import { Injectable } from '@nestjs/common';
import { Chain } from '../chain/chain.js';
import { Ledger } from '../ledger/ledger.js';
import { Mempool } from '../mempool/mempool.js';
import { chainContinuity, hashIntegrity, supply, transactionValidity } from './chain.checks.js';
import type { Issue } from './issue.js';
import { indexContinuity, mempoolConsistency, utxoConsistency } from './state.checks.js';

/** The checks over this node's own state, one method each, as they will be scheduled one by one. */
@Injectable()
export class Integrity {
  constructor(
    private readonly chain: Chain,
    private readonly ledger: Ledger,
    private readonly mempool: Mempool,
  ) {}

  hashIntegrity(): Issue[] {
    return [...hashIntegrity(this.chain.allBlocks())];
  }

  chainContinuity(): Issue[] {
    return [...chainContinuity(this.chain.allBlocks()), ...indexContinuity(this.chain)];
  }

  transactionValidity(): Issue[] {
    return [...transactionValidity(this.chain.allBlocks())];
  }

  utxoConsistency(): Issue[] {
    return [...utxoConsistency(this.chain, this.ledger)];
  }

  supply(): Issue[] {
    return [...supply(this.chain.allBlocks(), this.ledger)];
  }

  mempoolConsistency(): Issue[] {
    return [...mempoolConsistency(this.chain, this.ledger, this.mempool)];
  }

  all(): Issue[] {
    return [
      ...this.hashIntegrity(),
      ...this.chainContinuity(),
      ...this.transactionValidity(),
      ...this.utxoConsistency(),
      ...this.supply(),
      ...this.mempoolConsistency(),
    ];
  }
}
