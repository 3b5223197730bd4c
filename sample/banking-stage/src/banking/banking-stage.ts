import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleInit } from '@nestjs/common';
import {
  Bulkhead,
  Checkpoint,
  CheckpointComponent,
  CheckpointService,
  CheckpointUnavailableError,
  Durable,
  DurableSet,
  DurableValue,
  Fallback,
  seconds,
} from 'nestjs-bulwark';
import { genesis, sealed } from '../chain/block.js';
import type { Block } from '../chain/block.js';
import { Chain } from '../chain/chain.js';
import { same } from '../codec/same.js';
import type { Certificate } from '../consensus/certificate.js';
import { FeesClient } from '../fees/fees.client.js';
import type { Quote } from '../fees/quote.js';
import { Ledger } from '../ledger/ledger.js';
import { Mempool } from '../mempool/mempool.js';
import { NodeSettings } from '../settings.js';
import type { Address } from '../keys/key-pair.js';
import { isExpired } from '../mempool/pending-order.js';
import type { PendingOrder } from '../mempool/pending-order.js';
import { costOf, orderProblem } from '../transaction/order.js';
import type { Order, Verdict } from '../transaction/order.js';
import { TransactionRefusedError } from '../transaction/transaction-refused.error.js';
import { transactionId } from '../transaction/transaction.js';
import type { Amount, Transaction, TransactionId } from '../transaction/transaction.js';
import { verified } from '../transaction/verify-transaction.js';
import { NO_STATISTICS } from './statistics.js';
import type { Statistics } from './statistics.js';

/** Once given, the transaction is on disk, and will be in the chain exactly once, if its time does not run out. */
export interface Receipt {
  readonly id: TransactionId;
  readonly fee: Amount;
  readonly verdict: Verdict;
  /** Wall-clock time, milliseconds since 1970: in a block by then, or never. */
  readonly validUntil: number;
}

/**
 * Verifies, accepts and executes. State changes only in `begin`, `accept` and `produceBlock`, each
 * of them one transaction over the statistics here, the ledger, the mempool and the chain: kept as a
 * whole, on disk before it is answered, or not at all. They ask nobody anything: all they need is in
 * their arguments. One is at work at a time, since each begins in this component.
 */
@Injectable()
@CheckpointComponent({ name: 'banking' })
export class BankingStage implements OnApplicationBootstrap, OnModuleInit {
  @Durable() private readonly counts = new DurableValue<Statistics>(NO_STATISTICS);
  /** Accepted without compliance, which has not looked at them since. */
  @Durable() private readonly toReview = new DurableSet<TransactionId>();
  /** Accepted without compliance, which would have refused them. */
  @Durable() private readonly flagged = new DurableSet<TransactionId>();
  private readonly underway = new Map<TransactionId, Promise<Receipt>>();
  /** Whether too many are pending, and not yet few enough again. */
  private isCongested = false;

