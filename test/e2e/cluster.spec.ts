import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Block } from '../../sample/banking-stage/src/chain/block.js';
import { poll } from '../../sample/banking-stage/src/client/poll.js';
import { RpcFailure } from '../../sample/banking-stage/src/client/rpc.client.js';
import { SeededRandom } from '../../sample/banking-stage/src/dice/seeded-random.js';
import { Ensemble } from '../../sample/banking-stage/src/ensemble/ensemble.js';
import { checkChain } from '../../sample/banking-stage/src/integrity/chain.checks.js';
import { keyPairFrom } from '../../sample/banking-stage/src/keys/key-pair.js';
import { listen } from '../../sample/banking-stage/src/process/listening.js';
import { transactionId } from '../../sample/banking-stage/src/transaction/transaction.js';
import type { Transaction } from '../../sample/banking-stage/src/transaction/transaction.js';
import { createUpstream } from '../../sample/banking-stage/src/upstream/upstream.server.js';
import { pay } from '../unit/sample/people.js';

const NODE = new URL('../../sample/banking-stage/dist/node/main.js', import.meta.url);
const WORKERS = 40;
const FUNDS = 1_000_000;
/** For what must happen, milliseconds: far more than it takes. */
const DEADLINE = 60_000;
const PATIENCE = 300_000;
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

const clients = Array.from({ length: 12 }, (_, at) => keyPairFrom(`cluster/client${at}`));
const poor = keyPairFrom('cluster/poor');
const owners = [...clients, poor];
const upstream = createUpstream({ seed: 1, dials: { latencyMs: 1 } });
let ensemble: Ensemble;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'banking-cluster-'));
  ensemble = await Ensemble.open({
    settings: {
      upstreamUrl: await listen(upstream, 0),
      blockInterval: 60,
      allocations: owners.map(({ address }) => ({ owner: address, amount: FUNDS })),
    },
    directory,
    script: NODE,
  });
}, PATIENCE);

afterAll(async () => {
  await ensemble.close();
  upstream.closeAllConnections();
  upstream.close();
  await rm(directory, { recursive: true });
}, PATIENCE);

/** Signed payments to and fro until it is ended, each sent until somebody acknowledges it. */
class Traffic {
  readonly acknowledged: string[] = [];
  private readonly dice = new SeededRandom(SEED);
  private readonly workers: Promise<void>[];
  private ending = false;

  constructor() {
    this.workers = Array.from({ length: WORKERS }, () => this.work());
  }

  /** Waits until `count` more are acknowledged. */
  async goesOn(count: number): Promise<void> {
    const aim = this.acknowledged.length + count;
    await poll(`${aim} acknowledged`, DEADLINE, () =>
      this.acknowledged.length >= aim ? true : undefined,
    );
  }

  /** Waits until all that was sent is acknowledged. */
  async end(): Promise<void> {
    this.ending = true;
    await Promise.all(this.workers);
  }

  private async work(): Promise<void> {
    while (!this.ending) {
      await this.send(pay(this.someone(), this.someone(), this.dice.between(1, 50), 100));
    }
  }

