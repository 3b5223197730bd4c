import type { CheckpointService } from 'nestjs-bulwark';
import { BankingStage } from '../../../sample/banking-stage/src/banking/banking-stage.js';
import { Chain } from '../../../sample/banking-stage/src/chain/chain.js';
import type { FeesClient } from '../../../sample/banking-stage/src/fees/fees.client.js';
import type { Quote } from '../../../sample/banking-stage/src/fees/quote.js';
import { Integrity } from '../../../sample/banking-stage/src/integrity/integrity.js';
import { Ledger } from '../../../sample/banking-stage/src/ledger/ledger.js';
import { Mempool } from '../../../sample/banking-stage/src/mempool/mempool.js';
import { SETTINGS_DEFAULTS } from '../../../sample/banking-stage/src/settings.js';
import type { NodeSettings } from '../../../sample/banking-stage/src/settings.js';
import { alice, bob, validator } from './people.js';

/** A node without HTTP and without a remote service: the quotes come from the test. */
export async function smallWorld(overrides: Partial<NodeSettings> = {}) {
  const settings: NodeSettings = {
    ...SETTINGS_DEFAULTS,
    upstreamUrl: 'http://127.0.0.1:1',
    dataDirectory: 'none',
    allocations: [
      { owner: alice.address, amount: 1_000 },
      { owner: bob.address, amount: 500 },
    ],
    validator: validator.address,
    ...overrides,
  };
  const quotes = { next: { fee: 1, verdict: 'cleared' } as Quote, asked: 0 };
  const fees = {
    quote: async () => {
      quotes.asked++;
      return quotes.next;
    },
  } as unknown as FeesClient;
  const ledger = new Ledger();
  const mempool = new Mempool();
  const chain = new Chain();
  const checkpoints = { flush: async () => {} } as CheckpointService;
  const banking = new BankingStage(settings, ledger, mempool, chain, fees, checkpoints);
  await banking.onModuleInit();
  const integrity = new Integrity(settings, chain, ledger, mempool, banking);
  return { settings, quotes, ledger, mempool, chain, banking, integrity };
}

/** Everything that a node knows, to compare before and after. */
export function stateOf(world: Pick<World, 'ledger' | 'mempool' | 'chain' | 'banking'>): unknown {
  const { ledger, mempool, chain, banking } = world;
  return structuredClone({
    blocks: chain.allBlocks(),
    places: new Map(chain.allPlaces()),
    outputs: new Map(ledger.allOutputs()),
    coins: new Map(ledger.allCoins()),
    accounts: new Map(ledger.allAccounts()),
    pending: new Map(mempool.allPending()),
    reserved: new Map(mempool.allReserved()),
    statistics: banking.statistics,
  });
}

export type World = Awaited<ReturnType<typeof smallWorld>>;
