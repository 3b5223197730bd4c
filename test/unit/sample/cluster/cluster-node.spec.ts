import { stat } from 'node:fs/promises';
import { MemoryCheckpointStore } from 'nestjs-bulwark/testing';
import { sealed } from '../../../../sample/banking-stage/src/chain/block.js';
import type { Block } from '../../../../sample/banking-stage/src/chain/block.js';
import { alice, bob, carol, pay } from '../people.js';
import { certified, clusterNode, validatorKeys } from './cluster-node.js';
import type { ClusterNode } from './cluster-node.js';

/** Of height 1 the second validator leads the first round, of height 2 the third. */
const [one, two, three] = validatorKeys.map(({ address }) => address);
const open: ClusterNode[] = [];

async function node(
  place: number,
  store?: MemoryCheckpointStore,
  directory?: string,
): Promise<ClusterNode> {
  const made = await clusterNode(place, store, directory);
  open.push(made);
  return made;
}

/** A block that a node would propose. */
async function blockOf(maker: ClusterNode, amount: number, to = bob): Promise<Block> {
  await maker.banking.submit(pay(alice, to, amount));
  return maker.blocks.draft(5)!;
}

afterEach(async () => {
  for (const { app, integrity, leave } of open.splice(0)) {
    expect(integrity.all()).toEqual([]);
    await app.close();
    await leave();
  }
});

