import { Injectable } from '@nestjs/common';
import { IntegrityCheck } from 'nestjs-bulwark';
import { BankingStage } from '../banking/banking-stage.js';
import { genesis } from '../chain/block.js';
import { isBlock } from '../chain/block-shape.js';
import { Chain } from '../chain/chain.js';
import { Ledger } from '../ledger/ledger.js';
import { Mempool } from '../mempool/mempool.js';
import { NodeSettings } from '../settings.js';
import { verifyAhead } from '../transaction/verify-transaction.js';
import { chainContinuity, hashIntegrity, supply, transactionValidity } from './chain.checks.js';
import { issuesOf } from './issue.js';
import type { Findings, Issue } from './issue.js';
import {
  indexContinuity,
  mempoolConsistency,
  origin,
  statisticsConsistency,
  utxoConsistency,
} from './state.checks.js';

/** Signatures that are looked at beside the main thread at once: more would keep the disk waiting. */
const AT_ONCE = 64;

/** The checks over this node's own state. Long chains are interrupted between two entries. */
@Injectable()
export class Integrity {
  constructor(
    private readonly settings: NodeSettings,
    private readonly chain: Chain,
    private readonly ledger: Ledger,
    private readonly mempool: Mempool,
    private readonly banking: BankingStage,
  ) {}

  @IntegrityCheck('hash-integrity')
  hashIntegrity(): Findings {
    return hashIntegrity(this.chain.allBlocks());
  }

  @IntegrityCheck('chain-continuity')
  *chainContinuity(): Findings {
    const { allocations, validator } = this.settings;
    const blocks = this.chain.allBlocks();
    yield* origin(blocks, genesis(allocations, validator));
    yield* chainContinuity(blocks);
    yield* indexContinuity(this.chain);
  }

  @IntegrityCheck('transaction-validity')
  async *transactionValidity(): AsyncGenerator<Issue | undefined> {
    const blocks = this.chain.allBlocks();
    const entries = blocks.flatMap((block) => (isBlock(block) ? block.entries : []));
    for (let from = 0; from < entries.length; from += AT_ONCE) {
      const some = entries.slice(from, from + AT_ONCE);
      await Promise.all(some.map(({ transaction }) => verifyAhead(transaction)));
      yield undefined;
    }
    yield* transactionValidity(blocks);
  }

  @IntegrityCheck('utxo-consistency')
  utxoConsistency(): Findings {
    return utxoConsistency(this.chain, this.ledger);
  }

  @IntegrityCheck('supply')
  supply(): Findings {
    const outputs = this.ledger.allOutputs();
    return supply(this.chain.allBlocks(), { outputs, accounts: this.ledger.allAccounts() });
  }

  @IntegrityCheck('mempool-consistency')
  mempoolConsistency(): Findings {
    return mempoolConsistency(this.chain, this.ledger, this.mempool);
  }

  @IntegrityCheck('statistics')
  statistics(): Findings {
    return statisticsConsistency(this.chain, this.mempool, this.banking.statistics);
  }

  /** All of them, at once. */
  all(): Issue[] {
    return [
      ...issuesOf(this.hashIntegrity()),
      ...issuesOf(this.chainContinuity()),
      ...issuesOf(transactionValidity(this.chain.allBlocks())),
      ...issuesOf(this.utxoConsistency()),
      ...issuesOf(this.supply()),
      ...issuesOf(this.mempoolConsistency()),
      ...issuesOf(this.statistics()),
    ];
  }
}
