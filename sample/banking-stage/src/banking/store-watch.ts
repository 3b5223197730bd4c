import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { ResilienceService } from 'nestjs-bulwark';

/** Whether anything can be kept now. */
@Injectable()
export class StoreWatch implements OnModuleInit, OnModuleDestroy {
  isAway = false;
  private stop = (): void => {};

  constructor(private readonly service: ResilienceService) {}

  onModuleInit(): void {
    const watching = this.service.events$.subscribe(({ type }) => {
      if (type === 'store-fenced') this.isAway = true;
      if (type === 'checkpoint-recovered') this.isAway = false;
    });
    this.stop = () => watching.unsubscribe();
  }

  onModuleDestroy(): void {
    this.stop();
  }
}
