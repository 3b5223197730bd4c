import { sealed } from '../../../../sample/banking-stage/src/chain/block.js';
import type { Block, Entry } from '../../../../sample/banking-stage/src/chain/block.js';
import type { Chain } from '../../../../sample/banking-stage/src/chain/chain.js';
import type { SeededRandom } from '../../../../sample/banking-stage/src/dice/seeded-random.js';
import type { Issue } from '../../../../sample/banking-stage/src/integrity/issue.js';
import type { Ledger } from '../../../../sample/banking-stage/src/ledger/ledger.js';
import type { Mempool } from '../../../../sample/banking-stage/src/mempool/mempool.js';
import type { PendingOrder } from '../../../../sample/banking-stage/src/mempool/pending-order.js';

type CheckName = Issue['check'];

/** The state of a node as it is in memory, open to whoever wants to spoil it: no journal hears of it. */
export interface Rooms {
  readonly blocks: Block[];
  readonly places: Map<string, unknown>;
  readonly outputs: Map<string, unknown>;
  readonly coins: Map<string, unknown>;
  readonly accounts: Map<string, unknown>;
  readonly pending: Map<string, unknown>;
  readonly reserved: Map<string, unknown>;
  readonly expired: Map<string, unknown>;
}

/** One way in which a node's state can go wrong. */
export interface Corruption {
  readonly kind: string;
  /** What was done, for whoever reads a failure. */
  readonly what: string;
  /** The checks of which at least one has to name it. */
  readonly named: readonly CheckName[];
}

interface Published {
  readonly published: { readonly items: never; readonly entries: never };
}

/** Behind the back of the collections: what is published is changed in place. */
export function roomsOf(node: { chain: Chain; ledger: Ledger; mempool: Mempool }): Rooms {
  const { chain, ledger, mempool } = node;
  const of = (collection: unknown): Published['published'] => (collection as Published).published;
  return {
    blocks: of(chain['blocks']).items,
    places: of(chain['places']).entries,
    outputs: of(ledger['outputs']).entries,
    coins: of(ledger['coins']).entries,
    accounts: of(ledger['accounts']).entries,
    pending: of(mempool['pending']).entries,
    reserved: of(mempool['reserved']).entries,
    expired: of(mempool['expired']).entries,
  };
}

/** Spoils a state of at least three blocks with entries and one pending order; what it did, or undefined where the dice hit nothing. */
export function corrupt(rooms: Rooms, dice: SeededRandom): Corruption {
  const kinds = Object.entries(KINDS);
  const [kind, spoil] = pick(kinds, dice);
  for (;;) {
    const done = spoil(rooms, dice);
    if (done !== undefined) return { kind, ...done };
  }
}

type Spoil = (rooms: Rooms, dice: SeededRandom) => Omit<Corruption, 'kind'> | undefined;

const CHAIN: readonly CheckName[] = ['hash-integrity', 'chain-continuity'];
const MONEY: readonly CheckName[] = ['utxo-consistency', 'supply'];
const INDEX: readonly CheckName[] = ['chain-continuity'];
const PENDING: readonly CheckName[] = ['mempool-consistency'];

