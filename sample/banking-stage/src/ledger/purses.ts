import type { Address } from '../keys/key-pair.js';
import { costOf } from '../transaction/order.js';
import type { Order } from '../transaction/order.js';
import type { Amount } from '../transaction/transaction.js';
import { EMPTY_ACCOUNT } from './account.js';
import type { Account } from './account.js';
import { coinKey } from './output.js';
import type { CoinKey, Execution, Output, OutputId } from './output.js';

/** What is needed of a map, whether it is kept on disk or is there for one replay. */
interface Room<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
  delete(key: K): unknown;
}

/**
 * The unspent outputs and, beside them, the account view over the same money.
 *
 * An account's coins are a queue: the oldest is spent first and change goes to the end. So which
 * coins pay is decided by the order of transactions alone, every node gets the same answer, and no
 * record grows with the number of coins.
 */
export class Purses {
  constructor(
    private readonly outputs: Room<OutputId, Output>,
    private readonly coins: Room<CoinKey, OutputId>,
    private readonly accounts: Room<Address, Account>,
  ) {}

  account(address: Address): Account {
    return this.accounts.get(address) ?? EMPTY_ACCOUNT;
  }

  *outputsOf(address: Address): Generator<[OutputId, Output]> {
    const { head, tail } = this.account(address);
    for (let at = head; at < tail; at++) {
      const id = this.coins.get(coinKey(address, at));
      const output = id === undefined ? undefined : this.outputs.get(id);
      // Not on to the next: where a coin is missing the numbers may be wrong as well, and endless.
      if (id === undefined || output === undefined) return;
      yield [id, output];
    }
  }

  /** Money that no transaction brought: the allocations of genesis, a block's fees. */
  credit(id: OutputId, output: Output): void {
    const { owner, amount } = output;
    const account = this.account(owner);
    this.outputs.set(id, output);
    this.coins.set(coinKey(owner, account.tail), id);
    this.accounts.set(owner, {
      ...account,
      balance: account.balance + amount,
      tail: account.tail + 1,
    });
  }

  /** Spends the sender's oldest coins. The fee leaves the sender here and is credited by the block. */
  execute(order: Order): Execution {
    const { id, transaction, fee } = order;
    const { from, to, amount } = transaction;
    const { inputs, total } = this.takeCoins(from, costOf(order));
    const change = total - amount - fee;
    const outputs: Output[] = [{ owner: to, amount }];
    if (change > 0) outputs.push({ owner: from, amount: change });
    outputs.forEach((output, at) => this.credit(`${id}:${at}`, output));
    return { inputs, outputs };
  }

  private takeCoins(from: Address, cost: Amount): { inputs: OutputId[]; total: Amount } {
    const account = this.account(from);
    // Checked before the first change: a refusal must leave no trace.
    if (account.balance < cost) {
      throw new Error(`ledger: ${from} has ${account.balance}, ${cost} was to be spent`);
    }
    const inputs: OutputId[] = [];
    let total = 0;
    for (const [id, { amount }] of this.outputsOf(from)) {
      if (total >= cost) break;
      inputs.push(id);
      total += amount;
    }
    if (total < cost) throw new Error(`ledger: the coins of ${from} do not add up to its balance`);
    inputs.forEach((id, at) => {
      this.outputs.delete(id);
      this.coins.delete(coinKey(from, account.head + at));
    });
    this.accounts.set(from, {
      ...account,
      balance: account.balance - total,
      head: account.head + inputs.length,
      sent: account.sent + 1,
    });
    return { inputs, total };
  }
}
