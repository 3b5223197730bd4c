import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { RecoveryManager, Reconnect, ResilienceService, Resync, seconds } from 'nestjs-bulwark';
import { Chain } from '../chain/chain.js';
import type { Validator } from '../settings.js';
import { BlockSync } from './block-sync.js';
import { Members } from './members.js';
import { PeerClient } from './peer.client.js';

/** The connection to the others: looks at each of them again and again, and catches up with whoever is further. */
@Injectable()
export class ClusterLink implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Cluster');
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private hadMajority = true;
  private stop = (): void => {};

  constructor(
    private readonly members: Members,
    private readonly chain: Chain,
    private readonly client: PeerClient,
    private readonly sync: BlockSync,
    private readonly service: ResilienceService,
    private readonly recovery: RecoveryManager,
  ) {}

  onApplicationBootstrap(): void {
    const watching = this.service.events$.subscribe((event) => {
      if (event.type === 'circuit-state-changed' && event.target === 'PeerClient.ask') this.look();
    });
    this.stop = () => watching.unsubscribe();
    for (const peer of this.members.others) this.schedule(peer, 0);
  }

  onModuleDestroy(): void {
    this.stop();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.hadMajority = false;
  }

  /** There again are so many that together with this node they are a majority. */
  @Reconnect('cluster', {
    attempts: 3,
    delay: 200,
    timeout: seconds(3),
    coolDown: seconds(1),
    retryEvery: seconds(2),
  })
  async reconnect(signal: AbortSignal): Promise<boolean> {
    const asked = this.members.others.map((peer) => this.client.send(peer, 'status', {}, signal));
    const answers = await Promise.allSettled(asked);
    const there = answers.filter(({ status }) => status === 'fulfilled').length;
    return there + 1 >= this.members.majority;
  }

  @Resync('cluster')
  async resync(): Promise<void> {
    const peers = this.client.inReach;
    await Promise.allSettled(peers.map((peer) => this.sync.catchUp(peer)));
  }

  private schedule(peer: Validator, delay: number): void {
    const timer = setTimeout(() => {
      void this.beat(peer).finally(() => {
        if (this.timers.get(peer.name) === timer) {
          this.schedule(peer, this.members.settings.heartbeat);
        }
      });
    }, delay);
    this.timers.set(peer.name, timer);
  }

  private async beat(peer: Validator): Promise<void> {
    try {
      const { height } = await this.client.ask(peer, 'status', {});
      if (height > this.chain.tip.height) await this.sync.catchUp(peer);
    } catch {
      // its breaker counts
    }
  }

  private look(): void {
    const { hasMajority } = this.client;
    if (hasMajority === this.hadMajority) return;
    this.hadMajority = hasMajority;
    this.logger.warn(
      hasMajority
        ? 'there is a majority again: payments are taken'
        : 'too few are in reach to decide anything: read-only',
    );
    if (hasMajority) return;
    void Promise.allSettled([this.recovery.handleNetworkPartition('cluster', { by: 'breaker' })]);
  }
}