const KINDS: Readonly<Record<string, Spoil>> = {
  'bit flip in a block': ({ blocks }, dice) => {
    const at = whole(dice, blocks.length);
    const { value, path } = flipped(blocks[at], dice);
    blocks[at] = value as Block;
    return { what: `block ${at}${path}`, named: CHAIN };
  },
  'bit flip in the money': (rooms, dice) => {
    const room = pick(['outputs', 'coins', 'accounts'] as const, dice);
    return { what: `${room}${flipOne(rooms[room], dice)}`, named: MONEY };
  },
  'bit flip in the index': ({ places }, dice) => {
    return { what: `places${flipOne(places, dice)}`, named: ['chain-continuity'] };
  },
  'bit flip in what is pending': ({ pending }, dice) => {
    const what = flipOne(pending, dice, ['validUntil']);
    return { what: `pending${what}`, named: ['mempool-consistency', 'statistics'] };
  },
  'wrong reservation': ({ reserved }, dice) => {
    return { what: `reserved${flipOne(reserved, dice)}`, named: PENDING };
  },
  'a block that is something else': ({ blocks }, dice) => {
    const at = whole(dice, blocks.length);
    const hollow = { ...blocks[at], entries: [null] };
    const thing = pick<unknown>([null, undefined, 7, '', {}, [], hollow], dice);
    blocks[at] = thing as Block;
    return { what: `block ${at} is ${JSON.stringify(thing)}`, named: CHAIN };
  },
  'a value that is something else': (rooms, dice) => {
    const room = pick(['outputs', 'accounts', 'coins', 'places', 'pending'] as const, dice);
    const key = pick([...rooms[room].keys()], dice);
    const thing = pick([null, undefined, 7.5, Number.NaN, true, '', {}, []], dice);
    rooms[room].set(key, thing);
    const named = room === 'places' ? INDEX : room === 'pending' ? PENDING : MONEY;
    return { what: `${room} ${key} is ${String(thing)}`, named };
  },
  'blocks in another order': ({ blocks }, dice) => {
    const [a, b] = [whole(dice, blocks.length), whole(dice, blocks.length)];
    if (a === b) return undefined;
    [blocks[a], blocks[b]] = [blocks[b]!, blocks[a]!];
    return { what: `blocks ${a} and ${b}`, named: ['chain-continuity'] };
  },
  'a coin spent twice': ({ blocks, outputs, coins, accounts }, dice) => {
    const spent = blocks
      .flatMap(({ entries }) => entries)
      .filter(({ inputs }) => inputs.length > 0);
    const { inputs, transaction } = pick(spent, dice);
    const id = pick(inputs, dice);
    if (dice.next() < 0.5) {
      outputs.set(id, { owner: transaction.from, amount: 1 });
      return { what: `${id} is there again`, named: MONEY };
    }
    const account = accounts.get(transaction.from) as { head: number };
    const head = account.head - 1;
    accounts.set(transaction.from, { ...account, head });
    coins.set(`${transaction.from}/${head}`, id);
    return { what: `${id} is in the queue again`, named: MONEY };
  },
  'a coin spent twice by a resealed block': ({ blocks }, dice) => {
    const at = withEntries(blocks, dice);
    const other = pick(blocks[withEntries(blocks, dice)]!.entries, dice);
    reseal(blocks, at, ({ entries }) => ({ entries: [...entries, other] }));
    return { what: `block ${at} has ${other.id} too`, named: ['transaction-validity', ...MONEY] };
  },
  'supply inflated': ({ blocks, outputs, accounts }, dice) => {
    const more = 1 + whole(dice, 1_000);
    const how = pick(['output', 'account', 'genesis', 'block'] as const, dice);
    if (how === 'output') raise(outputs, 'amount', more, dice);
    if (how === 'account') raise(accounts, 'balance', more, dice);
    const [{ owner } = { owner: '' }] = blocks[0]!.allocations;
    if (how === 'genesis') reseal(blocks, 0, (block) => ({ allocations: richer(block, more) }));
    const at = 1 + whole(dice, blocks.length - 1);
    const gift = [{ owner, amount: more }];
    if (how === 'block') reseal(blocks, at, () => ({ allocations: gift }));
    return { what: `${how}, by ${more}`, named: [...MONEY, 'chain-continuity'] };
  },
  'forged signature': ({ blocks }, dice) => {
    const at = withEntries(blocks, dice);
    change(blocks, at, dice, ({ transaction }) => {
      const signature = flippedText(transaction.signature, dice);
      return { transaction: { ...transaction, signature } };
    });
    return { what: `in block ${at}, resealed`, named: ['transaction-validity'] };
  },
  'forged payment': ({ blocks }, dice) => {
    const at = withEntries(blocks, dice);
    const { owner } = blocks[0]!.allocations[0]!;
    const field = pick(['amount', 'nonce', 'to', 'fee', 'id'] as const, dice);
    change(blocks, at, dice, (entry) => forged(entry, field, owner));
    return { what: `${field} in block ${at}, resealed`, named: ['transaction-validity', ...MONEY] };
  },
  'blocks cut off': ({ blocks }, dice) => {
    const count = 1 + whole(dice, blocks.length);
    blocks.splice(blocks.length - count);
    return { what: `the last ${count}`, named: ['chain-continuity', 'utxo-consistency'] };
  },
  'blocks cut off, with their index': ({ blocks, places }, dice) => {
    const count = 1 + whole(dice, blocks.length - 1);
    const gone = blocks.splice(blocks.length - count).flatMap(({ entries }) => entries);
    for (const { id } of gone) places.delete(id);
    return { what: `the last ${count}`, named: ['utxo-consistency', 'statistics'] };
  },
  'a block cut out, and the rest resealed': ({ blocks }, dice) => {
    const at = 1 + whole(dice, blocks.length - 1);
    blocks.splice(at, 1);
    for (const [height, block] of blocks.entries()) blocks[height] = { ...block, height };
    reseal(blocks, 0, () => ({}));
    return { what: `block ${at}`, named: ['utxo-consistency', 'chain-continuity'] };
  },
  'another chain': ({ blocks }, dice) => {
    const timestamp = 1 + whole(dice, 1_000);
    reseal(blocks, 0, () => ({ timestamp }));
    // Nothing is older than its parent: this one is found out by its genesis alone.
    for (const [at, block] of blocks.entries()) {
      blocks[at] = { ...block, timestamp: block.timestamp + timestamp };
    }
    reseal(blocks, 0, () => ({}));
    return { what: `begun at ${timestamp}`, named: ['chain-continuity'] };
  },
  'money cut off': (rooms, dice) => {
    const room = pick(['outputs', 'coins', 'accounts'] as const, dice);
    return { what: `${room} ${cut(rooms[room], dice)}`, named: ['utxo-consistency'] };
  },
  'missing index': ({ places }, dice) => {
    return { what: `places ${cut(places, dice)}`, named: ['chain-continuity'] };
  },
  'pending orders that are gone': ({ pending, reserved }, dice) => {
    const id = pick([...pending.keys()], dice);
    const { transaction, fee } = pending.get(id) as PendingOrder;
    pending.delete(id);
    if (dice.next() < 0.5) return { what: id, named: PENDING };
    // And what was reserved for it as well, as if it had never been accepted.
    const left = (reserved.get(transaction.from) as number) - transaction.amount - fee;
    if (left === 0) reserved.delete(transaction.from);
    else reserved.set(transaction.from, left);
    return { what: `${id}, reservation and all`, named: ['statistics'] };
  },
  'a pending order that is in the chain': ({ blocks, pending, reserved }, dice) => {
    const entry = pick(blocks[withEntries(blocks, dice)]!.entries, dice);
    const { id, transaction, fee, verdict } = entry;
    const { from, amount } = transaction;
    pending.set(id, { id, transaction, fee, verdict });
    reserved.set(from, ((reserved.get(from) as number | undefined) ?? 0) + amount + fee);
    return { what: id, named: PENDING };
  },
};

