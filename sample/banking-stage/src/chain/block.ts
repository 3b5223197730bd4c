import { digest, ZERO_DIGEST } from '../codec/digest.js';
import type { Digest } from '../codec/digest.js';
import { isAddress } from '../keys/key-pair.js';
import type { Address } from '../keys/key-pair.js';
import { isWeakKey } from '../keys/weak-key.js';
import type { Execution, Output, OutputId } from '../ledger/output.js';
import type { Order } from '../transaction/order.js';

/** An order and what executing it did, as the chain keeps it. */
export interface Entry extends Order, Execution {}

export interface BlockContent {
  readonly height: number;
  /** The hash of the block before; zeros for genesis. */
  readonly parent: Digest;
  /** Milliseconds since 1970; 0 for genesis, so that equal allocations make an equal chain. */
  readonly timestamp: number;
  /** Who gets the fees of this block. */
  readonly validator: Address;
  /** Money put into the world. Only genesis has any. */
  readonly allocations: readonly Output[];
  readonly entries: readonly Entry[];
}

export interface Block extends BlockContent {
  readonly hash: Digest;
}

export function blockHash(content: BlockContent): Digest {
  const { height, parent, timestamp, validator, allocations, entries } = content;
  return digest('block', { height, parent, timestamp, validator, allocations, entries });
}

export function sealed(content: BlockContent): Block {
  return { ...content, hash: blockHash(content) };
}

/** What is wrong with what genesis gives out; undefined where it is sound. */
export function allocationProblem(allocations: readonly Output[]): string | undefined {
  for (const [at, { owner, amount }] of allocations.entries()) {
    if (!isAddress(owner) || isWeakKey(owner)) return `allocation ${at} is to no account`;
    if (!Number.isSafeInteger(amount) || amount < 1) return `allocation ${at} is of no amount`;
  }
  // As long as all money together is counted exactly, so is every part of it.
  const total = allocations.reduce((sum, { amount }) => sum + amount, 0);
  return Number.isSafeInteger(total) ? undefined : 'it is more than can be counted exactly';
}

export function genesis(allocations: readonly Output[], validator: Address): Block {
  const problem = allocationProblem(allocations);
  if (problem !== undefined) throw new Error(`genesis: ${problem}`);
  return sealed({
    height: 0,
    parent: ZERO_DIGEST,
    timestamp: 0,
    validator,
    allocations,
    entries: [],
  });
}

export function feesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { fee }) => sum + fee, 0);
}

/** What executing orders needs of a ledger. */
export interface Coins {
  credit(id: OutputId, output: Output): void;
  execute(order: Order): Execution;
}

/** What executing orders needs to know of the block that they will be in. */
export type BlockFrame = Pick<BlockContent, 'height' | 'validator' | 'allocations'>;

/**
 * The one way orders change a ledger: used when a block is produced and again, into an empty
 * ledger, when the chain is checked. So both must come to the same.
 */
export function executeOrders(ledger: Coins, block: BlockFrame, orders: readonly Order[]): Entry[] {
  block.allocations.forEach((output, at) => ledger.credit(`genesis:${at}`, output));
  const entries = orders.map(({ id, transaction, fee, verdict }): Entry => ({
    id,
    transaction,
    fee,
    verdict,
    ...ledger.execute({ id, transaction, fee, verdict }),
  }));
  const fees = feesOf(entries);
  if (fees > 0) ledger.credit(`fees@${block.height}:0`, { owner: block.validator, amount: fees });
  return entries;
}
