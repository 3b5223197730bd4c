import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { Mempool } from '../mempool/mempool.js';
import { NodeSettings } from '../settings.js';
import { BankingStage } from './banking-stage.js';

/** The clock of the chain: asks for a block at every interval, one at a time. */
@Injectable()
export class BlockProducer implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  /** When nothing was left waiting for a block, or one was made: by the wall clock. */
  upToDateAt = Date.now();

  constructor(
    private readonly settings: NodeSettings,
    private readonly banking: BankingStage,
    private readonly mempool: Mempool,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.tick(), this.settings.blockInterval);
  }

  private async tick(): Promise<void> {
    // whether a block whose sync failed was kept is for the disk to tell: the next one begins there
    const [made] = await Promise.allSettled([this.banking.produceBlock(Date.now())]);
    const hasBlock = made.status === 'fulfilled' && made.value !== undefined;
    if (hasBlock || this.mempool.size === 0) this.upToDateAt = Date.now();
    this.schedule();
  }
}
