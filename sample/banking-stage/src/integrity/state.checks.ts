import { canonical } from '../codec/canonical.js';
import type { Chain } from '../chain/chain.js';
import { coinKey } from '../ledger/output.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Mempool } from '../mempool/mempool.js';
import { costOf } from '../transaction/order.js';
import { replay } from './chain.checks.js';
import type { Issue } from './issue.js';

// Checks of a node's state against its chain: the chain is what counts, all else follows from it.

/** The index of transactions must say what the blocks say, no more and no less. */
export function* indexContinuity(chain: Chain): Generator<Issue> {
  const issue = (id: string, problem: string): Issue => ({
    check: 'chain-continuity',
    at: `index of ${id}`,
    problem,
  });
  let entries = 0;
  for (const [height, block] of chain.allBlocks().entries()) {
    for (const [position, { id }] of block.entries.entries()) {
      entries++;
      const place = chain.allPlaces().get(id);
      if (place?.height !== height || place.position !== position) {
        yield issue(id, `it is in block ${height}, and the index does not say so`);
      }
    }
  }
  if (chain.allPlaces().size !== entries) {
    yield issue('all', `it has ${chain.allPlaces().size} transactions, the blocks ${entries}`);
  }
}

export function* utxoConsistency(chain: Chain, ledger: Ledger): Generator<Issue> {
  const issue = (at: string, problem: string): Issue => ({
    check: 'utxo-consistency',
    at,
    problem,
  });
  const replayed = replay(chain.allBlocks());
  yield* replayed.issues;
  if (replayed.issues.length === 0) {
    const rooms = ['allOutputs', 'allCoins', 'allAccounts'] as const;
    for (const room of rooms) {
      for (const key of differences(replayed.ledger[room](), ledger[room]())) {
        yield issue(key, `${room}: not what the chain makes of it`);
      }
    }
  }
  for (const [owner, account] of ledger.allAccounts()) {
    const coins = [...ledger.outputsOf(owner)];
    const sum = coins.reduce((total, [, { amount }]) => total + amount, 0);
    const foreign = coins.some(([, output]) => output.owner !== owner);
    if (coins.length !== account.tail - account.head || sum !== account.balance || foreign) {
      yield issue(coinKey(owner, account.head), 'the account and its coins disagree');
    }
  }
}

function* differences(
  expected: ReadonlyMap<string, unknown>,
  actual: ReadonlyMap<string, unknown>,
): Generator<string> {
  for (const key of new Set([...expected.keys(), ...actual.keys()])) {
    const same =
      expected.has(key) &&
      actual.has(key) &&
      canonical(expected.get(key)) === canonical(actual.get(key));
    if (!same) yield key;
  }
}

export function* mempoolConsistency(
  chain: Chain,
  ledger: Ledger,
  mempool: Mempool,
): Generator<Issue> {
  const issue = (at: string, problem: string): Issue => ({
    check: 'mempool-consistency',
    at,
    problem,
  });
  const reserved = new Map<string, number>();
  for (const [id, order] of mempool.allPending()) {
    const { from } = order.transaction;
    reserved.set(from, (reserved.get(from) ?? 0) + costOf(order));
    if (order.id !== id) yield issue(id, 'it is filed under another id');
    if (chain.has(id)) yield issue(id, 'it is pending and in the chain');
  }
  for (const key of differences(reserved, mempool.allReserved())) {
    yield issue(key, 'what is reserved is not what is pending');
  }
  for (const [owner, amount] of reserved) {
    if (amount > ledger.balance(owner)) yield issue(owner, 'more is pending than it owns');
  }
}
