import { same } from '../codec/same.js';
import type { Statistics } from '../banking/statistics.js';
import type { Block } from '../chain/block.js';
import { isBlock, isRecord } from '../chain/block-shape.js';
import type { Chain } from '../chain/chain.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Mempool } from '../mempool/mempool.js';
import { costOf, orderProblem } from '../transaction/order.js';
import { replay } from './chain.checks.js';
import type { Money } from './chain.checks.js';
import type { Findings, Issue } from './issue.js';

// Checks of a node's state against its chain: the chain is what counts, all else follows from it.

/** The chain must be the one that was begun here. */
export function* origin(blocks: readonly Block[], genesis: Block): Findings {
  if (same(blocks[0], genesis)) return;
  yield { check: 'chain-continuity', at: 'block 0', problem: 'it is the genesis of another chain' };
}

/** The index of transactions must say what the blocks say, no more and no less. */
export function* indexContinuity(chain: Chain): Findings {
  const issue = (id: string, problem: string): Issue => ({
    check: 'chain-continuity',
    at: `index of ${id}`,
    problem,
  });
  const places = chain.allPlaces();
  let entries = 0;
  for (const [height, block] of chain.allBlocks().entries()) {
    for (const [position, { id }] of isBlock(block) ? block.entries.entries() : []) {
      entries++;
      if (!same(places.get(id), { height, position })) {
        yield issue(id, `it is in block ${height}, and the index does not say so`);
      }
    }
    yield undefined;
  }
  if (places.size !== entries) {
    yield issue('all', `it has ${places.size} transactions, the blocks ${entries}`);
  }
}

export function* utxoConsistency(chain: Chain, ledger: Ledger): Findings {
  const expected = yield* replay(chain.allBlocks());
  if (expected === undefined) return;
  const actual: Money = {
    outputs: ledger.allOutputs(),
    coins: ledger.allCoins(),
    accounts: ledger.allAccounts(),
  };
  for (const room of ['outputs', 'coins', 'accounts'] as const) {
    for (const key of differences(expected[room], actual[room])) {
      const problem = `${room}: not what the chain makes of it`;
      yield key === undefined ? undefined : { check: 'utxo-consistency', at: key, problem };
    }
  }
}

/** The keys of what is not the same, with `undefined` for what is. */
function* differences(
  expected: ReadonlyMap<string, unknown>,
  actual: ReadonlyMap<string, unknown>,
): Generator<string | undefined> {
  for (const [key, value] of expected) {
    yield actual.has(key) && same(value, actual.get(key)) ? undefined : key;
  }
  for (const key of actual.keys()) yield expected.has(key) ? undefined : key;
}

export function* mempoolConsistency(chain: Chain, ledger: Ledger, mempool: Mempool): Findings {
  const issue = (at: string, problem: string): Issue => ({
    check: 'mempool-consistency',
    at,
    problem,
  });
  const reserved = new Map<string, number>();
  for (const [id, order] of mempool.allPending()) {
    const problem = isRecord(order) ? orderProblem(order) : 'it is no order';
    yield problem === undefined ? undefined : issue(id, problem);
    if (problem !== undefined) continue;
    const { from } = order.transaction;
    reserved.set(from, (reserved.get(from) ?? 0) + costOf(order));
    if (!Number.isSafeInteger(order.validUntil ?? 0)) yield issue(id, 'it is valid until no time');
    if (order.id !== id) yield issue(id, 'it is filed under another id');
    if (chain.has(id)) yield issue(id, 'it is pending and in the chain');
  }
  for (const key of differences(reserved, mempool.allReserved())) {
    if (key !== undefined) yield issue(key, 'what is reserved is not what is pending');
  }
  for (const [owner, amount] of reserved) {
    if (amount > ledger.balance(owner)) yield issue(owner, 'more is pending than it owns');
  }
}

/**
 * Whatever was accepted is in the chain, is pending, or has expired: what is missing everywhere is
 * missed here.
 */
export function* statisticsConsistency(
  chain: Chain,
  mempool: Mempool,
  { accepted, executed, provisional, expired }: Statistics,
): Findings {
  const issue = (problem: string): Issue => ({ check: 'statistics', at: 'counts', problem });
  const inChain = chain.transactionCount;
  if (executed !== inChain) yield issue(`${executed} were executed, ${inChain} are in the chain`);
  const overdue = mempool.allExpired().size;
  if (expired !== overdue) yield issue(`${expired} have expired, ${overdue} are noted`);
  const waiting = accepted - executed - expired;
  if (waiting !== mempool.size) {
    yield issue(`${waiting} of the accepted are to be pending, ${mempool.size} are`);
  }
  let marked = 0;
  for (const block of chain.allBlocks()) {
    for (const { verdict } of isBlock(block) ? block.entries : []) marked += +isMarked(verdict);
    yield undefined;
  }
  for (const order of mempool.allPending().values()) marked += +isMarked(order?.verdict);
  if (marked !== provisional) {
    yield issue(`${provisional} provisional verdicts are to be there, ${marked} are`);
  }
}

function isMarked(verdict: unknown): boolean {
  return verdict === 'provisional';
}
