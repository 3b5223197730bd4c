import { Injectable } from '@nestjs/common';
import { Checkpoint, CheckpointComponent, Durable, DurableMap } from 'nestjs-bulwark';
import { executeOrders } from '../chain/block.js';
import type { BlockFrame, Entry } from '../chain/block.js';
import type { Address } from '../keys/key-pair.js';
import type { Order } from '../transaction/order.js';
import type { Amount } from '../transaction/transaction.js';
import type { Account } from './account.js';
import type { CoinKey, Execution, Output, OutputId } from './output.js';
import { Purses } from './purses.js';
import { Scratch } from './scratch.js';

/**
 * The money as it is after the last block: `Purses` that are kept.
 *
 * What `executeAll` does is kept as a whole or not at all; on a node, `credit` and `execute` work
 * only inside it.
 */
@Injectable()
@CheckpointComponent({ name: 'ledger' })
export class Ledger {
  @Durable() private readonly outputs = new DurableMap<OutputId, Output>();
  @Durable() private readonly coins = new DurableMap<CoinKey, OutputId>();
  @Durable() private readonly accounts = new DurableMap<Address, Account>();
  private readonly purses = new Purses(this.outputs, this.coins, this.accounts);

  balance(address: Address): Amount {
    return this.account(address).balance;
  }

  account(address: Address): Account {
    return this.purses.account(address);
  }

  outputsOf(address: Address): Generator<[OutputId, Output]> {
    return this.purses.outputsOf(address);
  }

  allOutputs(): ReadonlyMap<OutputId, Output> {
    return this.outputs;
  }

  allCoins(): ReadonlyMap<CoinKey, OutputId> {
    return this.coins;
  }

  allAccounts(): ReadonlyMap<Address, Account> {
    return this.accounts;
  }

  /** Executes what is to be in a block, as a part of the transaction that records the block. */
  @Checkpoint()
  async executeAll(block: BlockFrame, orders: readonly Order[]): Promise<Entry[]> {
    return executeOrders(this, block, orders);
  }

  /** What executing these orders now would do; changes nothing. Throws where it cannot be done. */
  tryOut(block: BlockFrame, orders: readonly Order[]): Entry[] {
    const [outputs, coins] = [new Scratch(this.outputs), new Scratch(this.coins)];
    const purses = new Purses(outputs, coins, new Scratch(this.accounts));
    return executeOrders(purses, block, orders);
  }

  describeState(): { accounts: number; outputs: number } {
    return { accounts: this.accounts.size, outputs: this.outputs.size };
  }

  credit(id: OutputId, output: Output): void {
    this.purses.credit(id, output);
  }

  execute(order: Order): Execution {
    return this.purses.execute(order);
  }
}
