import type { Receipt } from '../banking/banking-stage.js';
import { transactionId } from '../transaction/transaction.js';
import type { Transaction, TransactionId } from '../transaction/transaction.js';

/** When a transaction of the traffic was sent; `scene` is everything outside the traffic. */
export type Phase = 'calm' | 'transient' | 'outage' | 'crash' | 'after' | 'scene';

export interface Sent {
  readonly id: TransactionId;
  readonly transaction: Transaction;
  readonly phase: Phase;
  /** Whether the breaker was open when it was sent. */
  readonly whileOpen: boolean;
  readonly receipt?: Receipt;
  /** The receipt was lost on its way; sent again, it was said to have been accepted before. */
  readonly accepted?: true;
  /** Why there is no receipt. Neither of the two: the answer has not come yet. */
  readonly problem?: string;
  readonly ms?: number;
}

/** The client side's own record of what was sent and what was acknowledged. */
export class Books {
  private readonly records = new Map<TransactionId, Sent>();
  private readonly counts = new Map<Phase, number>();

  open(record: Pick<Sent, 'transaction' | 'phase' | 'whileOpen'>): TransactionId {
    const id = transactionId(record.transaction);
    this.records.set(id, { id, ...record });
    return id;
  }

  close(id: TransactionId, outcome: Pick<Sent, 'receipt' | 'accepted' | 'problem' | 'ms'>): Sent {
    const sent = this.records.get(id);
    if (!sent) throw new Error(`books: ${id} was never sent`);
    const closed = { ...sent, ...outcome };
    this.records.set(id, closed);
    if (isAcknowledged(closed)) this.counts.set(sent.phase, this.acknowledgedIn(sent.phase) + 1);
    return closed;
  }

  get(id: TransactionId): Sent | undefined {
    return this.records.get(id);
  }

  acknowledgedIn(phase: Phase): number {
    return this.counts.get(phase) ?? 0;
  }

  sentIn(phase: Phase): Sent[] {
    return [...this.records.values()].filter((sent) => sent.phase === phase);
  }

  acknowledged(): Sent[] {
    return [...this.records.values()].filter(isAcknowledged);
  }

  /** Without an answer yet. */
  underway(): Sent[] {
    return [...this.records.values()].filter(
      (sent) => sent.problem === undefined && !isAcknowledged(sent),
    );
  }

  /** Share of the transactions of a phase that were acknowledged, in per cent. */
  availability(phase: Phase): number {
    const sent = this.sentIn(phase).length;
    return sent === 0 ? 0 : (100 * this.acknowledgedIn(phase)) / sent;
  }
}

function isAcknowledged({ receipt, accepted }: Sent): boolean {
  return accepted === true || receipt !== undefined;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
