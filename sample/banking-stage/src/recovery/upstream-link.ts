import { Injectable } from '@nestjs/common';
import { Reconnect, Resync, seconds } from 'nestjs-bulwark';
import { BankingStage } from '../banking/banking-stage.js';
import { Chain } from '../chain/chain.js';
import { FeesClient } from '../fees/fees.client.js';
import { Mempool } from '../mempool/mempool.js';
import { NodeSettings } from '../settings.js';

/** The connection to fees and compliance. While it is cut, small payments go on: see `FeesClient`. */
@Injectable()
export class UpstreamLink {
  constructor(
    private readonly settings: NodeSettings,
    private readonly fees: FeesClient,
    private readonly banking: BankingStage,
    private readonly chain: Chain,
    private readonly mempool: Mempool,
  ) {}

  /** There again is who answers with a quote. */
  @Reconnect('upstream', {
    attempts: 3,
    delay: 200,
    timeout: seconds(2),
    coolDown: seconds(1),
    retryEvery: seconds(2),
  })
  async reconnect(signal: AbortSignal): Promise<void> {
    const { validator } = this.settings;
    await this.fees.ask({ from: validator, to: validator, amount: 1 }, signal);
  }

  /** Compliance looks afterwards at what was accepted without it. */
  @Resync('upstream')
  async review(signal: AbortSignal): Promise<void> {
    for (const id of this.banking.unreviewed) {
      const order = this.chain.find(id)?.entry ?? this.mempool.find(id);
      if (order === undefined) continue;
      const { verdict } = await this.fees.ask(order.transaction, signal);
      await this.banking.review(id, verdict);
    }
  }
}
