import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import {
  type PolicyOverrides,
  type RecoveryConfig,
  ResilienceModule,
  seconds,
} from 'nestjs-bulwark';
import { BankingStage } from './banking/banking-stage.js';
import { StoreWatch } from './banking/store-watch.js';
import { Chain } from './chain/chain.js';
import { CLUSTER_PARTS, SINGLE_PARTS } from './cluster/cluster.parts.js';
import { FeesClient } from './fees/fees.client.js';
import { Integrity } from './integrity/integrity.js';
import { Ledger } from './ledger/ledger.js';
import { Mempool } from './mempool/mempool.js';
import { NodeMetrics } from './metrics/node.metrics.js';
import { AcceptedOrders } from './recovery/accepted-orders.js';
import { OutsideBlocks } from './recovery/outside-blocks.js';
import { UpstreamLink } from './recovery/upstream-link.js';
import { UpstreamWatch } from './recovery/upstream-watch.js';
import { AccountReads } from './rpc/account.reads.js';
import { ClientLimit } from './rpc/client-limit.js';
import { RpcController } from './rpc/rpc.controller.js';
import { RpcMethods } from './rpc/rpc.methods.js';
import { NodeSettings } from './settings.js';

@Module({})
export class AppModule {
  static forRoot(settings: NodeSettings): DynamicModule {
    const parts = settings.cluster ? CLUSTER_PARTS : SINGLE_PARTS;
    return {
      module: AppModule,
      imports: [
        ResilienceModule.forRoot({
          checkpoint: { directory: settings.dataDirectory, verify: settings.verify },
          enabled: settings.enabled ?? true,
          policies: policiesOf(settings),
          health: { details: 'always' },
          recovery: recoveryOf(settings),
          lint: {
            suppress: [
              {
                code: 'TOTAL_TIMEOUT_TOO_SHORT',
                target: 'FeesClient.quote',
                reason: 'five attempts are for errors that come at once; two slow ones are enough',
              },
            ],
          },
        }),
      ],
      controllers: [RpcController, ...parts.controllers],
      providers: [
        { provide: NodeSettings, useValue: settings },
        Ledger,
        Mempool,
        Chain,
        FeesClient,
        BankingStage,
        StoreWatch,
        NodeMetrics,
        RpcMethods,
        AccountReads,
        ClientLimit,
        Integrity,
        AcceptedOrders,
        UpstreamLink,
        UpstreamWatch,
        OutsideBlocks,
        ...parts.providers,
      ],
    };
  }
}

/** What differs from node to node, over what the decorators say. */
function policiesOf({
  requestsPerSecond: limit,
  cluster,
}: NodeSettings): Record<string, PolicyOverrides> {
  return {
    'ClientLimit.admit': { rateLimit: { limit, burst: 2 * limit } },
    ...(cluster && { 'PeerClient.ask': { timeLimit: cluster.peerTimeout } }),
  };
}

/** What can be looked at and done at /recovery. One person looks after a sample, so one token is enough. */
function recoveryOf({ recoveryToken }: NodeSettings): RecoveryConfig {
  return {
    ...(recoveryToken !== undefined && { access: { tokens: { danger: recoveryToken } } }),
    danger: ['restore', 'fix', 'shutdown', 'delete'],
    loopbackOnly: true,
    // A block takes less, and so does a payment: who waits longer waits in vain.
    shutdown: { grace: seconds(3) },
  };
}
