import type { Quote } from '../../../../sample/banking-stage/src/fees/quote.js';
import { TransactionRefusedError } from '../../../../sample/banking-stage/src/transaction/transaction-refused.error.js';
import { transactionId } from '../../../../sample/banking-stage/src/transaction/transaction.js';
import type { Transaction } from '../../../../sample/banking-stage/src/transaction/transaction.js';
import { alice, bob, carol, pay, validator } from '../people.js';
import { smallWorld, stateOf } from '../small-world.js';
import type { World } from '../small-world.js';

async function refusal(promise: Promise<unknown>): Promise<TransactionRefusedError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof TransactionRefusedError) return error;
  throw new Error(`was not refused: ${String(error)}`);
}

describe('banking stage', () => {
  it('begins with the allocations in block 0, once', async () => {
    const { banking, chain, ledger } = await smallWorld();

    await banking.onModuleInit();

    expect(chain.allBlocks()).toHaveLength(1);
    expect(ledger.balance(alice.address)).toBe(1_000);
  });

  it('accepts a transaction into the mempool, with the fee that was quoted', async () => {
    const { banking, mempool, quotes } = await smallWorld();
    quotes.next = { fee: 3, verdict: 'cleared' };
    const sent = pay(alice, bob, 10);

    const receipt = await banking.submit(sent);

    expect(receipt).toMatchObject({ id: transactionId(sent), fee: 3, verdict: 'cleared' });
    expect(mempool.reservedBy(alice.address)).toBe(13);
  });

  it('puts what is pending into one block, in order, and empties the mempool', async () => {
    const { banking, chain, ledger, mempool } = await smallWorld();
    const sent = [pay(alice, bob, 10), pay(bob, carol, 20), pay(alice, carol, 30)];
    for (const one of sent) await banking.submit(one);

    const block = await banking.produceBlock(5);

    expect(block?.entries.map(({ id }) => id)).toEqual(sent.map(transactionId));
    expect(chain.tip).toBe(block);
    expect(block?.parent).toBe(chain.blockAt(0)?.hash);
    expect(mempool.size).toBe(0);
    expect(ledger.balance(alice.address)).toBe(1_000 - 40 - 2);
    expect(ledger.balance(carol.address)).toBe(50);
    expect(ledger.balance(validator.address)).toBe(3);
  });

  it('makes no block of nothing', async () => {
    const { banking, chain } = await smallWorld();

    expect(await banking.produceBlock(5)).toBeUndefined();
    expect(chain.tip.height).toBe(0);
  });

  it('leaves for the next block what does not fit into this one', async () => {
    const { banking, mempool } = await smallWorld({ maxBlockEntries: 2 });
    for (const amount of [1, 2, 3]) await banking.submit(pay(alice, bob, amount));

    expect((await banking.produceBlock(5))?.entries).toHaveLength(2);
    expect(mempool.size).toBe(1);
    expect((await banking.produceBlock(6))?.entries).toHaveLength(1);
  });

  it('makes no block older than its parent when the clock is set back', async () => {
    const { banking } = await smallWorld();
    await banking.submit(pay(alice, bob, 1));
    await banking.produceBlock(500);
    await banking.submit(pay(alice, bob, 2));

    expect((await banking.produceBlock(400))?.timestamp).toBe(500);
  });

  it('makes the same chain of the same transactions at the same times', async () => {
    const sent = [pay(alice, bob, 10), pay(bob, carol, 20)];
    const run = async (): Promise<string> => {
      const { banking, chain } = await smallWorld();
      for (const one of sent) await banking.submit(one);
      await banking.produceBlock(5);
      return chain.tip.hash;
    };

    expect(await run()).toBe(await run());
  });
});