  private async send(transaction: Transaction): Promise<void> {
    for (;;) {
      const { names } = ensemble;
      const name = names[this.dice.between(0, names.length - 1)]!;
      const outcome = await ensemble
        .rpc(name, 10_000)
        .call('sendTransaction', transaction)
        .then(
          () => 'accepted',
          (error: unknown) => (error instanceof RpcFailure ? error.reason : 'unanswered'),
        );
      if (outcome === 'accepted' || outcome === 'replayed') break;
      if (!['unanswered', 'read-only', 'unconfirmed', 'overloaded'].includes(outcome)) {
        throw new Error(`refused: ${outcome}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.acknowledged.push(transactionId(transaction));
  }

  private someone() {
    return clients[this.dice.between(0, clients.length - 1)]!;
  }
}

const others = (victim: string): string[] => ensemble.names.filter((name) => name !== victim);

/** The state of a breaker as the last move left it. */
function stateOf(on: string, of: string): string {
  return ensemble.moves.findLast((move) => move.on === on && move.of === of)?.to ?? 'closed';
}

function breakersOpened(since: number): string[] {
  const opened = ensemble.moves.slice(since).filter(({ to }) => to === 'open');
  return [...new Set(opened.map(({ on, of }) => `${on} of ${of}`))].toSorted();
}

async function whenOthers(victim: string, are: string): Promise<void> {
  await poll(`breakers of ${victim} ${are}`, DEADLINE, () =>
    others(victim).every((name) => stateOf(name, victim) === are) ? true : undefined,
  );
}

function heightOf(name: string): Promise<number> {
  return ensemble
    .rpc(name)
    .call<{ height: number }>('getHealth')
    .then(({ height }) => height);
}

async function caughtUp(victim: string): Promise<void> {
  const [other = ''] = others(victim);
  const height = await heightOf(other);
  await poll(`${victim} at ${height}`, DEADLINE, async () =>
    (await heightOf(victim)) >= height ? true : undefined,
  );
}

async function chainOf(name: string): Promise<Block[]> {
  const height = await heightOf(name);
  const heights = Array.from({ length: height + 1 }, (_, at) => at);
  const blocks: Block[] = [];
  for (let from = 0; from < heights.length; from += 20) {
    blocks.push(
      ...(await ensemble.rpc(name).callEach<Block>('getBlock', heights.slice(from, from + 20))),
    );
  }
  // objects of this realm: only those have a canonical form here
  return JSON.parse(JSON.stringify(blocks)) as Block[];
}

it(
  'of two payments of the same money, sent to two nodes at once, one is acknowledged',
  async () => {
    const [one, other] = clients;
    const sent = [one!, other!].map((to) => pay(poor, to, FUNDS - 100_000, 50_000));

    const outcomes = await Promise.all(
      sent.map((transaction, at) =>
        ensemble
          .rpc(ensemble.names[at]!)
          .call('sendTransaction', transaction)
          .then(
            () => 'accepted',
            (error: RpcFailure) => error.reason,
          ),
      ),
    );

    expect(outcomes.toSorted()).toEqual(['accepted', 'insufficient-funds']);
  },
  PATIENCE,
);

it(
  'three nodes, one killed, one frozen, one cut off, agree in the end, and lose nothing they acknowledged',
  async () => {
    const start = ensemble.moves.length;
    const traffic = new Traffic();
    await traffic.goesOn(150);
    expect(breakersOpened(start)).toEqual([]);

    const fault = async (victim: string, strike: () => unknown, mend: () => unknown) => {
      const since = ensemble.moves.length;
      await strike();
      await whenOthers(victim, 'open');
      // the others go on without it
      await traffic.goesOn(150);
      const opened = breakersOpened(since).filter((one) => !one.startsWith(`${victim} of`));
      expect(opened).toEqual(others(victim).map((name) => `${name} of ${victim}`));
      await mend();
      await whenOthers(victim, 'closed');
      await caughtUp(victim);
      await traffic.goesOn(150);
    };

    await fault(
      'node1',
      () => ensemble.kill('node1'),
      () => ensemble.start('node1'),
    );
    await fault(
      'node2',
      () => ensemble.freeze('node2'),
      () => ensemble.thaw('node2'),
    );
    await fault(
      'node3',
      async () => {
        ensemble.cut('node3');
        await poll('read-only', DEADLINE, async () => {
          const [from, to] = clients;
          const refused = ensemble.rpc('node3').call('sendTransaction', pay(from!, to!, 1, 100));
          const reason = await refused.then(
            () => 'accepted',
            (error: RpcFailure) => error.reason,
          );
          return reason === 'read-only' ? true : undefined;
        });
        // it answers what it knows all the same
        expect(await heightOf('node3')).toBeGreaterThan(0);
      },
      () => ensemble.heal('node3'),
    );
    await traffic.end();

    await poll('the same height everywhere, and nothing pending', DEADLINE, async () => {
      const healths = await Promise.all(
        ensemble.names.map((name) =>
          ensemble.rpc(name).call<{ height: number; pending: number }>('getHealth'),
        ),
      );
      const [first] = healths;
      return healths.every(({ height, pending }) => height === first!.height && pending === 0)
        ? true
        : undefined;
    });
    const [chain, ...copies] = await Promise.all(ensemble.names.map((name) => chainOf(name)));
    for (const copy of copies) expect(copy).toEqual(chain);
    expect(checkChain(chain!)).toEqual([]);

    // every acknowledged transaction exactly once
    const ids = chain!.flatMap(({ entries }) => entries.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(traffic.acknowledged).size).toBe(traffic.acknowledged.length);
    expect(traffic.acknowledged.filter((id) => !ids.includes(id))).toEqual([]);

    // the money is all there, and the nodes find nothing wrong with themselves
    for (const name of ensemble.names) {
      const addresses = [
        ...owners.map(({ address }) => address),
        ...new Set(chain!.map(({ validator }) => validator)),
      ];
      const balances = await ensemble
        .rpc(name)
        .callEach<number>('getBalance', addresses.slice(0, 20));
      expect(balances.reduce((sum, one) => sum + one, 0)).toBe(owners.length * FUNDS);
      expect(await ensemble.examine(name)).toEqual([]);
    }
    for (const name of ensemble.names) {
      for (const other of others(name))
        expect([name, other, stateOf(name, other)]).toEqual([name, other, 'closed']);
    }
  },
  PATIENCE,
);
