import { Injectable } from '@nestjs/common';
import type { TransactionId } from '../transaction/transaction.js';

/** Wakes those who wait for what becomes of a transaction. */
@Injectable()
export class Settled {
  private readonly waiting = new Map<TransactionId, Set<() => void>>();

  /** Resolves when something has become of it, or at the latest after so many milliseconds. */
  next(id: TransactionId, atMost: number): Promise<void> {
    return new Promise((resolve) => {
      const those = this.waiting.get(id) ?? new Set();
      const done = (): void => {
        clearTimeout(timer);
        those.delete(done);
        if (those.size === 0) this.waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, atMost);
      this.waiting.set(id, those.add(done));
    });
  }

  tell(ids: readonly TransactionId[]): void {
    for (const id of ids) for (const done of this.waiting.get(id) ?? []) done();
  }
}