function whole(dice: SeededRandom, below: number): number {
  return Math.floor(dice.next() * below);
}

function pick<T>(from: readonly T[], dice: SeededRandom): T {
  return from[whole(dice, from.length)]!;
}

function withEntries(blocks: readonly Block[], dice: SeededRandom): number {
  return pick(
    blocks.flatMap(({ entries }, at) => (entries.length > 0 ? [at] : [])),
    dice,
  );
}

/** A copy with one bit of one leaf changed, and where that is. */
function flipped(
  value: unknown,
  dice: SeededRandom,
  spared: readonly string[] = [],
): { value: unknown; path: string } {
  if (typeof value === 'string' && value !== '') {
    return { value: flippedText(value, dice), path: '' };
  }
  if (typeof value === 'number') return { value: flippedNumber(value, dice), path: '' };
  if (typeof value !== 'object' || value === null) return { value: 'rot', path: '' };
  const keys = Object.keys(value).filter((key) => !spared.includes(key));
  if (keys.length === 0) return { value: [7], path: '' };
  const key = pick(keys, dice);
  const inner = flipped((value as Record<string, unknown>)[key], dice);
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
  (copy as Record<string, unknown>)[key] = inner.value;
  return { value: copy, path: `.${key}${inner.path}` };
}

function flippedText(text: string, dice: SeededRandom): string {
  const at = whole(dice, text.length);
  const code = text.charCodeAt(at) ^ (1 << whole(dice, 7));
  return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
}

/** Any bit of a whole number that JavaScript counts exactly, the sign too. */
function flippedNumber(value: number, dice: SeededRandom): number {
  const bit = whole(dice, 54);
  return bit === 53 ? -value - 1 : Number(BigInt(value) ^ (1n << BigInt(bit)));
}

function flipOne(
  room: Map<string, unknown>,
  dice: SeededRandom,
  spared?: readonly string[],
): string {
  const key = pick([...room.keys()], dice);
  const { value, path } = flipped(room.get(key), dice, spared);
  room.set(key, value);
  return `[${key}]${path}`;
}

/** The last of them, as many as the dice say. */
function cut(room: Map<string, unknown>, dice: SeededRandom): string {
  const keys = [...room.keys()];
  const gone = keys.slice(whole(dice, keys.length));
  for (const key of gone) room.delete(key);
  return `without the last ${gone.length}`;
}

function raise(room: Map<string, unknown>, field: string, by: number, dice: SeededRandom): void {
  const key = pick([...room.keys()], dice);
  const before = room.get(key) as Record<string, number>;
  room.set(key, { ...before, [field]: before[field]! + by });
}

/** Changes a block and makes all hashes right again, as a forger would. */
function reseal(blocks: Block[], at: number, change: (block: Block) => Partial<Block>): void {
  for (let height = at; height < blocks.length; height++) {
    const { hash: _, ...content } = blocks[height]!;
    const parent = blocks[height - 1]?.hash ?? content.parent;
    const changed = height === at ? change(blocks[height]!) : {};
    blocks[height] = sealed({ ...content, parent, ...changed });
  }
}

function change(
  blocks: Block[],
  at: number,
  dice: SeededRandom,
  by: (entry: Entry) => Partial<Entry>,
): void {
  reseal(blocks, at, ({ entries }) => {
    const which = whole(dice, entries.length);
    const forgedOne = { ...entries[which]!, ...by(entries[which]!) };
    return { entries: entries.with(which, forgedOne) };
  });
}

function forged(
  entry: Entry,
  field: 'amount' | 'nonce' | 'to' | 'fee' | 'id',
  owner: string,
): Partial<Entry> {
  const { transaction, fee } = entry;
  if (field === 'fee') return { fee: fee + 1 };
  if (field === 'id') return { id: 'f'.repeat(64) };
  // To the sender itself, where the receiver is its owner already.
  const to = transaction.to === owner ? transaction.from : owner;
  const value = field === 'to' ? to : transaction[field] + 1;
  return { transaction: { ...transaction, [field]: value } };
}

function richer({ allocations }: Block, more: number): Block['allocations'] {
  const [first, ...others] = allocations;
  return [{ ...first!, amount: first!.amount + more }, ...others];
}
