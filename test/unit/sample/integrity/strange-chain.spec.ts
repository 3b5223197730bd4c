import { sealed } from '../../../../sample/banking-stage/src/chain/block.js';
import type { Block } from '../../../../sample/banking-stage/src/chain/block.js';
import { checkChain } from '../../../../sample/banking-stage/src/integrity/chain.checks.js';
import type { Output } from '../../../../sample/banking-stage/src/ledger/output.js';
import { alice, bob, pay } from '../people.js';
import { smallWorld } from '../small-world.js';

const UNSOUND: [string, Output[]][] = [
  ['less than nothing', [{ owner: alice.address, amount: -5 }]],
  ["to a key that is anyone's", [{ owner: `01${'0'.repeat(62)}`, amount: 5 }]],
  ['to nobody', [{ owner: 'alice', amount: 5 }]],
  [
    'more than can be counted',
    [alice, bob].map(({ address }) => ({ owner: address, amount: Number.MAX_SAFE_INTEGER })),
  ],
];

async function soundChain(): Promise<Block[]> {
  const { banking, chain } = await smallWorld();
  for (const height of [1, 2]) {
    await banking.submit(pay(alice, bob, 10));
    await banking.produceBlock(height);
  }
  return [...chain.allBlocks()];
}

/** Nothing but data can come from a stranger, so anything may stand where a block should. */
function found(chain: readonly unknown[]): string[] {
  return checkChain(chain as Block[]).map(({ check, at }) => `${check}, ${at}`);
}

describe('a chain from a stranger', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['text', 'block'],
    ['an empty object', {}],
    ['a block without entries', { timestamp: 1, allocations: [] }],
    ['a block with an entry that is null', { timestamp: 1, allocations: [], entries: [null] }],
    ['a block without allocations', { timestamp: 1, entries: [] }],
    ['a block with a time of text', { timestamp: '1', allocations: [], entries: [] }],
  ])('is found out, and not stumbled over, where a block is %s', async (_, block) => {
    const chain = await soundChain();

    expect(found(chain)).toEqual([]);
    expect(found(chain.with(1, block as Block))).toEqual(['chain-continuity, block 1']);
  });

  it.each([null, undefined, 7, {}])('is found out where a transaction is %j', async (nothing) => {
    const chain = await soundChain();
    const [entry] = chain[1]!.entries;
    const entries = [{ ...entry!, transaction: nothing as never }];

    expect(found(chain.with(1, { ...chain[1]!, entries }))).toContain(
      'transaction-validity, block 1, entry 0',
    );
  });

  it.each(UNSOUND)('is found out where genesis gives %s', async (_, allocations) => {
    const [genesis] = await soundChain();

    expect(found([sealed({ ...genesis!, allocations })])).toContain('supply, genesis');
  });
});

describe('a node', () => {
  it.each(UNSOUND)('does not begin with a genesis that gives %s', async (_, allocations) => {
    await expect(smallWorld({ allocations })).rejects.toThrow(/^genesis: /);
  });
});
