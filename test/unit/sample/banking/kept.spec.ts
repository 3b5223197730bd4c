import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { CheckpointService, ResilienceModule } from 'nestjs-bulwark';
import { BankingStage } from '../../../../sample/banking-stage/src/banking/banking-stage.js';
import { Chain } from '../../../../sample/banking-stage/src/chain/chain.js';
import { FeesClient } from '../../../../sample/banking-stage/src/fees/fees.client.js';
import { Integrity } from '../../../../sample/banking-stage/src/integrity/integrity.js';
import { Ledger } from '../../../../sample/banking-stage/src/ledger/ledger.js';
import { Mempool } from '../../../../sample/banking-stage/src/mempool/mempool.js';
import { NodeSettings, SETTINGS_DEFAULTS } from '../../../../sample/banking-stage/src/settings.js';
import { transactionId } from '../../../../sample/banking-stage/src/transaction/transaction.js';
import { Disk, StagedStore } from '../../checkpoint/staged-store.js';
import { alice, bob, pay, validator } from '../people.js';
import { stateOf } from '../small-world.js';

const QUOTE = { fee: 1, verdict: 'cleared' } as const;
const apps: TestingModule[] = [];

/** A node without HTTP, over a disk that outlives it. */
async function start(disk: Disk, owned = 1_000) {
  const settings: NodeSettings = {
    ...SETTINGS_DEFAULTS,
    upstreamUrl: 'none',
    dataDirectory: 'the disk',
    allocations: [{ owner: alice.address, amount: owned }],
    validator: validator.address,
  };
  const store = new StagedStore(disk);
  @Module({})
  class World {}
  const app = await Test.createTestingModule({
    imports: [
      ResilienceModule.forRoot({ health: false, checkpoint: { store, verify: true } }),
      {
        module: World,
        providers: [
          { provide: NodeSettings, useValue: settings },
          { provide: FeesClient, useValue: { quote: async () => QUOTE } },
          ...[Ledger, Mempool, Chain, BankingStage, Integrity],
        ],
        exports: [BankingStage],
      },
    ],
  }).compile();
  apps.push(app);
  await app.init();
  const of = <T>(type: new (...args: never[]) => T): T => app.get(type, { strict: false });
  const banking = of(BankingStage);
  const [ledger, mempool, chain] = [of(Ledger), of(Mempool), of(Chain)];
  const world = { banking, ledger, mempool, chain };
  return { ...world, app, store, integrity: of(Integrity), state: () => stateOf(world) };
}

async function reasonOf(refused: Promise<unknown>): Promise<unknown> {
  return refused.then(
    () => 'accepted',
    (error: { reason?: unknown }) => error.reason,
  );
}

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

describe('what a banking stage keeps', () => {
  it('is what it was, in a node that comes after it without a goodbye', async () => {
    const disk = new Disk();
    const first = await start(disk);
    await first.banking.submit(pay(alice, bob, 10));
    await first.banking.produceBlock(5);
    await first.banking.submit(pay(alice, bob, 20));

    const second = await start(disk);

    expect(second.state()).toEqual(first.state());
    expect(second.banking.statistics).toEqual({
      accepted: 2,
      provisional: 0,
      executed: 1,
      expired: 0,
    });
    expect(second.integrity.all()).toEqual([]);
    expect((await second.banking.produceBlock(6))?.height).toBe(2);
  });

  it('is a whole block, or nothing of it', async () => {
    const world = await start(new Disk());
    await world.banking.submit(pay(alice, bob, 10));
    const before = world.state();
    world.mempool.remove = async () => {
      throw new Error('at the last step');
    };

    await expect(world.banking.produceBlock(5)).rejects.toThrow('at the last step');

    expect(world.state()).toEqual(before);
    expect(world.integrity.all()).toEqual([]);
  });

  it('is on disk when a receipt is given, and not before', async () => {
    const world = await start(new Disk());
    world.store.syncs = false;
    let given = false;
    const receipt = world.banking.submit(pay(alice, bob, 10)).then(() => (given = true));
    for (let n = 0; n < 100; n++) await Promise.resolve();
    expect([given, world.mempool.size]).toEqual([false, 1]);

    world.store.sync();

    expect(await receipt).toBe(true);
  });

  it('is on disk when it is called a replay', async () => {
    const world = await start(new Disk());
    const sent = pay(alice, bob, 10);
    world.store.syncs = false;
    const first = world.banking.submit(sent);
    for (let n = 0; n < 100; n++) await Promise.resolve();
    const synced = world.store.disk.entries.length;

    expect(await reasonOf(world.banking.submit(sent))).toBe('replayed');

    expect(world.store.disk.entries.length).toBe(synced + 1);
    await first;
  });

  it('knows a transaction again after a restart, whether it is in a block or not', async () => {
    const disk = new Disk();
    const first = await start(disk);
    const [one, two] = [pay(alice, bob, 10), pay(alice, bob, 20)];
    await first.banking.submit(one);
    await first.banking.produceBlock(5);
    const receipt = await first.banking.submit(two);

    const second = await start(disk);

    expect(await reasonOf(second.banking.submit(one))).toBe('replayed');
    expect(await reasonOf(second.banking.submit(two))).toBe('replayed');
    // And were it accepted again all the same, nothing would be done again.
    const before = second.state();
    expect(await second.banking.accept(two, { ...QUOTE, fee: 9 })).toEqual(receipt);
    expect(second.state()).toEqual(before);
    expect(receipt.id).toBe(transactionId(two));
  });

  it('is kept by one block at a time, and no payment is spent twice beside it', async () => {
    const world = await start(new Disk());
    const sent = Array.from({ length: 10 }, () => pay(alice, bob, 150));

    const outcomes = Promise.allSettled(
      sent.flatMap((one, n) => [world.banking.submit(one), world.banking.produceBlock(n)]),
    );
    await outcomes;
    await world.banking.produceBlock(99);

    expect(world.ledger.balance(bob.address)).toBe(6 * 150);
    expect(world.integrity.all()).toEqual([]);
  });

  it('makes no block while nothing can be kept, and makes it later', async () => {
    const world = await start(new Disk());
    await world.banking.submit(pay(alice, bob, 10));
    world.store.breaksOpen = new Error('the disk is away');
    world.store.fail();

    expect(await world.banking.produceBlock(5)).toBeUndefined();

    expect(world.mempool.size).toBe(1);
  });

  it('makes no block whose sync failed, and has its payments still', async () => {
    const disk = new Disk();
    const world = await start(disk);
    await world.banking.submit(pay(alice, bob, 10));
    world.store.syncs = false;
    const block = world.banking.produceBlock(5);
    for (let n = 0; n < 100; n++) await Promise.resolve();
    expect(world.chain.tip.height).toBe(1);

    world.store.fail();

    await expect(block).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' });
    const second = await start(disk);
    expect([second.chain.tip.height, second.mempool.size]).toEqual([0, 1]);
  });

  it('is saved when the node is closed', async () => {
    const disk = new Disk();
    const { app } = await start(disk);

    await app.get(CheckpointService).flush();
    await app.close();

    expect([...disk.generations.at(-1)!.keys()].toSorted()).toEqual([
      'banking',
      'chain',
      'ledger',
      'mempool',
    ]);
  });

  it('is not taken over by a node of another chain', async () => {
    const disk = new Disk();
    await start(disk);

    await expect(start(disk, 7)).rejects.toThrow('the disk holds another chain');
  });
});
