import { poll } from '../client/poll.js';
import type { RpcClient } from '../client/rpc.client.js';
import { SeededRandom } from '../dice/seeded-random.js';
import type { TransactionId } from '../transaction/transaction.js';
import type { Books } from './books.js';
import type { HealthWatch } from './health-watch.js';
import { chapter, say } from './narrator.js';
import type { TrafficPlan } from './plan.js';
import { atLeast, exactly, type Row } from './report.js';
import type { Stage } from './stage.js';
import type { Traffic } from './traffic.js';

const KILLS = 3;
const PATIENCE_MS = 30_000;
/** As many as a node takes in one batch. */
const ASKED_AT_ONCE = 20;
/** After each restart the latest are looked up, which are most at risk; the reckoning looks up all. */
const LATEST = 400;

export interface CrashScene {
  readonly plan: TrafficPlan;
  readonly stage: Stage;
  readonly books: Books;
  readonly rpc: RpcClient;
  readonly watch: HealthWatch;
  readonly traffic: Traffic;
}

/** The chapter in which the node is killed, again and again, while clients are waiting for answers. */
export class Crashes {
  private readonly dice: SeededRandom;
  private readonly lost = new Set<TransactionId>();
  private acknowledged = 0;
  private interrupted = 0;
  private slowest = 0;

  constructor(private readonly scene: CrashScene) {
    this.dice = new SeededRandom(scene.plan.seed);
  }

  async tell(): Promise<Row[]> {
    const { traffic, books } = this.scene;
    chapter(`kill -9: the node, in the midst of the traffic, ${KILLS} times`);
    traffic.persistent = true;
    traffic.phase = 'crash';
    for (let kill = 0; kill < KILLS; kill++) {
      const enough = books.acknowledgedIn('crash') + this.dice.between(60, 160);
      await poll(`${enough} acknowledgements`, PATIENCE_MS, () =>
        books.acknowledgedIn('crash') >= enough ? true : undefined,
      );
      await this.kill();
    }
    await poll('everyone to have an answer', PATIENCE_MS, () =>
      books.underway().some(({ phase }) => phase !== 'crash') ? undefined : true,
    );
    say(`${traffic.resent} transactions had no answer and were sent again as they were`);
    return this.rows();
  }

  private async kill(): Promise<void> {
    const { stage, books, watch } = this.scene;
    // Somewhere within two blocks, so that each step of their making has its turn.
    const delay = this.dice.next() * 400;
    await new Promise((resolve) => setTimeout(resolve, delay));

    watch.away = true;
    await stage.node.kill();
    const known = books.acknowledged().map(({ id }) => id);
    const underway = books.underway().length;
    say(`killed: ${known.length} acknowledged so far, ${underway} waiting for an answer`);

    const ms = await stage.restart();
    watch.follow(stage.node);
    watch.away = false;
    const missing = await this.missing(known.slice(-LATEST));
    say(
      `serves again after ${Math.round(ms)} ms (pid ${stage.node.pid}), ${missing.length} of the latest lost`,
    );

    this.slowest = Math.max(this.slowest, ms);
    this.acknowledged = known.length;
    this.interrupted += underway;
    for (const id of missing) this.lost.add(id);
  }

  /** Which of these the node knows nothing of. */
  private async missing(ids: readonly TransactionId[]): Promise<TransactionId[]> {
    const { rpc } = this.scene;
    const batches = Array.from({ length: Math.ceil(ids.length / ASKED_AT_ONCE) }, (_, at) =>
      ids.slice(at * ASKED_AT_ONCE, (at + 1) * ASKED_AT_ONCE),
    );
    const missing = batches.map(async (asked) => {
      const found = await rpc.callEach<object | null>('getTransaction', asked);
      return asked.filter((_, position) => !found[position]);
    });
    return (await Promise.all(missing)).flat();
  }

  private rows(): Row[] {
    const seconds = this.slowest / 1_000;
    return [
      {
        name: 'kill -9, time to serve again',
        must: '< 60 s',
        is: `${seconds.toFixed(1)} s`,
        ok: seconds < 60,
      },
      atLeast('... acknowledged before it', 1_000, this.acknowledged),
      exactly('... of the latest lost', 0, this.lost.size),
      atLeast('... interrupted in mid-call', 1, this.interrupted),
    ];
  }
}
