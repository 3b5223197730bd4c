import { Injectable } from '@nestjs/common';
import { CheckpointService, ResilienceRegistry, seconds, TimeLimit } from 'nestjs-bulwark';
import { BankingStage } from '../banking/banking-stage.js';
import { Submissions } from '../banking/submissions.js';
import { Chain } from '../chain/chain.js';
import { isHexadecimal } from '../codec/hexadecimal.js';
import { isAddress } from '../keys/key-pair.js';
import { Ledger } from '../ledger/ledger.js';
import { Mempool } from '../mempool/mempool.js';
import { AccountReads } from './account.reads.js';
import { arrangeParams, shown } from './json-rpc.js';
import type { RpcParams } from './json-rpc.js';
import { RpcError } from './rpc.error.js';

interface RpcMethod {
  readonly params: readonly string[];
  readonly run: (...args: unknown[]) => unknown;
  /** Whether it answers with state, which may be on its way to the disk still. */
  readonly reads?: true;
}

@Injectable()
export class RpcMethods {
  /** A Map, not an object: a method called `constructor` must be unknown. */
  private readonly methods = new Map<string, RpcMethod>([
    ['sendTransaction', { params: ['transaction'], run: (sent) => this.submissions.submit(sent) }],
    ['getBalance', reading(['address'], (of) => this.ledger.balance(address(of)))],
    ['getAccount', { params: ['address'], run: (of) => this.accounts.get(address(of)) }],
    ['getBlock', reading(['height'], (at) => this.getBlock(at))],
    ['getTransaction', reading(['id'], (of) => this.getTransaction(transaction(of)))],
    ['getTransactionCount', reading(['address?'], (of) => this.getTransactionCount(of))],
    ['getStatistics', reading([], () => this.banking.statistics)],
    ['getHealth', { params: [], run: () => this.getHealth() }],
  ]);

  constructor(
    private readonly submissions: Submissions,
    private readonly banking: BankingStage,
    private readonly accounts: AccountReads,
    private readonly chain: Chain,
    private readonly ledger: Ledger,
    private readonly mempool: Mempool,
    private readonly registry: ResilienceRegistry,
    private readonly checkpoints: CheckpointService,
  ) {}

  /**
   * No caller waits longer, whatever happens further in. A transaction whose sender was told so may
   * still be accepted: without a receipt it is open, and sending it again (`replayed`) settles it.
   */
  @TimeLimit(seconds(8))
  async call(name: string, params: RpcParams): Promise<unknown> {
    const method = this.methods.get(name);
    if (!method) throw new RpcError('unknown-method', `there is no method ${shown(name)}`);
    const answer = await method.run(...arrangeParams(method.params, params));
    // What a client has been told, a crash must not take back.
    if (method.reads) await this.checkpoints.flush();
    return answer;
  }

  private getBlock(at: unknown) {
    if (at === 'latest') return this.chain.tip;
    if (typeof at === 'number' && Number.isSafeInteger(at) && at >= 0) {
      return this.chain.blockAt(at) ?? null;
    }
    throw new RpcError('invalid-params', 'height must be a whole number or "latest"');
  }

  private getTransaction(id: string) {
    const found = this.chain.find(id);
    if (found) return { status: 'confirmed', ...found, ...this.remarkOn(id) };
    const entry = this.mempool.find(id);
    if (entry) return { status: 'pending', entry, ...this.remarkOn(id) };
    const validUntil = this.mempool.expiryOf(id);
    return validUntil === undefined ? null : { status: 'expired', validUntil };
  }

  /** What compliance said of it when it was too late to ask. */
  private remarkOn(id: string): { readonly flagged?: true } {
    return this.banking.isFlagged(id) ? { flagged: true } : {};
  }

  private getTransactionCount(of: unknown) {
    return of === undefined ? this.chain.transactionCount : this.ledger.account(address(of)).sent;
  }

  private getHealth() {
    const { breakers } = this.registry;
    const keyed = breakers
      .keyedList()
      .flatMap((one) => one.list().map(([key, { state }]) => ({ name: one.name, key, state })));
    const impaired = [
      ...breakers.list().map(({ name, state }) => ({ name, state })),
      ...keyed,
    ].filter(({ state }) => state !== 'closed');
    return {
      status: impaired.length === 0 ? 'ok' : 'degraded',
      level: this.submissions.level,
      impaired,
      height: this.chain.tip.height,
      pending: this.mempool.size,
    };
  }
}

function reading(params: readonly string[], run: RpcMethod['run']): RpcMethod {
  return { params, run, reads: true };
}

function address(value: unknown): string {
  if (isAddress(value)) return value;
  throw new RpcError('invalid-params', 'address must be 64 lower-case hex digits');
}

function transaction(value: unknown): string {
  if (isHexadecimal(value, 64)) return value;
  throw new RpcError('invalid-params', 'id must be 64 lower-case hex digits');
}
