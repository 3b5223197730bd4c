import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { RecoveryManager, ResilienceService } from 'nestjs-bulwark';
import { UpstreamLink } from './upstream-link.js';

/** Milliseconds that compliance may take for all that was accepted without it. */
const REVIEW_TIMEOUT_MS = 60_000;

/** Nobody has to notice that the upstream is away, or back: the breaker in front of it does. */
@Injectable()
export class UpstreamWatch implements OnModuleInit, OnModuleDestroy {
  private stop = (): void => {};

  constructor(
    private readonly service: ResilienceService,
    private readonly recovery: RecoveryManager,
    private readonly link: UpstreamLink,
  ) {}

  onModuleInit(): void {
    const watching = this.service.events$.subscribe((event) => {
      if (event.type !== 'circuit-state-changed' || event.target !== 'FeesClient.quote') return;
      if (event.to === 'open') void this.settled(this.cut());
      if (event.to === 'closed') void this.settled(this.back());
    });
    this.stop = () => watching.unsubscribe();
  }

  onModuleDestroy(): void {
    this.stop();
  }

  private cut(): Promise<unknown> {
    return this.recovery.handleNetworkPartition('upstream', { by: 'breaker' });
  }

  /** Small payments were accepted without compliance until now, also after the connection was there again. */
  private back(): Promise<unknown> {
    return this.link.review(AbortSignal.timeout(REVIEW_TIMEOUT_MS));
  }

  /** What does not succeed now does when the breaker moves again: the log of actions, and `unreviewed`, tell. */
  private async settled(work: Promise<unknown>): Promise<void> {
    await Promise.allSettled([work]);
  }
}
