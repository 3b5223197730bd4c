import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { isResilienceRejection, ResilienceModule, ResilienceRegistry } from 'nestjs-bulwark';
import { FakeClock, MemoryCheckpointStore, withFakes } from 'nestjs-bulwark/testing';
import {
  BankingStage,
  type Receipt,
} from '../../../../sample/banking-stage/src/banking/banking-stage.js';
import { Chain } from '../../../../sample/banking-stage/src/chain/chain.js';
import { FeesClient } from '../../../../sample/banking-stage/src/fees/fees.client.js';
import type { Quote } from '../../../../sample/banking-stage/src/fees/quote.js';
import { Ledger } from '../../../../sample/banking-stage/src/ledger/ledger.js';
import { Mempool } from '../../../../sample/banking-stage/src/mempool/mempool.js';
import { NodeSettings, SETTINGS_DEFAULTS } from '../../../../sample/banking-stage/src/settings.js';
import { alice, bob, pay, validator } from '../people.js';

const CLEARED: Quote = { fee: 1, verdict: 'cleared' };

let clock: FakeClock;

/** The real fees client and the real banking stage; only the network, and time, are the test's. */
async function world(ask: () => Promise<Quote>) {
  const settings: NodeSettings = {
    ...SETTINGS_DEFAULTS,
    upstreamUrl: 'none',
    dataDirectory: 'the store',
    allocations: [{ owner: alice.address, amount: 1_000_000 }],
    validator: validator.address,
  };
  const store = new MemoryCheckpointStore();
  @Module({})
  class World {}
  const builder = Test.createTestingModule({
    imports: [
      ResilienceModule.forRoot({
        health: false,
        recovery: false,
        lint: false,
        checkpoint: { store },
      }),
      {
        module: World,
        providers: [
          { provide: NodeSettings, useValue: settings },
          ...[Ledger, Mempool, Chain, BankingStage, FeesClient],
        ],
      },
    ],
  });
  const app = await withFakes(builder, { clock }).compile();
  await app.init();
  app.get(FeesClient, { strict: false }).ask = ask;
  const banking = app.get(BankingStage, { strict: false });
  const { breakers } = app.get(ResilienceRegistry, { strict: false });
  return { app, banking, breaker: breakers.reader('FeesClient.quote')! };
}

type Ending = Receipt['verdict'] | string;

/** How each of them ends, in as much time as they take. */
async function endingsOf(submissions: readonly Promise<Receipt>[]): Promise<Ending[]> {
  const endings: Ending[] = [];
  for (const submission of submissions) {
    submission.then(
      ({ verdict }) => endings.push(verdict),
      (error: unknown) => endings.push(isResilienceRejection(error) ? error.code : String(error)),
    );
  }
  while (endings.length < submissions.length) {
    await clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return endings;
}

const after = (delay: number) => (): Promise<Quote> =>
  new Promise((resolve) => clock.schedule(() => resolve(CLEARED), delay));

beforeEach(() => {
  clock = new FakeClock();
});

describe('a flood of payments', () => {
  // up to just below the time limit of a quote: slower ones are a fault of the service
  it.each([1, 100, 500, 990])(
    'never opens the breaker, and none gets past compliance: a quote takes %i ms',
    async (delay) => {
      const { app, banking, breaker } = await world(after(delay));

      const flood = Array.from({ length: 700 }, () => banking.submit(pay(alice, bob, 1, 100)));
      const endings = await endingsOf(flood);

      const kinds = new Set(endings);
      expect(kinds).toContain('BULKHEAD_FULL');
      for (const other of ['BULKHEAD_FULL', 'BULKHEAD_QUEUE_TIMEOUT']) kinds.delete(other);
      expect(kinds).toEqual(new Set(['cleared']));
      expect(breaker.state).toBe('closed');
      expect(breaker.snapshot().counters).toMatchObject({ failure: 0 });
      await app.close();
    },
  );

  it('never has more questions on the way than the fees client takes at once', async () => {
    let [asking, most] = [0, 0];
    const { app, banking } = await world(async () => {
      most = Math.max(most, ++asking);
      const quote = await after(100)();
      asking--;
      return quote;
    });

    await endingsOf(Array.from({ length: 200 }, () => banking.submit(pay(alice, bob, 1, 100))));

    expect(most).toBe(32);
    await app.close();
  });

  it('is degraded only where the service itself fails eight times in a row', async () => {
    const { app, banking, breaker } = await world(async () => {
      throw Object.assign(new Error('out of order'), { status: 503 });
    });

    const endings = await endingsOf(
      Array.from({ length: 32 }, () => banking.submit(pay(alice, bob, 1, 100))),
    );

    expect(breaker.state).toBe('open');
    expect(endings).toContain('provisional');
    await app.close();
  });
});