describe('banking stage refuses, and stays as it was', () => {
  const accepted = pay(alice, bob, 100);
  const confirmed = pay(alice, bob, 50);

  async function busyWorld(): Promise<World> {
    const world = await smallWorld();
    await world.banking.submit(confirmed);
    await world.banking.produceBlock(5);
    await world.banking.submit(accepted);
    return world;
  }

  const { signature: _, ...unsigned } = pay(alice, bob, 1);

  it.each<[string, unknown, string]>([
    ['garbage', 'garbage', 'malformed'],
    ['a fraction', { ...pay(alice, bob, 1), amount: 0.1 }, 'malformed'],
    ['an unsigned transaction', unsigned, 'unsigned'],
    ['a forged one', { ...pay(alice, bob, 1), amount: 2 }, 'bad-signature'],
    ['one that is pending', accepted, 'replayed'],
    ['one that is in the chain', confirmed, 'replayed'],
    ['a pending one with its fields in another order', reversed(accepted), 'replayed'],
    ['more than the sender owns', pay(alice, bob, 5_000), 'insufficient-funds'],
    ['more than is left beside what is pending', pay(alice, bob, 849), 'insufficient-funds'],
    ['a sender nobody has heard of', pay(carol, bob, 1), 'insufficient-funds'],
  ])('%s', async (_, input, reason) => {
    const world = await busyWorld();
    const before = stateOf(world);

    expect((await refusal(world.banking.submit(input))).reason).toBe(reason);

    expect(stateOf(world)).toEqual(before);
    expect(world.quotes.asked).toBeLessThanOrEqual(3);
  });

  it.each<[string, Quote, string]>([
    ['what compliance blocks', { fee: 1, verdict: 'blocked' }, 'compliance-refused'],
    ['a fee that the sender did not sign', { fee: 11, verdict: 'cleared' }, 'fee-above-maximum'],
  ])('%s', async (_, quote, reason) => {
    const world = await busyWorld();
    const before = stateOf(world);
    world.quotes.next = quote;

    expect((await refusal(world.banking.submit(pay(alice, bob, 1)))).reason).toBe(reason);

    expect(stateOf(world)).toEqual(before);
  });

  it('the last unit, when the fee does not fit beside it', async () => {
    const { banking, ledger } = await smallWorld();
    const all = ledger.balance(bob.address);

    const refused = await refusal(banking.submit(pay(bob, alice, all)));

    expect(refused.facts).toEqual({ available: 500, needed: 501 });
    await expect(banking.submit(pay(bob, alice, all - 1))).resolves.toMatchObject({ fee: 1 });
  });

  it('a transaction when too many are pending', async () => {
    const { banking } = await smallWorld({ maxPending: 2 });
    await banking.submit(pay(alice, bob, 1));
    await banking.submit(pay(alice, bob, 2));

    expect((await refusal(banking.submit(pay(alice, bob, 3)))).reason).toBe('mempool-full');
  });

  it('the second of two that spend the same money while both wait for their quote', async () => {
    const world = await smallWorld();
    const both = [pay(bob, alice, 300), pay(bob, carol, 300)];

    const outcomes = await Promise.allSettled(both.map((one) => world.banking.submit(one)));

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(world.mempool.reservedBy(bob.address)).toBe(301);
  });

  it('the second of two that are the same transaction at the same moment', async () => {
    const world = await smallWorld();
    const one = pay(bob, alice, 10);

    const outcomes = await Promise.allSettled([
      world.banking.submit(one),
      world.banking.submit(one),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(world.mempool.size).toBe(1);
  });

  it('all but one of many that are the same, with one remote call for them all', async () => {
    const world = await smallWorld();
    const one = pay(bob, alice, 10);

    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => world.banking.submit(one)),
    );

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.slice(1)).toEqual(
      Array(19).fill({
        status: 'rejected',
        reason: expect.objectContaining({ reason: 'replayed' }),
      }),
    );
    expect(world.quotes.asked).toBe(1);
  });

  it('many that are the same for one reason, and takes it up anew afterwards', async () => {
    const world = await smallWorld();
    const one = pay(bob, alice, 10);
    world.quotes.next = { fee: 11, verdict: 'cleared' };

    const outcomes = await Promise.allSettled([1, 2].map(() => world.banking.submit(one)));

    const dear = {
      status: 'rejected',
      reason: expect.objectContaining({ reason: 'fee-above-maximum' }),
    };
    expect(outcomes).toEqual([dear, dear]);
    expect(world.quotes.asked).toBe(1);
    world.quotes.next = { fee: 1, verdict: 'cleared' };
    await expect(world.banking.submit(one)).resolves.toMatchObject({ fee: 1 });
  });

  it('without asking upstream, where it can know without', async () => {
    const world = await smallWorld();

    await refusal(world.banking.submit(pay(carol, bob, 1)));
    await refusal(world.banking.submit('garbage'));

    expect(world.quotes.asked).toBe(0);
  });
});

function reversed(transaction: Transaction): unknown {
  return Object.fromEntries(Object.entries(transaction).toReversed());
}
