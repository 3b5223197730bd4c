import { Injectable } from '@nestjs/common';
import {
  CheckpointError,
  CheckpointService,
  CheckpointUnavailableError,
  CircuitBreaker,
  CircuitOpenError,
  Fallback,
  minutes,
  Retry,
} from 'nestjs-bulwark';
import { Ledger } from '../ledger/ledger.js';
import { Mempool } from '../mempool/mempool.js';

const OUTPUTS_SHOWN = 100;
/** What the store answers with while it is away. */
const AWAY = [CheckpointError, CheckpointUnavailableError];

export interface AccountView {
  readonly address: string;
  readonly balance: number;
  readonly reserved: number;
  readonly available: number;
  readonly sent: number;
  readonly outputCount: number;
  readonly outputs: readonly { readonly id: string; readonly amount: number }[];
  /** There where the store is away: it is what was true when it could last be asked. */
  readonly stale?: true;
}

interface Answer {
  readonly to: object;
  readonly account: AccountView;
}

/** Accounts as they are on disk; while the disk takes nothing, as they last were. */
@Injectable()
export class AccountReads {
  constructor(
    private readonly ledger: Ledger,
    private readonly mempool: Mempool,
    private readonly checkpoints: CheckpointService,
  ) {}

  async get(address: string): Promise<AccountView> {
    const question = {};
    const { to, account } = await this.read(address, question);
    return to === question ? account : { ...account, stale: true };
  }

  /** An answer to another question is one that was kept. */
  @Fallback({
    cache: { ttl: minutes(10), key: (address: string) => address },
    on: [...AWAY, CircuitOpenError],
  })
  @Retry({ maxAttempts: 3, delay: 50, idempotent: true, retryOn: AWAY })
  @CircuitBreaker({ failureThreshold: 6, openFor: 1_000, maxOpenFor: 1_000, failOn: AWAY })
  async read(address: string, to: object): Promise<Answer> {
    const account = this.look(address);
    // What a client has been told, a crash must not take back.
    await this.checkpoints.flush();
    return { to, account };
  }

  private look(address: string): AccountView {
    const { balance, head, tail, sent } = this.ledger.account(address);
    const reserved = this.mempool.reservedBy(address);
    const outputs: { id: string; amount: number }[] = [];
    for (const [id, { amount }] of this.ledger.outputsOf(address)) {
      if (outputs.length === OUTPUTS_SHOWN) break;
      outputs.push({ id, amount });
    }
    return {
      address,
      balance,
      reserved,
      available: balance - reserved,
      sent,
      outputCount: tail - head,
      outputs,
    };
  }
}
