import { sealed } from '../../../../sample/banking-stage/src/chain/block.js';
import type { Block, Entry } from '../../../../sample/banking-stage/src/chain/block.js';
import { checkChain } from '../../../../sample/banking-stage/src/integrity/chain.checks.js';
import { alice, bob, carol, order, pay } from '../people.js';
import { smallWorld } from '../small-world.js';
import type { World } from '../small-world.js';

/** Three blocks with two payments each, and one payment pending. */
async function busyWorld(): Promise<World> {
  const world = await smallWorld();
  for (const height of [1, 2, 3]) {
    await world.banking.submit(pay(alice, bob, 10 * height));
    await world.banking.submit(pay(bob, carol, 5 * height));
    await world.banking.produceBlock(height);
  }
  await world.banking.submit(pay(alice, carol, 7));
  return world;
}

/** Changes a block and makes all hashes right again, as a forger would. */
function forge({ chain }: World, at: number, change: (block: Block) => Partial<Block>): void {
  const blocks = chain['blocks'];
  for (const [height, block] of blocks.entries()) {
    if (height < at) continue;
    const parent = (height > 0 && blocks.at(height - 1)?.hash) || block.parent;
    const { hash: _, ...content } = { ...block, parent, ...(height === at ? change(block) : {}) };
    blocks.set(height, sealed(content));
  }
}

function withFirst(block: Block, change: (entry: Entry) => Partial<Entry>): Partial<Block> {
  const [first, ...others] = block.entries;
  return { entries: [{ ...first!, ...change(first!) }, ...others] };
}

function blockOf({ chain }: World, height: number): Block {
  return chain.blockAt(height)!;
}

function replaceBlock({ chain }: World, height: number, change: Partial<Block>): void {
  chain['blocks'].set(height, { ...chain.blockAt(height)!, ...change });
}

const [, second] = [pay(alice, bob, 1), pay(alice, bob, 2)];

