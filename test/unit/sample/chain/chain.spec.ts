import {
  blockHash,
  executeOrders,
  genesis,
  sealed,
} from '../../../../sample/banking-stage/src/chain/block.js';
import type { Block, BlockContent } from '../../../../sample/banking-stage/src/chain/block.js';
import { Chain } from '../../../../sample/banking-stage/src/chain/chain.js';
import { Ledger } from '../../../../sample/banking-stage/src/ledger/ledger.js';
import { alice, bob, order, pay, validator } from '../people.js';

const first = genesis([{ owner: alice.address, amount: 100 }], validator.address);

function blockAfter(parent: Block, content: Partial<BlockContent> = {}): Block {
  return sealed({
    height: parent.height + 1,
    parent: parent.hash,
    timestamp: 7,
    validator: validator.address,
    allocations: [],
    entries: [],
    ...content,
  });
}

function blockWithPayment(): Block {
  const ledger = new Ledger();
  executeOrders(ledger, first, []);
  const content = { height: 1, validator: validator.address, allocations: [] };
  return blockAfter(first, {
    entries: executeOrders(ledger, content, [order(pay(alice, bob, 5))]),
  });
}

describe('block', () => {
  it('has a hash that depends on everything in it', () => {
    const block = blockWithPayment();
    const changes: Partial<BlockContent>[] = [
      { height: 2 },
      { parent: 'f'.repeat(64) },
      { timestamp: 8 },
      { validator: bob.address },
      { allocations: [{ owner: bob.address, amount: 1 }] },
      { entries: [] },
      { entries: block.entries.map((entry) => ({ ...entry, fee: entry.fee + 1 })) },
      { entries: block.entries.map((entry) => ({ ...entry, inputs: [] })) },
    ];

    for (const change of changes) expect(blockHash({ ...block, ...change })).not.toBe(block.hash);
    expect(blockHash({ ...block })).toBe(block.hash);
  });

  it('starts the same chain from the same allocations', () => {
    expect(genesis(first.allocations, validator.address)).toEqual(first);
  });

  it('gives its fees to the validator as one coin', () => {
    const ledger = new Ledger();
    executeOrders(ledger, first, []);
    const block = { height: 1, validator: validator.address, allocations: [] };

    executeOrders(ledger, block, [order(pay(alice, bob, 5), 2), order(pay(alice, bob, 6), 3)]);

    expect([...ledger.outputsOf(validator.address)]).toEqual([
      ['fees@1:0', { owner: validator.address, amount: 5 }],
    ]);
  });
});

describe('chain', () => {
  it('has no tip before genesis', () => {
    expect(new Chain().isEmpty).toBe(true);
    expect(() => new Chain().tip).toThrow('no genesis');
  });

  it('finds a transaction by its id, with its place', async () => {
    const chain = new Chain();
    const block = blockWithPayment();
    await chain.append(first);
    await chain.append(block);
    const [entry] = block.entries;

    expect(chain.tip).toBe(block);
    expect(chain.find(entry!.id)).toEqual({ height: 1, position: 0, entry });
    expect(chain.find('f'.repeat(64))).toBeUndefined();
    expect(chain.transactionCount).toBe(1);
  });

  it.each([
    ['a gap', () => blockAfter(first, { height: 2 }), '1 is next'],
    ['another parent', () => blockAfter(first, { parent: 'f'.repeat(64) }), 'another parent'],
    ['genesis again', () => first, '1 is next'],
  ])('refuses %s and stays as it was', async (_, block, message) => {
    const chain = new Chain();
    await chain.append(first);

    await expect(chain.append(block())).rejects.toThrow(message);
    expect(chain.tip).toBe(first);
  });

  it('refuses a transaction that it already has', async () => {
    const chain = new Chain();
    const block = blockWithPayment();
    await chain.append(first);
    await chain.append(block);

    const again = blockAfter(block, { entries: block.entries });
    await expect(chain.append(again)).rejects.toThrow('already in');
    expect(chain.tip).toBe(block);
  });
});
