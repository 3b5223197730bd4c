import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ResilienceModule } from 'nestjs-bulwark';
import { MemoryCheckpointStore } from 'nestjs-bulwark/testing';
import { BankingStage } from '../../../../sample/banking-stage/src/banking/banking-stage.js';
import { Chain } from '../../../../sample/banking-stage/src/chain/chain.js';
import type { Block } from '../../../../sample/banking-stage/src/chain/block.js';
import { CertificatesCheck } from '../../../../sample/banking-stage/src/cluster/certificates.check.js';
import { Decisions } from '../../../../sample/banking-stage/src/cluster/decisions.js';
import { Members } from '../../../../sample/banking-stage/src/cluster/members.js';
import { Settled } from '../../../../sample/banking-stage/src/cluster/settled.js';
import { SharedBlocks } from '../../../../sample/banking-stage/src/cluster/shared-blocks.js';
import { ValidatorDesk } from '../../../../sample/banking-stage/src/cluster/validator.js';
import { VotingBooth } from '../../../../sample/banking-stage/src/cluster/voting-booth.js';
import { signVote } from '../../../../sample/banking-stage/src/consensus/certificate.js';
import type { Slot } from '../../../../sample/banking-stage/src/consensus/voting.js';
import { FeesClient } from '../../../../sample/banking-stage/src/fees/fees.client.js';
import { Integrity } from '../../../../sample/banking-stage/src/integrity/integrity.js';
import { keyPairFrom } from '../../../../sample/banking-stage/src/keys/key-pair.js';
import { Ledger } from '../../../../sample/banking-stage/src/ledger/ledger.js';
import { Mempool } from '../../../../sample/banking-stage/src/mempool/mempool.js';
import {
  CLUSTER_DEFAULTS,
  NodeSettings,
  SETTINGS_DEFAULTS,
} from '../../../../sample/banking-stage/src/settings.js';
import { alice, bob, validator } from '../people.js';

export const validatorKeys = ['one', 'two', 'three'].map((name) => keyPairFrom(`test/${name}`));
const NAMES = ['one', 'two', 'three'];

/** One validator of three, without its network: what the others say comes from the test. */
export async function clusterNode(
  place: number,
  store = new MemoryCheckpointStore(),
  given?: string,
) {
  const dataDirectory = given ?? (await mkdtemp(join(tmpdir(), 'banking-validator-')));
  const settings: NodeSettings = {
    ...SETTINGS_DEFAULTS,
    upstreamUrl: 'none',
    dataDirectory: join(dataDirectory, 'store'),
    allocations: [alice, bob].map(({ address }) => ({ owner: address, amount: 1_000 })),
    validator: validator.address,
    cluster: {
      ...CLUSTER_DEFAULTS,
      self: NAMES[place]!,
      secret: `test/${NAMES[place]}`,
      validators: NAMES.map((name, at) => ({
        name,
        address: validatorKeys[at]!.address,
        url: 'none',
      })),
    },
  };
  @Module({})
  class World {}
  const app = await Test.createTestingModule({
    imports: [
      ResilienceModule.forRoot({ health: false, recovery: false, checkpoint: { store } }),
      {
        module: World,
        providers: [
          { provide: NodeSettings, useValue: settings },
          {
            provide: FeesClient,
            useValue: { quote: async () => ({ fee: 1, verdict: 'cleared' }) },
          },
          ...[Ledger, Mempool, Chain, BankingStage, Integrity],
          ...[
            CertificatesCheck,
            Members,
            VotingBooth,
            SharedBlocks,
            Settled,
            Decisions,
            ValidatorDesk,
          ],
        ],
      },
    ],
  }).compile();
  app.useLogger(false);
  await app.init();
  const of = <T>(type: new (...args: never[]) => T): T => app.get(type, { strict: false });
  return {
    app,
    directory: dataDirectory,
    leave: () => rm(dataDirectory, { recursive: true, force: true }),
    banking: of(BankingStage),
    blocks: of(SharedBlocks),
    booth: of(VotingBooth),
    certificates: of(CertificatesCheck),
    chain: of(Chain),
    decisions: of(Decisions),
    desk: of(ValidatorDesk),
    integrity: of(Integrity),
    ledger: of(Ledger),
    mempool: of(Mempool),
  };
}

export type ClusterNode = Awaited<ReturnType<typeof clusterNode>>;

/** What says that the first two validators voted for a block. */
export function certified(block: Block, round = 0) {
  const slot: Slot = { height: block.height, round };
  const votes = validatorKeys.slice(0, 2).map((keys) => signVote(slot, block.hash, keys));
  return { block, certificate: { ...slot, hash: block.hash, votes } };
}
