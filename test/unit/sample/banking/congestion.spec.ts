import { TransactionRefusedError } from '../../../../sample/banking-stage/src/transaction/transaction-refused.error.js';
import type { Transaction } from '../../../../sample/banking-stage/src/transaction/transaction.js';
import { alice, bob, carol, order, pay } from '../people.js';
import { smallWorld } from '../small-world.js';
import type { World } from '../small-world.js';

async function reasonOf({ banking }: World, sent: Transaction): Promise<string> {
  return banking.submit(sent).then(
    () => 'accepted',
    (error: TransactionRefusedError) => error.reason,
  );
}

async function sendMany(world: World, count: number): Promise<string[]> {
  const reasons: string[] = [];
  for (let n = 0; n < count; n++) reasons.push(await reasonOf(world, pay(alice, bob, 1)));
  return reasons;
}

describe('a node with too many pending transactions', () => {
  it('refuses new ones until clearly fewer wait, and then accepts again', async () => {
    const world = await smallWorld({ maxPending: 4, resumePending: 2, maxBlockEntries: 1 });
    expect(await sendMany(world, 6)).toEqual([
      ...Array<string>(4).fill('accepted'),
      'mempool-full',
      'mempool-full',
    ]);

    await world.banking.produceBlock(1);
    expect([world.mempool.size, ...(await sendMany(world, 1))]).toEqual([3, 'mempool-full']);
    await world.banking.produceBlock(2);

    expect([world.mempool.size, ...(await sendMany(world, 3))]).toEqual([
      ...[2, 'accepted', 'accepted', 'mempool-full'],
    ]);
    expect(world.integrity.all()).toEqual([]);
  });

  it('says how many wait, and at how many it goes on', async () => {
    const world = await smallWorld({ maxPending: 2, resumePending: 1 });
    await sendMany(world, 2);

    const refused = await world.banking.submit(pay(alice, bob, 1)).catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(TransactionRefusedError);
    expect((refused as TransactionRefusedError).facts).toEqual({ pending: 2, resumesAt: 1 });
  });

  it('goes on below the limit, where the lower mark is set above it by mistake', async () => {
    const world = await smallWorld({ maxPending: 2, resumePending: 99 });
    expect(await sendMany(world, 3)).toEqual(['accepted', 'accepted', 'mempool-full']);
    expect(await sendMany(world, 1)).toEqual(['mempool-full']);

    await world.banking.produceBlock(1);

    expect(await sendMany(world, 1)).toEqual(['accepted']);
  });

  it('clears those whose time is over, and none that may still be in a block', async () => {
    const world = await smallWorld({ maxPending: 2, maxBlockEntries: 1, pendingFor: 1_000 });
    world.quotes.next = { fee: 1, verdict: 'provisional' };
    const [first, second] = [pay(alice, bob, 1), pay(alice, bob, 2)];
    const { validUntil } = await world.banking.submit(first);
    const { id, validUntil: last } = await world.banking.submit(second);

    await world.banking.produceBlock(validUntil);
    expect(world.chain.transactionCount).toBe(1);
    await world.banking.produceBlock(last + 1);

    expect(world.chain.transactionCount).toBe(1);
    expect([world.mempool.size, world.mempool.reservedBy(alice.address)]).toEqual([0, 0]);
    expect(world.mempool.expiryOf(id)).toBe(last);
    expect(world.banking.statistics).toEqual({
      ...{ accepted: 2, provisional: 1, executed: 1, expired: 1 },
    });
    const { asked } = world.quotes;
    expect(await reasonOf(world, second)).toBe('expired');
    expect(world.quotes.asked).toBe(asked);
    expect(await reasonOf(world, pay(alice, bob, 2))).toBe('accepted');
    expect(world.integrity.all()).toEqual([]);
  });

  it('tells with the receipt until when it is valid', async () => {
    const { banking, settings } = await smallWorld();
    const before = Date.now() + settings.pendingFor;

    const { validUntil } = await banking.submit(pay(alice, bob, 1));

    expect(validUntil).toBeGreaterThanOrEqual(before);
    expect(validUntil).toBeLessThanOrEqual(Date.now() + settings.pendingFor);
  });
});

describe('orders that are taken back', () => {
  it('are accepted once, though the mempool is full, and counted', async () => {
    const world = await smallWorld({ maxPending: 1 });
    await world.banking.submit(pay(alice, bob, 1));
    const [known] = world.mempool.oldest(1);
    const lost = order(pay(alice, bob, 5));

    expect(await world.banking.takeBack([known!, lost, lost], 1)).toEqual([]);

    expect([...world.mempool.allPending().keys()]).toEqual([known!.id, lost.id]);
    expect(world.integrity.all()).toEqual([]);
  });

  it('can pay with what those before them bring', async () => {
    const world = await smallWorld();
    const [first, second] = [order(pay(alice, carol, 100)), order(pay(carol, bob, 90))];

    expect(await world.banking.takeBack([first, second], 7)).toEqual([]);
    await world.banking.produceBlock(8);

    expect(world.ledger.balance(carol.address)).toBe(9);
    expect(world.integrity.all()).toEqual([]);
  });

  it('are given back where they cannot be paid, are no orders, or forged', async () => {
    const world = await smallWorld();
    const poor = order(pay(carol, bob, 90));
    const sound = order(pay(alice, bob, 5));
    const forged = { ...sound, transaction: { ...sound.transaction, amount: 6 } };

    expect(await world.banking.takeBack([poor, forged], 7)).toEqual([poor, forged]);

    expect(world.mempool.size).toBe(0);
  });

  it('stay away where they had expired', async () => {
    const world = await smallWorld();
    const late = { ...order(pay(alice, bob, 5)), validUntil: 5 };
    await world.banking.takeBack([late], 1);
    await world.banking.produceBlock(6);

    expect(await world.banking.takeBack([late], 7)).toEqual([]);

    expect([world.mempool.size, world.chain.transactionCount]).toEqual([0, 0]);
    expect(world.integrity.all()).toEqual([]);
  });
});
