import type { Order } from '../transaction/order.js';

/** An order that waits for a block. */
export interface PendingOrder extends Order {
  /**
   * Wall-clock time, milliseconds since 1970, after which no block takes it any more; its sender was
   * told so. Where it is missing, the order was accepted by a version that knew no such time.
   */
  readonly validUntil?: number;
}

export function isExpired({ validUntil = Infinity }: PendingOrder, now: number): boolean {
  return validUntil < now;
}