  constructor(
    private readonly settings: NodeSettings,
    private readonly ledger: Ledger,
    private readonly mempool: Mempool,
    private readonly chain: Chain,
    private readonly fees: FeesClient,
    private readonly checkpoints: CheckpointService,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.chain.isEmpty) await this.begin();
    const { allocations, validator, dataDirectory } = this.settings;
    const [kept, told] = [this.chain.blockAt(0), genesis(allocations, validator)];
    if (kept?.hash !== told.hash) {
      throw new Error(
        `${dataDirectory} holds another chain: its genesis is not that of the settings`,
      );
    }
  }

  /** A recovery begins at a saved state: so there is one from the first moment on. */
  async onApplicationBootstrap(): Promise<void> {
    if ((await this.checkpoints.list()).length === 0) await this.checkpoints.save();
  }

  get statistics(): Statistics {
    return { ...NO_STATISTICS, ...this.counts.get() };
  }

  get unreviewed(): readonly TransactionId[] {
    return [...this.toReview];
  }

  isFlagged(id: TransactionId): boolean {
    return this.flagged.has(id);
  }

  /**
   * The bulkhead is as wide as that of the fees client. Were it wider, a flood would wait in there,
   * use up its time limit and be refused as if compliance were away. So it waits here, and what is
   * too much is refused as what it is.
   */
  @Bulkhead({ maxConcurrent: 32, maxQueue: 512, queueTimeout: seconds(4) })
  async submit(input: unknown): Promise<Receipt> {
    // Refused early where it can be: what cannot be accepted is not worth a remote call.
    const { id, transaction } = verified(input);
    this.refuseExpired(id);
    if (this.isKnown(id)) {
      // It is as good as a receipt, so what it tells of has to be on disk as well.
      await this.checkpoints.flush();
      throw replayed(id);
    }
    this.refuseCongested();
    this.refuseUnaffordable(transaction, 0);
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

  @Checkpoint()
  async begin(): Promise<void> {
    const { allocations, validator } = this.settings;
    const block = genesis(allocations, validator);
    await this.ledger.executeAll(block, []);
    await this.chain.append(block);
  }

  /** The same again, even after a restart, is not accepted twice: it gets the receipt of the first. */
  @Checkpoint({ idempotencyKey: (transaction: Transaction) => transactionId(transaction) })
  async accept(transaction: Transaction, quote: Quote): Promise<Receipt> {
    return this.admit(transaction, quote);
  }

  private async admit(transaction: Transaction, quote: Quote): Promise<Receipt> {
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
    const id = transactionId(transaction);
    this.refuseExpired(id);
    if (this.isKnown(id)) throw replayed(id);
    this.refuseCongested();
    const validUntil = Date.now() + this.settings.pendingFor;
    await this.take({ id, transaction, fee, verdict, validUntil });
    return { id, fee, verdict, validUntil };
  }

  /**
   * Accepts again what was accepted before a restore, and what it put back does not have: an order
   * that someone has a receipt for. Answers those that it cannot accept.
   */
  @Checkpoint()
  async takeBack(orders: readonly PendingOrder[], now: number): Promise<readonly PendingOrder[]> {
    const refused: PendingOrder[] = [];
    for (const order of orders) {
      if (this.isKnown(order.id) || this.mempool.expiryOf(order.id) !== undefined) continue;
      const isSound = orderProblem(order) === undefined;
      // What it spends may be what those before it brought.
      if (isSound && !this.canPay(order) && !this.settings.cluster) await this.produceBlock(now);
      if (isSound && this.canPay(order)) await this.take(order);
      else refused.push(order);
    }
    return refused;
  }

  /** Accepts where others decide as well: whether it comes to anything, a block tells. */
  @Checkpoint()
  async acceptShared(transaction: Transaction, quote: Quote): Promise<Receipt> {
    return this.admit(transaction, quote);
  }

  /** Takes what others accepted, as far as it is new here and can be paid. The caller has looked through it. */
  @Checkpoint()
  async pool(orders: readonly PendingOrder[]): Promise<void> {
    for (const order of orders) {
      if (this.mempool.size >= this.settings.maxPending) return;
      if (!this.isKnown(order.id) && this.canPay(order)) await this.take(order);
    }
  }

  /**
   * Takes over a block that was decided; the caller has looked through it. Answers what was pending
   * here, and cannot be paid any more.
   */
  @Checkpoint()
  async adopt(block: Block, certificate: Certificate): Promise<readonly TransactionId[]> {
    const { entries } = block;
    const executed = await this.ledger.executeAll(block, entries);
    if (!same(executed, entries)) throw new Error(`block ${block.height} does other things here`);
    await this.chain.append(block, certificate);
    const pending = entries.flatMap(({ id }) => this.mempool.find(id) ?? []);
    await this.mempool.remove(pending);
    this.toReview.deleteAll(
      entries.flatMap(({ id, verdict }) => (verdict === 'cleared' ? [id] : [])),
    );
    this.count({
      accepted: entries.length - pending.length,
      provisional: marked(entries) - marked(pending),
      executed: entries.length,
    });
    return this.dropped(this.unpayable(entries));
  }

  /** Where others decide as well, what has waited too long is forgotten: nobody was told that it was accepted. */
  @Checkpoint()
  async forgetExpired(now: number): Promise<readonly TransactionId[]> {
    const pending = [...this.mempool.allPending().values()];
    return this.dropped(pending.filter((order) => isExpired(order, now)));
  }

  /** Notes what compliance says of a transaction that was accepted without it. */
  @Checkpoint()
  async review(id: TransactionId, verdict: Quote['verdict']): Promise<void> {
    if (this.toReview.delete(id) && verdict === 'blocked') this.flagged.add(id);
  }

  /**
   * Nothing pending, no block: an idle node's chain does not grow. And none now if nothing can be
   * kept now: what is pending stays so, for the next.
   */
  @Fallback({ value: undefined, on: CheckpointUnavailableError })
  @Checkpoint()
  async produceBlock(now: number): Promise<Block | undefined> {
    const { validator, maxBlockEntries } = this.settings;
    await this.expire(now);
    const orders = this.mempool.oldest(maxBlockEntries);
    if (orders.length === 0) return undefined;

    const next = this.chain.frame(now, validator);
    const block = sealed({ ...next, entries: await this.ledger.executeAll(next, orders) });
    await this.chain.append(block);
    await this.mempool.remove(orders);
    this.count({ executed: orders.length });
    return block;
  }

  private async quoted(transaction: Transaction): Promise<Receipt> {
    const quote = await this.fees.quote(transaction);
    const { cluster } = this.settings;
    return cluster ? this.acceptShared(transaction, quote) : this.accept(transaction, quote);
  }

  /** Whether it is pending or in a block. */
  isKnown(id: TransactionId): boolean {
    return this.mempool.has(id) || this.chain.has(id);
  }

  private async take(order: PendingOrder): Promise<void> {
    this.refuseUnaffordable(order.transaction, order.fee);
    await this.mempool.add(order);
    if (order.verdict === 'provisional') this.toReview.add(order.id);
    this.count({ accepted: 1, provisional: marked([order]) });
  }

  /** The newest of those whose senders have spent the money elsewhere. */
  private unpayable(spent: readonly Order[]): readonly PendingOrder[] {
    const debtors = new Map(
      spent.map(({ transaction: { from } }) => [from, -this.availableTo(from)]),
    );
    return [...this.mempool.allPending().values()].toReversed().filter((order) => {
      const { from } = order.transaction;
      const debt = debtors.get(from) ?? 0;
      if (debt > 0) debtors.set(from, debt - costOf(order));
      return debt > 0;
    });
  }

  private async dropped(orders: readonly PendingOrder[]): Promise<readonly TransactionId[]> {
    const ids = orders.map(({ id }) => id);
    if (ids.length === 0) return ids;
    await this.mempool.remove(orders);
    this.toReview.deleteAll(ids);
    this.count({ accepted: -ids.length, provisional: -marked(orders) });
    return ids;
  }

  private async expire(now: number): Promise<void> {
    const over = await this.mempool.expire(now);
    this.toReview.deleteAll(over.map(({ id }) => id));
    if (over.length > 0) this.count({ expired: over.length, provisional: -marked(over) });
  }

  private count(more: Partial<Statistics>): void {
    const counts = this.statistics;
    this.counts.set({
      accepted: counts.accepted + (more.accepted ?? 0),
      provisional: counts.provisional + (more.provisional ?? 0),
      executed: counts.executed + (more.executed ?? 0),
      expired: counts.expired + (more.expired ?? 0),
    });
  }

  private refuseExpired(id: TransactionId): void {
    const validUntil = this.mempool.expiryOf(id);
    if (validUntil === undefined) return;
    throw new TransactionRefusedError(
      'expired',
      'no block took it in time, and none will: sign another one',
      { id, validUntil },
    );
  }

  private refuseUnaffordable(transaction: Transaction, fee: Amount): void {
    const available = this.availableTo(transaction.from);
    const needed = transaction.amount + fee;
    if (available < needed) {
      throw new TransactionRefusedError(
        'insufficient-funds',
        'the sender cannot pay amount and fee',
        { available, needed },
      );
    }
  }

  private refuseCongested(): void {
    const { maxPending, resumePending } = this.settings;
    const pending = this.mempool.size;
    this.isCongested =
      pending >= (this.isCongested ? Math.min(resumePending + 1, maxPending) : maxPending);
    if (this.isCongested) {
      throw new TransactionRefusedError(
        'mempool-full',
        'too many transactions are pending: send it again later',
        { pending, resumesAt: Math.min(resumePending, maxPending - 1) },
      );
    }
  }

  private canPay(order: PendingOrder): boolean {
    return this.availableTo(order.transaction.from) >= costOf(order);
  }

  private availableTo(address: Address): Amount {
    return this.ledger.balance(address) - this.mempool.reservedBy(address);
  }
}

function marked(orders: readonly Order[]): number {
  return orders.filter(({ verdict }) => verdict === 'provisional').length;
}

function replayed(id: TransactionId): TransactionRefusedError {
  return new TransactionRefusedError('replayed', 'this transaction was accepted before', { id });
}
