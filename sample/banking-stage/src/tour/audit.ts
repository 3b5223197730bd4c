import { canonical } from '../codec/canonical.js';
import type { Block } from '../chain/block.js';
import type { RpcClient } from '../client/rpc.client.js';
import { checkChain, moneyOf } from '../integrity/chain.checks.js';
import type { Issue } from '../integrity/issue.js';
import type { Output } from '../ledger/output.js';
import type { Books } from './books.js';

const BLOCKS_AT_ONCE = 8;

export interface Audit {
  readonly blocks: number;
  readonly entries: number;
  /** Acknowledged, and not in the chain. */
  readonly lost: string[];
  /** In the chain more than once. */
  readonly doubled: string[];
  /** In the chain, and not what anyone sent, or not as it was acknowledged. */
  readonly foreign: string[];
  readonly issues: Issue[];
  /** Accounts whose balance the node states otherwise than the chain does. */
  readonly wrongBalances: string[];
}

/** Trusts nothing but the blocks: walks the chain over RPC and compares it with the client's books. */
export async function audit(
  client: RpcClient,
  books: Books,
  allocations: readonly Output[],
): Promise<Audit> {
  const blocks = await walk(client);
  const entries = blocks.flatMap((block) => block.entries);
  const times = new Map<string, number>();
  for (const { id } of entries) times.set(id, (times.get(id) ?? 0) + 1);

  const foreign = entries.filter((entry) => {
    const sent = books.get(entry.id);
    if (!sent || canonical(sent.transaction) !== canonical(entry.transaction)) return true;
    const { receipt } = sent;
    return receipt && (receipt.fee !== entry.fee || receipt.verdict !== entry.verdict);
  });
  if (canonical(blocks[0]?.allocations) !== canonical(allocations)) {
    throw new Error('the genesis block is not the one that was asked for');
  }
  return {
    blocks: blocks.length,
    entries: entries.length,
    lost: books.acknowledged().flatMap(({ id }) => (times.has(id) ? [] : [id])),
    doubled: [...times].flatMap(([id, count]) => (count > 1 ? [id] : [])),
    foreign: foreign.map(({ id }) => id),
    issues: checkChain(blocks),
    wrongBalances: await wrongBalances(client, blocks),
  };
}

async function walk(client: RpcClient): Promise<Block[]> {
  const { height } = await client.call<Block>('getBlock', 'latest');
  const blocks: Block[] = [];
  for (let from = 0; from <= height; from += BLOCKS_AT_ONCE) {
    const heights = Array.from(
      { length: Math.min(BLOCKS_AT_ONCE, height - from + 1) },
      (_, at) => from + at,
    );
    blocks.push(...(await Promise.all(heights.map((at) => client.call<Block>('getBlock', at)))));
  }
  return blocks;
}

async function wrongBalances(client: RpcClient, blocks: readonly Block[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [address, { balance }] of moneyOf(blocks)?.accounts ?? []) {
    const stated = await client.call<number>('getBalance', address);
    if (stated !== balance) wrong.push(address);
  }
  return wrong;
}
