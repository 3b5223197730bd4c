import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { Bulkhead, seconds } from 'nestjs-bulwark';
import { executeOrders, genesis, sealed } from '../chain/block.js';
import type { Block } from '../chain/block.js';
import { Chain } from '../chain/chain.js';
import { FeesClient } from '../fees/fees.client.js';
import type { Quote } from '../fees/quote.js';
import { Ledger } from '../ledger/ledger.js';
import { Mempool } from '../mempool/mempool.js';
import { NodeSettings } from '../settings.js';
import type { Verdict } from '../transaction/order.js';
import { TransactionRefusedError } from '../transaction/transaction-refused.error.js';
import { transactionId } from '../transaction/transaction.js';
import type { Amount, Transaction, TransactionId } from '../transaction/transaction.js';
import { verifyTransaction } from '../transaction/verify-transaction.js';

/** Once given, the transaction will be in the chain exactly once. */
export interface Receipt {
  readonly id: TransactionId;
  readonly fee: Amount;
  readonly verdict: Verdict;
}

/**
 * Verifies, accepts and executes. State changes only in `begin`, `accept` and `produceBlock`, which
 * wait for nothing: all they need is in their arguments, so they can be replayed.
 */
@Injectable()
export class BankingStage implements OnModuleInit {
  private readonly underway = new Map<TransactionId, Promise<Receipt>>();

  constructor(
    private readonly settings: NodeSettings,
    private readonly ledger: Ledger,
    private readonly mempool: Mempool,
    private readonly chain: Chain,
    private readonly fees: FeesClient,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.chain.isEmpty) await this.begin();
  }

  /**
   * The bulkhead is as wide as that of the fees client. Were it wider, a flood would wait in there,
   * use up its time limit and be refused as if compliance were away. So it waits here, and what is
   * too much is refused as what it is.
   */
  @Bulkhead({ maxConcurrent: 32, maxQueue: 512, queueTimeout: seconds(4) })
  async submit(input: unknown): Promise<Receipt> {
    const transaction = verifyTransaction(input);
    // Refused early where it can be: what cannot be accepted is not worth a remote call.
    const id = this.refuseUnacceptable(transaction, 0);
    const first = this.underway.get(id);
    if (first !== undefined) {
      // The same again while its quote is on the way: one signature is worth one remote call. What
      // refuses the first refuses this one too; else it was accepted, and this one is a replay.
      await first;
      throw replayed(id);
    }
    const submission = this.quoted(transaction).finally(() => this.underway.delete(id));
    this.underway.set(id, submission);
    return submission;
  }

  async begin(): Promise<void> {
    const { allocations, validator } = this.settings;
    const block = genesis(allocations, validator);
    executeOrders(this.ledger, block, []);
    this.chain.append(block);
  }

  async accept(transaction: Transaction, quote: Quote): Promise<Receipt> {
    const { fee, verdict } = quote;
    if (verdict === 'blocked') {
      throw new TransactionRefusedError('compliance-refused', 'compliance refused the transaction');
    }
    if (fee > transaction.maxFee) {
      throw new TransactionRefusedError('fee-above-maximum', 'the fee is above maxFee', {
        fee,
        maxFee: transaction.maxFee,
      });
    }
    // Again, and now for good: others may have been accepted while the quote was on its way.
    const id = this.refuseUnacceptable(transaction, fee);
    this.mempool.add({ id, transaction, fee, verdict });
    return { id, fee, verdict };
  }

  /** Nothing pending, no block: an idle node's chain does not grow. */
  async produceBlock(now: number): Promise<Block | undefined> {
    const { validator, maxBlockEntries } = this.settings;
    const orders = this.mempool.oldest(maxBlockEntries);
    if (orders.length === 0) return undefined;

    const { height, hash, timestamp } = this.chain.tip;
    const next = {
      height: height + 1,
      parent: hash,
      // A clock set back must not make a block older than its parent.
      timestamp: Math.max(now, timestamp),
      validator,
      allocations: [],
    };
    const block = sealed({ ...next, entries: executeOrders(this.ledger, next, orders) });
    this.chain.append(block);
    for (const order of orders) this.mempool.remove(order);
    return block;
  }

  private async quoted(transaction: Transaction): Promise<Receipt> {
    const quote = await this.fees.quote(transaction);
    return this.accept(transaction, quote);
  }

  private refuseUnacceptable(transaction: Transaction, fee: Amount): TransactionId {
    const id = transactionId(transaction);
    if (this.mempool.has(id) || this.chain.has(id)) throw replayed(id);
    const { from, amount } = transaction;
    const available = this.ledger.balance(from) - this.mempool.reservedBy(from);
    if (available < amount + fee) {
      throw new TransactionRefusedError(
        'insufficient-funds',
        'the sender cannot pay amount and fee',
        { available, needed: amount + fee },
      );
    }
    if (this.mempool.size >= this.settings.maxPending) {
      throw new TransactionRefusedError('mempool-full', 'too many transactions are pending');
    }
    return id;
  }
}

function replayed(id: TransactionId): TransactionRefusedError {
  return new TransactionRefusedError('replayed', 'this transaction was accepted before', { id });
}
