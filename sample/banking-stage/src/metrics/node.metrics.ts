import { Injectable } from '@nestjs/common';
import { HealthMetric, ResilienceRegistry } from 'nestjs-bulwark';
import { BankingStage } from '../banking/banking-stage.js';
import { BlockProducer } from '../banking/block-producer.js';
import { Chain } from '../chain/chain.js';
import { Mempool } from '../mempool/mempool.js';
import { Growth } from './growth.js';

/** What an operator of a node looks at, as part of its health: see the `metrics` of GET /health. */
@Injectable()
export class NodeMetrics {
  private readonly executed = new Growth();
  private readonly asked = new Growth();
  private readonly unanswered = new Growth();

  constructor(
    private readonly banking: BankingStage,
    private readonly producer: BlockProducer,
    private readonly chain: Chain,
    private readonly mempool: Mempool,
    private readonly registry: ResilienceRegistry,
  ) {}

  /** An idle node makes no blocks, so it counts only while there is something to put in one. */
  @HealthMetric('last_block_time', { warn: 5, critical: 30, unit: 's overdue' })
  lastBlockTime(): number {
    return (Date.now() - this.producer.upToDateAt) / 1_000;
  }

  @HealthMetric('blocks_produced', { unit: 'blocks' })
  blocksProduced(): number {
    return this.chain.tip.height;
  }

  @HealthMetric('throughput', { unit: 'transactions/s' })
  throughput(): number {
    const { by, seconds } = this.executed.to(this.banking.statistics.executed);
    return seconds > 0 ? by / seconds : 0;
  }

  /** The services that it talks to and is not kept from: here there is one. Its breaker takes the points. */
  @HealthMetric('peers', { unit: 'services in reach' })
  peers(): number {
    const { state } = this.upstream;
    return state === 'open' || state === 'isolated' ? 0 : 1;
  }

  @HealthMetric('mempool_size', { warn: 5_000, critical: 9_000, unit: 'transactions' })
  mempoolSize(): number {
    return this.mempool.size;
  }

  /** Accepted without compliance; they are looked at when it is back. */
  @HealthMetric('unreviewed', { unit: 'transactions' })
  unreviewed(): number {
    return this.banking.unreviewed.length;
  }

  /** Of the questions to compliance since it was last read. */
  @HealthMetric('error_rate', { warn: 0.1, critical: 0.5, unit: 'share of quotes' })
  errorRate(): number {
    const { success, failure } = this.upstream.snapshot().counters;
    const unanswered = this.unanswered.to(failure).by;
    const asked = this.asked.to(success + failure).by;
    return asked === 0 ? 0 : unanswered / asked;
  }

  private get upstream() {
    const reader = this.registry.breakers.reader('FeesClient.quote');
    if (reader === undefined) throw new Error('the fees client has no breaker');
    return reader;
  }
}
