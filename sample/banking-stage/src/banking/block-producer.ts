import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { NodeSettings } from '../settings.js';
import { BankingStage } from './banking-stage.js';

/** The clock of the chain: asks for a block at every interval, one at a time. */
@Injectable()
export class BlockProducer implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly settings: NodeSettings,
    private readonly banking: BankingStage,
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
    await Promise.allSettled([this.banking.produceBlock(Date.now())]);
    this.schedule();
  }
}
