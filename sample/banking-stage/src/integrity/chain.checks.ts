import { ZERO_DIGEST } from '../codec/digest.js';
import { same } from '../codec/same.js';
import { allocationProblem, blockHash, executeOrders } from '../chain/block.js';
import type { Block } from '../chain/block.js';
import { isBlock } from '../chain/block-shape.js';
import type { Account } from '../ledger/account.js';
import type { CoinKey, Output, OutputId } from '../ledger/output.js';
import { Purses } from '../ledger/purses.js';
import type { Address } from '../keys/key-pair.js';
import { orderProblem } from '../transaction/order.js';
import { issuesOf } from './issue.js';
import type { Findings, Issue } from './issue.js';

// Checks that need nothing but the blocks: a node runs them over its own chain, and anyone else
// over what a node says its chain is. Whatever stands where a block should, none of them stumbles.

export function* hashIntegrity(blocks: readonly Block[]): Findings {
  for (const [at, block] of blocks.entries()) {
    const problem = hashProblem(block);
    yield problem === undefined
      ? undefined
      : { check: 'hash-integrity', at: `block ${at}`, problem };
  }
}

function hashProblem(block: Block): string | undefined {
  try {
    return blockHash(block) === block.hash ? undefined : 'its hash is not that of its content';
  } catch (error) {
    return `its content cannot be hashed: ${String(error)}`;
  }
}

export function* chainContinuity(blocks: readonly Block[]): Findings {
  const issue = (height: number, problem: string): Issue => ({
    check: 'chain-continuity',
    at: `block ${height}`,
    problem,
  });
  if (blocks.length === 0) yield issue(0, 'there is no genesis block');
  for (const [at, block] of blocks.entries()) {
    for (const problem of placeProblems(block, at, blocks[at - 1])) yield issue(at, problem);
    yield undefined;
  }
}

function* placeProblems(block: Block, at: number, before: Block | undefined): Generator<string> {
  if (!isBlock(block)) {
    yield 'it is no block';
    return;
  }
  if (block.height !== at) yield `it says it is block ${block.height}`;
  if (at === 0 && block.parent !== ZERO_DIGEST) yield 'it has a parent, and is the first';
  if (at === 0) return;
  if (block.parent !== before?.hash) yield 'its parent is not the block before';
  if (before && block.timestamp < before.timestamp) yield 'it is older than its parent';
  if (block.allocations.length > 0) yield 'only genesis may allocate';
}

export function* transactionValidity(blocks: readonly Block[]): Findings {
  const seen = new Set<string>();
  for (const [at, block] of blocks.entries()) {
    for (const [position, entry] of isBlock(block) ? block.entries.entries() : []) {
      const where = `block ${at}, entry ${position}`;
      const issue = (problem: string): Issue => ({
        check: 'transaction-validity',
        at: where,
        problem,
      });
      if (seen.has(entry.id)) yield issue('the transaction is in the chain twice');
      seen.add(entry.id);
      const problem = orderProblem(entry);
      yield problem === undefined ? undefined : issue(problem);
    }
  }
}

/** The money as the chain says it must be. */
export interface Money {
  readonly outputs: ReadonlyMap<OutputId, Output>;
  readonly coins: ReadonlyMap<CoinKey, OutputId>;
  readonly accounts: ReadonlyMap<Address, Account>;
}

/** Executes the whole chain again, from nothing, and compares each block's own record; answers the money at its end. */
export function* replay(blocks: readonly Block[]): Generator<Issue | undefined, Money | undefined> {
  const outputs = new Map<OutputId, Output>();
  const coins = new Map<CoinKey, OutputId>();
  const accounts = new Map<Address, Account>();
  const purses = new Purses(outputs, coins, accounts);
  for (const [at, block] of blocks.entries()) {
    const problem = replayProblem(purses, block);
    if (problem !== undefined) {
      // What follows is built on this block, so it would only repeat the news.
      yield { check: 'utxo-consistency', at: `block ${at}`, problem };
      return undefined;
    }
    yield undefined;
  }
  return { outputs, coins, accounts };
}

/** The same, at once; undefined where the chain cannot be executed. */
export function moneyOf(blocks: readonly Block[]): Money | undefined {
  const steps = replay(blocks);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function replayProblem(purses: Purses, block: Block): string | undefined {
  if (!isBlock(block)) return 'it is no block';
  try {
    const entries = executeOrders(purses, block, block.entries);
    const differing = entries.findIndex((entry, at) => !same(entry, block.entries[at]));
    return differing < 0 ? undefined : `entry ${differing} spent or made other coins`;
  } catch (error) {
    return `it cannot be executed: ${String(error)}`;
  }
}

export function* supply(
  blocks: readonly Block[],
  { outputs, accounts }: Pick<Money, 'outputs' | 'accounts'>,
): Findings {
  const issue = (at: string, problem: string): Issue => ({ check: 'supply', at, problem });
  const [genesis] = blocks;
  const allocations = isBlock(genesis) ? genesis.allocations : [];
  const problem = allocationProblem(allocations);
  if (problem !== undefined) yield issue('genesis', problem);

  // What there must be in all is what genesis gave out: fees only change hands.
  const expected = sumOf(allocations, 'amount');
  const coins = sumOf(outputs.values(), 'amount');
  if (coins !== expected) yield issue('outputs', `they hold ${coins}, genesis gave ${expected}`);
  const balances = sumOf(accounts.values(), 'balance');
  if (balances !== expected) {
    yield issue('accounts', `they hold ${balances}, genesis gave ${expected}`);
  }
}

/** NaN where one of them is not what it should be: equal to nothing. */
function sumOf<F extends string>(all: Iterable<Readonly<Record<F, number>>>, field: F): number {
  let sum = 0;
  for (const one of all as Iterable<Readonly<Record<F, unknown>> | null | undefined>) {
    const amount = one?.[field];
    sum += typeof amount === 'number' ? amount : Number.NaN;
  }
  return sum;
}

/** Everything that can be said about a chain by someone who has only its blocks. */
export function checkChain(blocks: readonly Block[]): Issue[] {
  const misshapen = blocks.flatMap((block, at) => (isBlock(block) ? [] : [at]));
  if (misshapen.length > 0) {
    return misshapen.map((at) => ({
      check: 'chain-continuity',
      at: `block ${at}`,
      problem: 'it is no block',
    }));
  }
  return issuesOf(ofChain(blocks));
}

function* ofChain(blocks: readonly Block[]): Findings {
  yield* hashIntegrity(blocks);
  yield* chainContinuity(blocks);
  yield* transactionValidity(blocks);
  const money = yield* replay(blocks);
  if (money !== undefined) yield* supply(blocks, money);
}
