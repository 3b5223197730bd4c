import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { BankingStage } from '../banking/banking-stage.js';
import { isRecord } from '../chain/block-shape.js';
import { Mempool } from '../mempool/mempool.js';
import { isExpired } from '../mempool/pending-order.js';
import type { PendingOrder } from '../mempool/pending-order.js';
import type { Validator } from '../settings.js';
import { orderProblem } from '../transaction/order.js';
import type { TransactionId } from '../transaction/transaction.js';
import { verifyAhead } from '../transaction/verify-transaction.js';
import { PeerClient } from './peer.client.js';

const INTERVAL_MS = 30;
/** Orders in one message. */
const AT_ONCE = 200;
/** How many of the oldest are looked at: the others come after them. */
const LOOKED_AT = 2_000;
/** Beyond so many, what is in a block by now is forgotten. */
const REMEMBERED = 20_000;
/** A peer that knew of one, and has not put it into a block for so long, is told again, milliseconds. */
const AGAIN_MS = 5_000;

/** Tells the others what was accepted here, until it is in a block. */
@Injectable()
export class Gossip implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly told = new Map<string, Map<TransactionId, number>>();
  private readonly busy = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly banking: BankingStage,
    private readonly mempool: Mempool,
    private readonly client: PeerClient,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.tick(), INTERVAL_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Takes what another one tells; answers what of it is known now. */
  async hear(from: Validator, orders: readonly PendingOrder[]): Promise<TransactionId[]> {
    const now = Date.now();
    await Promise.all(orders.map((order) => verifyAhead(order?.transaction)));
    const sound = orders.filter(
      (order) =>
        isRecord(order) &&
        orderProblem(order) === undefined &&
        Number.isSafeInteger(order.validUntil) &&
        !isExpired(order, now),
    );
    if (sound.some(({ id }) => !this.banking.isKnown(id))) await this.banking.pool(sound);
    const known = sound.map(({ id }) => id).filter((id) => this.banking.isKnown(id));
    this.note(from, known);
    return known;
  }

  private tick(): void {
    if (this.mempool.size === 0) return this.told.clear();
    const oldest = this.mempool.oldest(LOOKED_AT);
    for (const peer of this.client.inReach) {
      if (!this.busy.has(peer.name)) void this.tell(peer, this.newsFor(peer, oldest));
    }
  }

  private newsFor(peer: Validator, oldest: readonly PendingOrder[]): PendingOrder[] {
    const told = this.told.get(peer.name);
    const again = performance.now() - AGAIN_MS;
    return oldest.filter(({ id }) => (told?.get(id) ?? -Infinity) < again).slice(0, AT_ONCE);
  }

  private async tell(peer: Validator, orders: readonly PendingOrder[]): Promise<void> {
    if (orders.length === 0) return;
    this.busy.add(peer.name);
    const [told] = await Promise.allSettled([this.client.ask(peer, 'orders', { orders })]);
    if (told.status === 'fulfilled' && Array.isArray(told.value?.known)) {
      this.note(peer, told.value.known);
    }
    this.busy.delete(peer.name);
  }

  private note({ name }: Validator, known: readonly TransactionId[]): void {
    const told = this.told.get(name) ?? new Map<TransactionId, number>();
    for (const id of known) told.set(id, performance.now());
    if (told.size > REMEMBERED) {
      for (const id of told.keys()) if (!this.mempool.has(id)) told.delete(id);
    }
    this.told.set(name, told);
  }
}