describe('integrity', () => {
  it('finds nothing wrong with a sound node', async () => {
    const { integrity, chain } = await busyWorld();

    expect(integrity.all()).toEqual([]);
    expect(checkChain(chain.allBlocks())).toEqual([]);
  });

  it('finds nothing wrong with a node that has just begun', async () => {
    const { integrity } = await smallWorld();

    expect(integrity.all()).toEqual([]);
  });

  it.each<[string, string, (world: World) => void]>([
    ['a changed timestamp', 'hash-integrity', (world) => replaceBlock(world, 2, { timestamp: 9 })],
    [
      'a changed amount',
      'hash-integrity',
      (world) => {
        const { transaction } = blockOf(world, 1).entries[0]!;
        const richer = { ...transaction, amount: 999 };
        replaceBlock(
          world,
          1,
          withFirst(blockOf(world, 1), () => ({ transaction: richer })),
        );
      },
    ],
    [
      'content that has no canonical form',
      'hash-integrity',
      (world) => replaceBlock(world, 1, { timestamp: Number.NaN }),
    ],
    ['a block that is gone', 'chain-continuity', ({ chain }) => void chain['blocks'].splice(2, 1)],
    [
      'two blocks in the wrong order',
      'chain-continuity',
      ({ chain }) => chain['blocks'].push(...chain['blocks'].splice(2, 1)),
    ],
    [
      'another parent, hash and all',
      'chain-continuity',
      ({ chain }) => {
        chain['blocks'].set(2, sealed({ ...chain.blockAt(2)!, parent: 'f'.repeat(64) }));
      },
    ],
    ['a chain without genesis', 'chain-continuity', ({ chain }) => chain['blocks'].splice(0)],
    [
      'a block older than its parent',
      'chain-continuity',
      (world) => forge(world, 3, () => ({ timestamp: 1 })),
    ],
    [
      'an index that misses a transaction',
      'chain-continuity',
      (world) => world.chain['places'].delete(blockOf(world, 1).entries[0]!.id),
    ],
    [
      'an index that points elsewhere',
      'chain-continuity',
      (world) =>
        world.chain['places'].set(blockOf(world, 1).entries[0]!.id, { height: 2, position: 0 }),
    ],
    [
      'an index of something that never was',
      'chain-continuity',
      ({ chain }) => chain['places'].set('f'.repeat(64), { height: 1, position: 0 }),
    ],
    [
      'a forged signature in a block with the right hash',
      'transaction-validity',
      (world) =>
        forge(world, 2, (block) =>
          withFirst(block, ({ transaction }) => ({
            transaction: { ...transaction, signature: second!.signature },
          })),
        ),
    ],
    [
      'a transaction in the chain twice',
      'transaction-validity',
      (world) => forge(world, 3, () => ({ entries: blockOf(world, 2).entries })),
    ],
    [
      'a fee above what the sender signed',
      'transaction-validity',
      (world) => forge(world, 2, (block) => withFirst(block, () => ({ fee: 11 }))),
    ],
    [
      'an id that is not that of the transaction',
      'transaction-validity',
      (world) => forge(world, 2, (block) => withFirst(block, () => ({ id: 'f'.repeat(64) }))),
    ],
    [
      'a verdict that there is not',
      'transaction-validity',
      (world) =>
        forge(world, 2, (block) => withFirst(block, () => ({ verdict: 'fine' as 'cleared' }))),
    ],
    [
      'a block that says it spent other coins',
      'utxo-consistency',
      (world) => forge(world, 2, (block) => withFirst(block, () => ({ inputs: ['genesis:0'] }))),
    ],
    [
      'a block that spends what is not there',
      'utxo-consistency',
      (world) => {
        const entry = { ...order(pay(carol, bob, 100_000)), inputs: [], outputs: [] };
        forge(world, 1, () => ({ entries: [entry] }));
      },
    ],
    [
      'an output that is gone',
      'utxo-consistency',
      ({ ledger }) => ledger['outputs'].delete([...ledger['outputs'].keys()][0]!),
    ],
    [
      'an output that was spent and is back',
      'utxo-consistency',
      ({ ledger }) => ledger['outputs'].set('genesis:0', { owner: alice.address, amount: 1_000 }),
    ],
    [
      'an output that changed hands',
      'utxo-consistency',
      ({ ledger }) => {
        const [id, output] = [...ledger.outputsOf(alice.address)][0]!;
        ledger['outputs'].set(id, { ...output, owner: bob.address });
      },
    ],
    [
      'a coin that fell out of its queue',
      'utxo-consistency',
      ({ ledger }) => ledger['coins'].delete([...ledger['coins'].keys()][0]!),
    ],
    [
      'an account with another count of transactions',
      'utxo-consistency',
      ({ ledger }) =>
        ledger['accounts'].set(alice.address, { ...ledger.account(alice.address), sent: 0 }),
    ],
    [
      'a richer account',
      'supply',
      ({ ledger }) =>
        ledger['accounts'].set(alice.address, { ...ledger.account(alice.address), balance: 9_999 }),
    ],
    [
      'a fatter coin',
      'supply',
      ({ ledger }) => {
        const [id, output] = [...ledger.outputsOf(bob.address)][0]!;
        ledger['outputs'].set(id, { ...output, amount: output.amount + 1 });
      },
    ],
    [
      'money made in a later block',
      'chain-continuity',
      (world) => {
        forge(world, 3, () => ({ allocations: [{ owner: bob.address, amount: 5 }] }));
      },
    ],
    [
      'a reservation for nothing',
      'mempool-consistency',
      ({ mempool }) => mempool['reserved'].set(bob.address, 1),
    ],
    [
      'a reservation that is too small',
      'mempool-consistency',
      ({ mempool }) => mempool['reserved'].set(alice.address, 1),
    ],
    [
      'a pending transaction that is in the chain',
      'mempool-consistency',
      (world) => {
        const { id, transaction, fee, verdict } = blockOf(world, 1).entries[0]!;
        world.mempool.add({ id, transaction, fee, verdict });
      },
    ],
    [
      'a pending transaction under another id',
      'mempool-consistency',
      ({ mempool }) => {
        const [one] = mempool.oldest(1);
        mempool['pending'].delete(one!.id);
        mempool['pending'].set('f'.repeat(64), one!);
      },
    ],
    [
      'more pending than the sender owns',
      'mempool-consistency',
      ({ mempool }) => mempool.add(order(pay(bob, alice, 100_000))),
    ],
  ])('finds %s (%s)', async (_, check, corrupt) => {
    const world = await busyWorld();

    corrupt(world);

    expect(world.integrity.all().map((issue) => issue.check)).toContain(check);
  });
});

describe('integrity of a chain that someone else states', () => {
  it.each<[string, (world: World) => void]>([
    ['a forged transaction', (world) => forge(world, 2, (b) => withFirst(b, () => ({ fee: 0 })))],
    ['money from nowhere', (world) => forge(world, 2, (b) => withFirst(b, moreOut))],
    [
      'a missing tail is no issue, but a missing middle',
      ({ chain }) => chain['blocks'].splice(1, 1),
    ],
  ])('finds %s in the blocks alone', async (_, corrupt) => {
    const world = await busyWorld();

    corrupt(world);

    expect(checkChain(world.chain.allBlocks())).not.toEqual([]);
  });
});

function moreOut({ outputs }: Entry): Partial<Entry> {
  return { outputs: outputs.map((output) => ({ ...output, amount: output.amount + 1 })) };
}
