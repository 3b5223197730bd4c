import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '../../sample/banking-stage/src/dice/seeded-random.js';
import type { Block } from '../../sample/banking-stage/src/chain/block.js';
import { RpcClient, RpcFailure } from '../../sample/banking-stage/src/client/rpc.client.js';
import { poll } from '../../sample/banking-stage/src/client/poll.js';
import { checkChain } from '../../sample/banking-stage/src/integrity/chain.checks.js';
import { Child } from '../../sample/banking-stage/src/process/child.js';
import { listen } from '../../sample/banking-stage/src/process/listening.js';
import { SETTINGS_DEFAULTS } from '../../sample/banking-stage/src/settings.js';
import { transactionId } from '../../sample/banking-stage/src/transaction/transaction.js';
import type { Transaction } from '../../sample/banking-stage/src/transaction/transaction.js';
import { createUpstream } from '../../sample/banking-stage/src/upstream/upstream.server.js';
import { rotInTheMiddle } from '../support/rot.js';
import { alice, bob, pay, validator } from '../unit/sample/people.js';

const NODE = new URL('../../sample/banking-stage/dist/node/main.js', import.meta.url);
const DEADLINE = 30_000;
const PATIENCE = 120_000;
const CLIENTS = 12;
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

const upstream = createUpstream({ seed: 1, dials: { latencyMs: 1 } });
let upstreamUrl: string;
let directory: string;
let running: Child[] = [];

beforeAll(async () => {
  upstreamUrl = await listen(upstream, 0);
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'banking-stage-crash-'));
});

afterEach(async () => {
  for (const node of running) if (node.running) await node.kill();
  running = [];
  await rm(directory, { recursive: true });
});

afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

interface Served {
  readonly node: Child;
  readonly rpc: RpcClient;
  readonly ms: number;
}

function launch(dataDirectory: string): Child {
  const settings = {
    ...SETTINGS_DEFAULTS,
    blockInterval: 50,
    upstreamUrl,
    dataDirectory,
    verify: true,
    allocations: [alice, bob].map(({ address }) => ({ owner: address, amount: 10_000_000 })),
    validator: validator.address,
  };
  const env = { NODE_SETTINGS: JSON.stringify(settings), NO_COLOR: '1' };
  const node = Child.start('node', NODE, env);
  running.push(node);
  return node;
}

async function serve(dataDirectory = directory): Promise<Served> {
  const start = performance.now();
  const node = launch(dataDirectory);
  const rpc = new RpcClient(await node.listening());
  return { node, rpc, ms: performance.now() - start };
}

/** Why a node does not start. */
async function refusal(dataDirectory: string): Promise<string> {
  const outcome = await launch(dataDirectory)
    .listening()
    .then(
      () => 'it started',
      (error: Error) => error.message,
    );
  return outcome;
}

/** Clients that send until the node is gone; resolves to what they were told, and what they were not. */
class Clients {
  readonly acknowledged: Transaction[] = [];
  readonly unanswered: Transaction[] = [];
  private readonly working: Promise<void[]>;

  constructor(rpc: RpcClient) {
    this.working = Promise.all(Array.from({ length: CLIENTS }, () => this.work(rpc)));
  }

  get gone(): Promise<void[]> {
    return this.working;
  }

  private async work(rpc: RpcClient): Promise<void> {
    for (;;) {
      const sent = pay(alice, bob, 1, 100);
      try {
        await rpc.call('sendTransaction', sent);
        this.acknowledged.push(sent);
      } catch (error) {
        if (error instanceof RpcFailure) throw error;
        this.unanswered.push(sent);
        return;
      }
    }
  }
}

async function chainOf(rpc: RpcClient): Promise<Block[]> {
  await poll('an empty mempool', DEADLINE, async () => {
    const { pending } = await rpc.call<{ pending: number }>('getHealth');
    return pending === 0 ? true : undefined;
  });
  const { height } = await rpc.call<Block>('getBlock', 'latest');
  const heights = Array.from({ length: height + 1 }, (_, at) => at);
  const blocks = await Promise.all(heights.map((at) => rpc.call<Block>('getBlock', at)));
  // The objects of fetch are those of another realm, and Jest's are not.
  return JSON.parse(JSON.stringify(blocks)) as Block[];
}

function idsIn(blocks: readonly Block[]): string[] {
  return blocks.flatMap(({ entries }) => entries.map(({ id }) => id));
}

/** Sends again what had no answer: it is accepted now, or was before. */
async function sendAgain(rpc: RpcClient, sent: Transaction): Promise<string> {
  return rpc.call('sendTransaction', sent).then(
    () => 'accepted',
    (error: RpcFailure) => error.reason,
  );
}

async function problemsOf(node: Child): Promise<readonly string[]> {
  return (await node.ask('examine', 'examined')).problems;
}

async function working(rpc: RpcClient, count: number): Promise<Clients> {
  const clients = new Clients(rpc);
  await poll(`${count} acknowledgements`, DEADLINE, () =>
    clients.acknowledged.length >= count ? true : undefined,
  );
  return clients;
}

async function filesOf(dataDirectory: string, pattern: RegExp): Promise<string[]> {
  const names = (await readdir(dataDirectory)).filter((name) => pattern.test(name)).toSorted();
  return names.map((name) => join(dataDirectory, name));
}

