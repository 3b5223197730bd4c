import { canonical } from '../codec/canonical.js';
import { ZERO_DIGEST } from '../codec/digest.js';
import { allocationProblem, blockHash, executeOrders } from '../chain/block.js';
import type { Block, Entry } from '../chain/block.js';
import { Ledger } from '../ledger/ledger.js';
import { TransactionRefusedError } from '../transaction/transaction-refused.error.js';
import { transactionId } from '../transaction/transaction.js';
import { verifyTransaction } from '../transaction/verify-transaction.js';
import type { Issue } from './issue.js';

// Checks that need nothing but the blocks: a node runs them over its own chain, and anyone else
// over what a node says its chain is.

export function* hashIntegrity(blocks: readonly Block[]): Generator<Issue> {
  for (const [at, block] of blocks.entries()) {
    const problem = hashProblem(block);
    if (problem !== undefined) yield { check: 'hash-integrity', at: `block ${at}`, problem };
  }
}

function hashProblem(block: Block): string | undefined {
  try {
    return blockHash(block) === block.hash ? undefined : 'its hash is not that of its content';
  } catch (error) {
    return `its content cannot be hashed: ${String(error)}`;
  }
}

export function* chainContinuity(blocks: readonly Block[]): Generator<Issue> {
  const issue = (height: number, problem: string): Issue => ({
    check: 'chain-continuity',
    at: `block ${height}`,
    problem,
  });
  if (blocks.length === 0) yield issue(0, 'there is no genesis block');
  for (const [at, block] of blocks.entries()) {
    const before = blocks[at - 1];
    if (block.height !== at) yield issue(at, `it says it is block ${block.height}`);
    if (block.parent !== (before?.hash ?? ZERO_DIGEST)) {
      yield issue(at, 'its parent is not the block before');
    }
    if (before && block.timestamp < before.timestamp)
      yield issue(at, 'it is older than its parent');
    if (before && block.allocations.length > 0) yield issue(at, 'only genesis may allocate');
  }
}

export function* transactionValidity(blocks: readonly Block[]): Generator<Issue> {
  const seen = new Set<string>();
  for (const [at, { entries }] of blocks.entries()) {
    for (const [position, entry] of entries.entries()) {
      for (const problem of entryProblems(entry, seen)) {
        yield { check: 'transaction-validity', at: `block ${at}, entry ${position}`, problem };
      }
    }
  }
}

function* entryProblems(entry: Entry, seen: Set<string>): Generator<string> {
  const { id, transaction, fee, verdict } = entry;
  if (seen.has(id)) yield 'the transaction is in the chain twice';
  seen.add(id);
  const refusal = refusalOf(transaction);
  if (refusal !== undefined) {
    yield refusal;
    return;
  }
  if (transactionId(transaction) !== id) yield 'its id is not that of its transaction';
  if (!Number.isSafeInteger(fee) || fee < 0 || fee > transaction.maxFee) {
    yield `a fee of ${fee} was not what the sender signed`;
  }
  if (verdict !== 'cleared' && verdict !== 'provisional') yield `verdict ${String(verdict)}`;
}

function refusalOf(transaction: unknown): string | undefined {
  try {
    verifyTransaction(transaction);
    return undefined;
  } catch (error) {
    if (error instanceof TransactionRefusedError) return `${error.reason}: ${error.message}`;
    throw error;
  }
}

export interface Replay {
  /** The ledger as the chain says it must be, as far as it could be replayed. */
  readonly ledger: Ledger;
  readonly issues: readonly Issue[];
}

/** Executes the whole chain again, into an empty ledger, and compares each block's own record. */
export function replay(blocks: readonly Block[]): Replay {
  const ledger = new Ledger();
  for (const [at, block] of blocks.entries()) {
    const problem = replayProblem(ledger, block);
    if (problem !== undefined) {
      // What follows is built on this block, so it would only repeat the news.
      const issue: Issue = { check: 'utxo-consistency', at: `block ${at}`, problem };
      return { ledger, issues: [issue] };
    }
  }
  return { ledger, issues: [] };
}

function replayProblem(ledger: Ledger, block: Block): string | undefined {
  try {
    const entries = executeOrders(ledger, block, block.entries);
    const differing = entries.findIndex(
      (entry, at) => canonical(entry) !== canonical(block.entries[at]),
    );
    return differing < 0 ? undefined : `entry ${differing} spent or made other coins`;
  } catch (error) {
    return `it cannot be executed: ${String(error)}`;
  }
}

/** What there must be in all: what genesis gave out. Fees only change hands. */
export function issued(blocks: readonly Block[]): number {
  return (blocks[0]?.allocations ?? []).reduce((sum, { amount }) => sum + amount, 0);
}

export function* supply(blocks: readonly Block[], ledger: Ledger): Generator<Issue> {
  const expected = issued(blocks);
  const issue = (at: string, problem: string): Issue => ({ check: 'supply', at, problem });

  const problem = allocationProblem(blocks[0]?.allocations ?? []);
  if (problem !== undefined) yield issue('genesis', problem);

  const coins = [...ledger.allOutputs().values()].reduce((sum, { amount }) => sum + amount, 0);
  if (coins !== expected) yield issue('outputs', `they hold ${coins}, genesis gave ${expected}`);
  const balances = [...ledger.allAccounts().values()].reduce(
    (sum, { balance }) => sum + balance,
    0,
  );
  if (balances !== expected) {
    yield issue('accounts', `they hold ${balances}, genesis gave ${expected}`);
  }
}

/** A stranger's chain may be anything at all: the checks above need it to look like one. */
function* blockShape(blocks: readonly unknown[]): Generator<Issue> {
  for (const [at, block] of blocks.entries()) {
    const { allocations, entries, timestamp } = isRecord(block) ? block : {};
    const shaped = isRecords(allocations) && isRecords(entries) && Number.isSafeInteger(timestamp);
    if (!shaped) yield { check: 'chain-continuity', at: `block ${at}`, problem: 'it is no block' };
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isRecords(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRecord);
}

/** Everything that can be said about a chain by someone who has only its blocks. */
export function checkChain(blocks: readonly Block[]): Issue[] {
  const misshapen = [...blockShape(blocks)];
  if (misshapen.length > 0) return misshapen;
  const replayed = replay(blocks);
  return [
    ...hashIntegrity(blocks),
    ...chainContinuity(blocks),
    ...transactionValidity(blocks),
    ...replayed.issues,
    ...(replayed.issues.length === 0 ? supply(blocks, replayed.ledger) : []),
  ];
}
