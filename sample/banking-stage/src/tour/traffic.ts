import type { Receipt } from '../banking/banking-stage.js';
import { RpcFailure } from '../client/rpc.client.js';
import type { RpcClient } from '../client/rpc.client.js';
import { SeededRandom } from '../dice/seeded-random.js';
import type { Transaction } from '../transaction/transaction.js';
import type { Books, Phase, Sent } from './books.js';
import type { TrafficPlan } from './plan.js';

const WORKERS = 16;
/** How long a client thinks between two payments, milliseconds. */
const PAUSE = { least: 10, most: 50 };
/** How long one waits who got no answer. */
const RETRY_PAUSE_MS = 50;

type Outcome = Pick<Sent, 'receipt' | 'accepted' | 'problem'> & { readonly unanswered?: true };

/** Many clients at once, each waiting for the answer before its next payment. */
export class Traffic {
  phase: Phase = 'calm';
  /** Whether a transaction without an answer is sent again, as it is, until there is one. */
  persistent = false;
  /** How many were sent again. */
  resent = 0;
  private stopped = false;
  private workers: Promise<void>[] = [];

  constructor(
    private readonly plan: TrafficPlan,
    private readonly rpc: RpcClient,
    private readonly books: Books,
    private readonly breakerIsOpen: () => boolean,
  ) {}

  start(): void {
    this.workers = Array.from({ length: WORKERS }, (_, at) => this.work(at));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.workers);
  }

  private async work(at: number): Promise<void> {
    const dice = new SeededRandom(this.plan.seed * WORKERS + at);
    while (!this.stopped) {
      await this.send(this.plan.next(), this.phase);
      const pause = dice.between(PAUSE.least, PAUSE.most);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** Signed, sent and entered into the books, whatever the answer. */
  async send(transaction: Transaction, phase: Phase): Promise<Sent> {
    const record = { transaction, phase, whileOpen: this.breakerIsOpen() };
    const id = this.books.open(record);
    const start = performance.now();
    let outcome = await this.attempt(transaction);
    if (outcome.unanswered && this.persistent) this.resent++;
    while (outcome.unanswered && this.persistent) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
      outcome = await this.attempt(transaction);
      // Then the answer was lost, and not the transaction.
      if (outcome.problem === 'replayed') outcome = { accepted: true };
    }
    const { unanswered: _, ...closing } = outcome;
    return this.books.close(id, { ...closing, ms: performance.now() - start });
  }

  private async attempt(transaction: Transaction): Promise<Outcome> {
    try {
      return { receipt: await this.rpc.call<Receipt>('sendTransaction', transaction) };
    } catch (error) {
      if (error instanceof RpcFailure) return { problem: error.reason };
      return { problem: String(error), unanswered: true };
    }
  }
}
