import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { Block } from '../chain/block.js';
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
    protected readonly banking: BankingStage,
    protected readonly mempool: Mempool,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** A block for what is pending, if there is any. */
  protected make(now: number): Promise<Block | undefined> {
    return this.banking.produceBlock(now);
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.tick(), this.settings.blockInterval);
  }

  private async tick(): Promise<void> {
    // whether a block whose sync failed was kept is for the disk to tell: the next one begins there
    const [made] = await Promise.allSettled([this.make(Date.now())]);
    const hasBlock = made.status === 'fulfilled' && made.value !== undefined;
    if (hasBlock || this.mempool.size === 0) this.upToDateAt = Date.now();
    this.schedule();
  }
}
