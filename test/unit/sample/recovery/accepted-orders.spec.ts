import { AcceptedOrders } from '../../../../sample/banking-stage/src/recovery/accepted-orders.js';
import type { PendingOrder } from '../../../../sample/banking-stage/src/mempool/pending-order.js';
import { alice, bob, carol, pay } from '../people.js';
import { roomsOf } from '../integrity/corruptions.js';
import { smallWorld } from '../small-world.js';
import type { World } from '../small-world.js';

function keeperOf({ banking, chain, mempool }: World): AcceptedOrders {
  return new AcceptedOrders(banking, chain, mempool);
}

/** Money that goes from hand to hand over three blocks, and two payments that wait. */
async function busyWorld(): Promise<World> {
  const world = await smallWorld();
  for (const [from, to, amount] of [
    [alice, carol, 900],
    [carol, bob, 800],
    [bob, alice, 1_200],
  ] as const) {
    await world.banking.submit(pay(from, to, amount));
    await world.banking.produceBlock(1);
  }
  await world.banking.submit(pay(alice, bob, 1_000));
  await world.banking.submit(pay(carol, bob, 50));
  return world;
}

async function settled({ banking, ledger }: World): Promise<number[]> {
  await banking.produceBlock(2);
  return [alice, bob, carol].map(({ address }) => ledger.balance(address));
}

describe('accepted orders', () => {
  it('survive a restore that has lost them, blocks and all, and are executed once', async () => {
    const before = await busyWorld();
    const carried = keeperOf(before).beforeRestore();
    const restored = await smallWorld();

    const taken = await keeperOf(restored).afterRestore(carried);

    expect(taken).toEqual({ accepted: 5, refused: [] });
    expect(await settled(restored)).toEqual(await settled(before));
    expect(restored.chain.transactionCount).toBe(5);
    expect(restored.integrity.all()).toEqual([]);
    expect(await keeperOf(restored).afterRestore(carried)).toEqual({ accepted: 0, refused: [] });
  });

  it('keep what their receipts say', async () => {
    const before = await busyWorld();
    const restored = await smallWorld();

    await keeperOf(restored).afterRestore(keeperOf(before).beforeRestore());

    const last = before.mempool.oldest(2).at(-1)!;
    expect(restored.mempool.find(last.id)).toEqual(last);
  });

  it('are told apart from the rot around them', async () => {
    const before = await busyWorld();
    const { blocks, pending } = roomsOf(before);
    blocks[1] = null as never;
    const [first, second] = before.mempool.oldest(2) as [PendingOrder, PendingOrder];
    pending.set(first.id, null);
    pending.set(second.id, { ...second, fee: -1 });
    const restored = await smallWorld();

    const taken = await keeperOf(restored).afterRestore(keeperOf(before).beforeRestore());

    // Of the blocks two are readable; without the first, Carol has nothing to pay with.
    expect(taken.accepted).toBe(0);
    expect(taken.refused).toHaveLength(3);
    expect(restored.integrity.all()).toEqual([]);
  });
});