describe('a validator among others', () => {
  it('votes for the block of the leader of a slot, and for nobody else’s', async () => {
    const [maker, voter] = [await node(1), await node(0)];
    const block = await blockOf(maker, 10);
    const slot = { height: 1, round: 0 };

    expect(await voter.desk.vote(slot, block, three)).toMatchObject({ ok: false });
    expect(await voter.desk.vote({ height: 1, round: 1 }, block, two)).toMatchObject({ ok: false });
    expect(await voter.desk.vote(slot, block, two)).toMatchObject({ ok: true, vote: { by: one } });
  });

  it('votes once in a round, also after a restart', async () => {
    const store = new MemoryCheckpointStore();
    const [maker, voter] = [await node(1), await node(0, store)];
    const slot = { height: 1, round: 0 };
    const first = await blockOf(maker, 10);
    const second = await blockOf(maker, 20);
    expect(second.hash).not.toBe(first.hash);
    expect(await voter.desk.vote(slot, first, two)).toMatchObject({ ok: true });
    open.splice(open.indexOf(voter), 1);
    await voter.app.close();
    await voter.leave();

    const again = await node(0, store);

    expect(await again.desk.vote(slot, second, two)).toMatchObject({ ok: false });
    expect(await again.desk.vote(slot, first, two)).toMatchObject({ ok: true });
    expect(again.desk.voted?.hash).toBe(first.hash);
  });

  it('tells the next leader what it voted for, and is done with the rounds below', async () => {
    const [maker, voter] = [await node(1), await node(0)];
    const block = await blockOf(maker, 10);
    await voter.desk.vote({ height: 1, round: 0 }, block, two);

    expect(await voter.desk.promise({ height: 1, round: 1 }, three)).toMatchObject({
      ok: true,
      accepted: { round: 0, block: { hash: block.hash } },
    });
    expect(await voter.desk.vote({ height: 1, round: 0 }, block, two)).toMatchObject({
      ok: false,
      promised: 1,
    });
  });

  it('remembers over a restore what it voted for', async () => {
    const [maker, voter] = [await node(1), await node(0)];
    const slot = { height: 1, round: 0 };
    const [first, second] = [await blockOf(maker, 10), await blockOf(maker, 20)];
    await voter.desk.vote(slot, first, two);

    const carried = await voter.booth.beforeRestore();
    Reflect.set(voter.booth, 'kept', { get: () => ({ height: 1, promised: 0 }), set: () => {} });

    expect(await voter.desk.vote(slot, second, two)).toMatchObject({ ok: false });
    expect(carried.accepted?.block.hash).toBe(first.hash);
  });

  it('remembers it also where it was killed before the restore was done', async () => {
    const [maker, voter] = [await node(1), await node(0)];
    const slot = { height: 1, round: 0 };
    const [first, second] = [await blockOf(maker, 10), await blockOf(maker, 20)];
    await voter.desk.vote(slot, first, two);
    await voter.booth.beforeRestore();

    // what was put back is from before its vote, and nothing was handed back
    const again = await node(0, new MemoryCheckpointStore(), voter.directory);

    expect(await again.desk.vote(slot, second, two)).toMatchObject({ ok: false });
    expect(again.desk.voted?.hash).toBe(first.hash);
    await expect(stat(`${voter.directory}/store.votes`)).rejects.toThrow('ENOENT');
  });

  const forged: [string, (block: Block) => Block][] = [
    ['another hash', (block) => ({ ...block, hash: 'a'.repeat(64) })],
    ['another parent', (block) => sealed({ ...block, parent: 'a'.repeat(64) })],
    ['new money', (block) => sealed({ ...block, allocations: [{ owner: one!, amount: 5 }] })],
    ['nothing in it', (block) => sealed({ ...block, entries: [] })],
    [
      'the same twice',
      (block) => sealed({ ...block, entries: [...block.entries, ...block.entries] }),
    ],
    ['another fee', (block) => withEntry(block, { fee: 0 })],
    ['other coins', (block) => withEntry(block, { outputs: [{ owner: one!, amount: 1_000 }] })],
    ['another receiver', (block) => withTransaction(block, { to: carol.address })],
    ['a future', (block) => sealed({ ...block, timestamp: Date.now() + 3_600_000 })],
    ['a stranger for a maker', (block) => sealed({ ...block, validator: alice.address })],
  ];

  it.each(forged)(
    'neither votes for a block with %s nor takes it, whoever signed it',
    async (_, forge) => {
      const [maker, voter] = [await node(1), await node(0)];
      const block = forge(await blockOf(maker, 10));

      expect(await voter.desk.vote({ height: 1, round: 0 }, block, two)).toMatchObject({
        ok: false,
      });
      await expect(voter.decisions.take(certified(block))).rejects.toThrow();
      expect(voter.chain.tip.height).toBe(0);
    },
  );

  it('takes a block that a majority decided, once, and leaves out what is missing in between', async () => {
    const [maker, taker] = [await node(1), await node(0)];
    const first = certified(await blockOf(maker, 10));
    await maker.decisions.take(first);
    const second = certified(await blockOf(maker, 20), 2);

    expect(await taker.decisions.take(second)).toBe(false);
    expect(await Promise.all([taker.decisions.take(first), taker.decisions.take(first)])).toEqual([
      true,
      true,
    ]);
    expect(await taker.decisions.take(second)).toBe(true);

    expect(
      taker.chain
        .allBlocks()
        .map(({ hash }) => hash)
        .slice(1),
    ).toEqual([first.block.hash, second.block.hash]);
    expect(taker.ledger.balance(bob.address)).toBe(1_030);
    expect(taker.chain.certificateAt(2)).toEqual(second.certificate);
  });

  it('finds a block in its chain that no majority voted for', async () => {
    const [maker, taker] = [await node(1), await node(0)];
    const { block, certificate } = certified(await blockOf(maker, 10));
    const found = (one: ClusterNode): unknown[] =>
      [...one.certificates.certificates()].filter((issue) => issue !== undefined);
    await taker.decisions.take({ block, certificate });
    expect(found(taker)).toEqual([]);

    await maker.banking.adopt(block, { ...certificate, votes: certificate.votes.slice(1) });

    expect(found(maker)).toEqual([{ at: 'block 1', problem: '1 of 3 voted for it' }]);
  });

  it('refuses a second block for a height that has one', async () => {
    const [maker, taker] = [await node(1), await node(0)];
    const [first, second] = [await blockOf(maker, 10), await blockOf(maker, 20)];
    await taker.decisions.take(certified(first));

    await expect(taker.decisions.take(certified(second, 1))).rejects.toThrow('two blocks');
  });

  it('drops what was pending here when a block spends the same money', async () => {
    const [maker, taker] = [await node(1), await node(0)];
    await taker.banking.submit(pay(alice, carol, 900));
    expect(taker.mempool.size).toBe(1);

    await taker.decisions.take(certified(await blockOf(maker, 800)));

    expect(taker.mempool.size).toBe(0);
    expect(taker.banking.statistics).toMatchObject({ accepted: 1, executed: 1 });
    expect(taker.ledger.balance(carol.address)).toBe(0);
  });

  it('keeps what can still be paid beside the block', async () => {
    const [maker, taker] = [await node(1), await node(0)];
    await taker.banking.submit(pay(alice, carol, 100));
    await taker.banking.submit(pay(alice, carol, 700));

    await taker.decisions.take(certified(await blockOf(maker, 300)));

    expect([...taker.mempool.allPending().values()].map((o) => o.transaction.amount)).toEqual([
      100,
    ]);
  });
});

function withEntry(block: Block, change: object): Block {
  return sealed({ ...block, entries: block.entries.map((entry) => ({ ...entry, ...change })) });
}

function withTransaction(block: Block, change: object): Block {
  const entries = block.entries.map((entry) => {
    return { ...entry, transaction: { ...entry.transaction, ...change } };
  });
  return sealed({ ...block, entries });
}
