import { Injectable } from '@nestjs/common';
import { RpcError } from '../rpc/rpc.error.js';
import { BankingStage } from './banking-stage.js';
import type { Receipt } from './banking-stage.js';
import { StoreWatch } from './store-watch.js';

/** `read-only`: what is known is answered, and nothing new is accepted. */
export type ServiceLevel = 'normal' | 'read-only';

/** How a client's transaction becomes a receipt: here, as soon as it is on disk. */
@Injectable()
export class Submissions {
  constructor(
    protected readonly banking: BankingStage,
    protected readonly store: StoreWatch,
  ) {}

  get level(): ServiceLevel {
    return this.store.isAway ? 'read-only' : 'normal';
  }

  async submit(sent: unknown): Promise<Receipt> {
    if (this.store.isAway) {
      throw new RpcError('storage-unavailable', 'nothing can be kept now: read-only');
    }
    return this.banking.submit(sent);
  }
}
