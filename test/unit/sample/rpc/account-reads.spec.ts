import { Test } from '@nestjs/testing';
import { CheckpointError, CheckpointService, ResilienceModule } from 'nestjs-bulwark';
import { FakeClock, withFakes } from 'nestjs-bulwark/testing';
import { Ledger } from '../../../../sample/banking-stage/src/ledger/ledger.js';
import { Mempool } from '../../../../sample/banking-stage/src/mempool/mempool.js';
import { AccountReads } from '../../../../sample/banking-stage/src/rpc/account.reads.js';
import { alice, bob } from '../people.js';

let clock: FakeClock;
let balance: number;
/** What the disk answers with, if it does not answer. */
let away: Error | undefined;
let flushed: number;
let reads: AccountReads;

const fenced = new CheckpointError('CHECKPOINT_FENCED', 'a sync failed');

beforeEach(async () => {
  clock = new FakeClock();
  [balance, away, flushed] = [70, undefined, 0];
  const builder = Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ health: false, recovery: false })],
    providers: [
      AccountReads,
      {
        provide: Ledger,
        useValue: {
          account: () => ({ balance, head: 0, tail: 1, sent: 3 }),
          outputsOf: () => [['genesis:0', { owner: alice.address, amount: balance }]],
        },
      },
      { provide: Mempool, useValue: { reservedBy: () => 20 } },
      {
        provide: CheckpointService,
        useValue: {
          flush: async () => {
            flushed++;
            if (away) throw away;
          },
        },
      },
    ],
  });
  const app = await withFakes(builder, { clock }).compile();
  await app.init();
  reads = app.get(AccountReads);
});

async function inTime<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  await clock.advance(5_000);
  return promise;
}

describe('an account', () => {
  it('is told as it is on disk', async () => {
    expect(await inTime(reads.get(alice.address))).toEqual({
      address: alice.address,
      balance: 70,
      reserved: 20,
      available: 50,
      sent: 3,
      outputCount: 1,
      outputs: [{ id: 'genesis:0', amount: 70 }],
    });
  });

  it('is told as it last was, and marked, while the disk takes nothing', async () => {
    await inTime(reads.get(alice.address));
    away = fenced;
    balance = 60;

    expect(await inTime(reads.get(alice.address))).toMatchObject({ balance: 70, stale: true });
    // three attempts, and not one more
    expect(flushed).toBe(1 + 3);

    away = undefined;
    const fresh = await inTime(reads.get(alice.address));
    expect(fresh).toMatchObject({ balance: 60 });
    expect(fresh).not.toHaveProperty('stale');
  });

  it('is not asked for again and again: the breaker says that the disk is away', async () => {
    await inTime(reads.get(alice.address));
    away = fenced;
    for (let n = 0; n < 2; n++) await inTime(reads.get(alice.address));
    const before = flushed;

    const answers = await Promise.all(
      Array.from({ length: 100 }, () => inTime(reads.get(alice.address))),
    );

    expect(answers.every(({ stale }) => stale)).toBe(true);
    expect(flushed - before).toBeLessThan(20);
  });

  it('is not made up where it was never told', async () => {
    away = fenced;

    await expect(inTime(reads.get(bob.address))).rejects.toThrow('a sync failed');
  });
});