describe(`a banking stage that is killed with kill -9 (SEED=${SEED})`, () => {
  it(
    'has everything that it acknowledged, once, each time it comes back',
    async () => {
      const dice = new SeededRandom(SEED);
      const acknowledged: Transaction[] = [];
      const unanswered: Transaction[] = [];
      const times: number[] = [];
      let seen: Block[] = [];

      for (let kill = 0; kill < 5; kill++) {
        const { node, rpc, ms } = await serve();
        times.push(Math.round(ms));
        for (const sent of unanswered.splice(0)) {
          expect(['accepted', 'replayed']).toContain(await sendAgain(rpc, sent));
          acknowledged.push(sent);
        }
        const clients = await working(rpc, 30);
        await new Promise((resolve) => setTimeout(resolve, dice.next() * 150));
        const tip = await rpc.call<Block>('getBlock', 'latest');
        await node.kill();
        await clients.gone;
        acknowledged.push(...clients.acknowledged);
        unanswered.push(...clients.unanswered);
        seen = [...seen, tip];
      }

      const { node, rpc, ms } = await serve();
      times.push(Math.round(ms));
      for (const sent of unanswered) await sendAgain(rpc, sent);
      const blocks = await chainOf(rpc);
      const ids = idsIn(blocks);
      process.stderr.write(
        `kill -9: ${acknowledged.length} acknowledged, ${unanswered.length} interrupted last; starts took ${times.join(', ')} ms\n`,
      );
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.toSorted()).toEqual(
        [...acknowledged, ...unanswered].map(transactionId).toSorted(),
      );
      // A block that a client has seen stays: nothing that was told is taken back.
      for (const { height, hash } of seen) expect(blocks[height]?.hash).toBe(hash);
      expect(checkChain(blocks)).toEqual([]);
      expect(await rpc.call('getStatistics')).toEqual({
        accepted: ids.length,
        provisional: 0,
        executed: ids.length,
        expired: 0,
      });
      expect(await problemsOf(node)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'gives what was sent twice around the crash one place in the chain',
    async () => {
      const first = await serve();
      const sent = pay(alice, bob, 5, 100);
      await first.rpc.call('sendTransaction', sent);
      await first.node.kill();

      const { rpc } = await serve();

      expect(await sendAgain(rpc, sent)).toBe('replayed');
      expect(idsIn(await chainOf(rpc))).toEqual([transactionId(sent)]);
    },
    PATIENCE,
  );
});

describe('a banking stage on its directory', () => {
  it(
    'saves its state when it is ended by SIGTERM, in mid-traffic, and goes on from there',
    async () => {
      const first = await serve();
      const clients = await working(first.rpc, 40);
      const ended = clients.gone.catch(() => []); // refused while it closes: an answer as well
      await first.node.stop();
      await ended;
      expect((await filesOf(directory, /^g-/)).length).toBeGreaterThan(0);

      const { node, rpc } = await serve();

      const ids = new Set(idsIn(await chainOf(rpc)));
      expect(clients.acknowledged.filter((sent) => !ids.has(transactionId(sent)))).toEqual([]);
      expect(await problemsOf(node)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'is alone there: a second one is refused, and the first goes on',
    async () => {
      const { node, rpc } = await serve();

      const problem = await refusal(directory);

      expect(problem).toContain(directory);
      expect(problem).toContain(`${node.pid}`);
      await rpc.call('sendTransaction', pay(alice, bob, 5, 100));
    },
    PATIENCE,
  );

  it(
    'refuses the directory of another chain',
    async () => {
      const { node } = await serve();
      await node.stop();
      const settings = {
        ...SETTINGS_DEFAULTS,
        upstreamUrl,
        dataDirectory: directory,
        allocations: [{ owner: bob.address, amount: 7 }],
        validator: validator.address,
      };
      const other = Child.start('node', NODE, { NODE_SETTINGS: JSON.stringify(settings) });

      await expect(other.listening()).rejects.toThrow(/holds another chain/);
    },
    PATIENCE,
  );
});

describe('a banking stage whose disk has rotted', () => {
  it(
    'skips a saved state that is damaged, says so, and has everything all the same',
    async () => {
      const acknowledged: Transaction[] = [];
      for (let life = 0; life < 2; life++) {
        const { node, rpc } = await serve();
        for (let n = 0; n < 10; n++) {
          const sent = pay(alice, bob, 1, 100);
          await rpc.call('sendTransaction', sent);
          acknowledged.push(sent);
        }
        await chainOf(rpc);
        await node.stop();
      }
      const newest = (await filesOf(directory, /^s-.*-chain$/)).at(-1)!;
      await rotInTheMiddle(newest);

      const { node, rpc } = await serve();

      const ids = idsIn(await chainOf(rpc));
      expect(ids.toSorted()).toEqual(acknowledged.map(transactionId).toSorted());
      const name = newest.split('/').at(-1)!;
      // It is still there to be looked at, and all that is wrong.
      for (const problem of await problemsOf(node)) expect(problem).toContain(name);
      expect(node.output.join('\n')).toContain(`checkpoint: ${name} is not used`);
    },
    PATIENCE,
  );

  it(
    'does not start over a journal that is damaged in the middle, and says why',
    async () => {
      const { node, rpc } = await serve();
      const clients = await working(rpc, 60);
      await node.kill();
      await clients.gone;
      const copy = `${directory}-copy`;
      await cp(directory, copy, { recursive: true });
      const journal = (await filesOf(copy, /^j-/)).at(-1)!;
      await rotInTheMiddle(journal);

      const problem = await refusal(copy);

      process.stderr.write(`${problem}\n`);
      expect(problem).toMatch(/damage/i);
      expect(problem).toContain(journal.split('/').at(-1));
      // The disk as it was before is as good as ever.
      const ids = new Set(idsIn(await chainOf((await serve()).rpc)));
      expect(clients.acknowledged.filter((sent) => !ids.has(transactionId(sent)))).toEqual([]);
      await rm(copy, { recursive: true });
    },
    PATIENCE,
  );
});
