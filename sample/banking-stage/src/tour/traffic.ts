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

/** Many clients at once, each waiting for the answer before its next payment. */
export class Traffic {
  phase: Phase = 'calm';
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
    try {
      const receipt = await this.rpc.call<Receipt>('sendTransaction', transaction);
      return this.books.close(id, { receipt, ms: performance.now() - start });
    } catch (error) {
      const problem = error instanceof RpcFailure ? error.reason : String(error);
      return this.books.close(id, { problem, ms: performance.now() - start });
    }
  }
}
