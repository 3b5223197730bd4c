import { Injectable } from '@nestjs/common';
import { Checkpoint, CheckpointComponent, Durable, DurableMap } from 'nestjs-bulwark';
import type { Address } from '../keys/key-pair.js';
import { costOf } from '../transaction/order.js';
import type { Order } from '../transaction/order.js';
import type { Amount, TransactionId } from '../transaction/transaction.js';
import { isExpired } from './pending-order.js';
import type { PendingOrder } from './pending-order.js';

/**
 * Accepted and not yet in a block, oldest first. What a sender's pending transactions will cost is
 * reserved, so that two quick ones cannot spend the same money.
 */
@Injectable()
@CheckpointComponent({ name: 'mempool' })
export class Mempool {
  @Durable() private readonly pending = new DurableMap<TransactionId, PendingOrder>();
  @Durable() private readonly reserved = new DurableMap<Address, Amount>();
  /** For ever, as the index of the chain: who was told that it expired may have paid by another one since. */
  @Durable() private readonly expired = new DurableMap<TransactionId, number>();

  get size(): number {
    return this.pending.size;
  }

  has(id: TransactionId): boolean {
    return this.pending.has(id);
  }

  find(id: TransactionId): PendingOrder | undefined {
    return this.pending.get(id);
  }

  /** Until when it was valid, if it has expired. */
  expiryOf(id: TransactionId): number | undefined {
    return this.expired.get(id);
  }

  reservedBy(address: Address): Amount {
    return this.reserved.get(address) ?? 0;
  }

  allPending(): ReadonlyMap<TransactionId, PendingOrder> {
    return this.pending;
  }

  allReserved(): ReadonlyMap<Address, Amount> {
    return this.reserved;
  }

  allExpired(): ReadonlyMap<TransactionId, number> {
    return this.expired;
  }

  oldest(limit: number): PendingOrder[] {
    const orders: PendingOrder[] = [];
    for (const order of this.pending.values()) {
      if (orders.length === limit) break;
      orders.push(order);
    }
    return orders;
  }

  describeState(): { pending: number } {
    return { pending: this.size };
  }

  @Checkpoint()
  async add(order: PendingOrder): Promise<void> {
    if (this.pending.has(order.id)) throw new Error(`mempool: ${order.id} is already pending`);
    const { from } = order.transaction;
    this.pending.set(order.id, order);
    this.reserved.set(from, this.reservedBy(from) + costOf(order));
  }

  /** Takes out what is in a block now. */
  @Checkpoint()
  async remove(orders: readonly Order[]): Promise<void> {
    for (const order of orders) this.removeOne(order);
  }

  /** Takes out, for ever, those whose time is over; answers them. */
  @Checkpoint()
  async expire(now: number): Promise<readonly Order[]> {
    const over = [...this.pending.values()].filter((order) => isExpired(order, now));
    for (const order of over) {
      this.removeOne(order);
      this.expired.set(order.id, order.validUntil ?? now);
    }
    return over;
  }

  private removeOne(order: Order): void {
    if (!this.pending.delete(order.id)) throw new Error(`mempool: ${order.id} is not pending`);
    const { from } = order.transaction;
    const left = this.reservedBy(from) - costOf(order);
    if (left === 0) this.reserved.delete(from);
    else this.reserved.set(from, left);
  }
}
