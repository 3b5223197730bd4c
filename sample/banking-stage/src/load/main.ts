import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keyPairFrom } from '../keys/key-pair.js';
import { Child } from '../process/child.js';
import { SETTINGS_DEFAULTS } from '../settings.js';
import type { NodeSettings } from '../settings.js';
import { signPayment } from '../transaction/transaction.js';
import { Figures } from './figures.js';
import { Wire } from './wire.js';

// Signed payments through one node that keeps a journal, with the policies and without: what do they cost?

const NODE = new URL('../node/main.js', import.meta.url);
const UPSTREAM = new URL('../upstream/main.js', import.meta.url);
/** The two nodes take turns, so that whatever else this machine does meets both. */
const TURNS = 5;
const WARM_UP = 500;

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '64' },
  },
});
const transactions = wholeNumber('transactions', values.transactions);
const clients = wholeNumber('clients', values.clients);
const people = Array.from({ length: 16 }, (_, at) => keyPairFrom(`load/${at}`));
const directory = mkdtempSync(join(tmpdir(), 'banking-load-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

try {
  await run();
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

async function run(): Promise<void> {
  const upstream = Child.start('upstream', UPSTREAM, { UPSTREAM_PORT: '0' });
  const upstreamUrl = await upstream.listening();
  await dial(upstreamUrl, { latencyMs: 0 });
  const contenders = await Promise.all(
    [true, false].map(async (enabled) => {
      const node = Child.start('node', NODE, {
        NODE_SETTINGS: JSON.stringify(settingsOf(upstreamUrl, enabled)),
        NO_COLOR: '1',
      });
      const wire = new Wire(await node.listening(), clients);
      await send(wire, signed(WARM_UP, 1), new Figures());
      return { enabled, node, wire, figures: new Figures() };
    }),
  );
  console.log(`${transactions} transactions, ${clients} clients, journal on, one node`);
  for (let turn = 0; turn < TURNS; turn++) {
    const bodies = signed(Math.ceil(transactions / TURNS), 2 + turn);
    const order = turn % 2 === 0 ? contenders : contenders.toReversed();
    for (const { wire, figures } of order) await send(wire, bodies, figures);
  }
  for (const { enabled, figures } of contenders) {
    console.log(`policies ${enabled ? 'on ' : 'off'}   ${String(figures)}`);
  }
  const [on, off] = contenders.map(({ figures }) => figures);
  const cost = (on!.elapsed - off!.elapsed) / on!.count;
  const share = (on!.elapsed / off!.elapsed - 1) * 100;
  console.log(
    `the decorators cost ${(cost * 1_000).toFixed(0)} µs a transaction (${share.toFixed(1)} %)`,
  );
  for (const { node, wire } of contenders) {
    wire.close();
    const { problems } = await node.ask('examine', 'examined');
    if (problems.length > 0) throw new Error(`the node finds: ${problems.join('\n')}`);
    await node.stop();
  }
  console.log('both nodes examined themselves, and find nothing wrong');
  await upstream.stop();
}

function settingsOf(upstreamUrl: string, enabled: boolean): NodeSettings {
  return {
    ...SETTINGS_DEFAULTS,
    upstreamUrl,
    enabled,
    dataDirectory: join(directory, enabled ? 'on' : 'off'),
    allocations: people.map(({ address }) => ({ owner: address, amount: 1_000_000_000 })),
    validator: people[0]!.address,
    // It is one client here: what is measured is the node, not its patience.
    requestsPerSecond: 1_000_000,
  };
}

/** Requests that are signed before the clock runs. The same for both nodes. */
function signed(count: number, turn: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const from = people[at % people.length]!;
    const to = people[(at + 1) % people.length]!.address;
    const transaction = signPayment({ to, amount: 1, maxFee: 100, nonce: turn * 1e6 + at }, from);
    const params = [transaction];
    return JSON.stringify({ jsonrpc: '2.0', id: at, method: 'sendTransaction', params });
  });
}

/** As fast as the node takes them: each client waits for its answer. */
async function send(wire: Wire, bodies: readonly string[], figures: Figures): Promise<void> {
  wire.renew();
  const left = bodies[Symbol.iterator]();
  const start = performance.now();
  const client = async (): Promise<void> => {
    for (const body of left) {
      const began = performance.now();
      const answer = await wire.send(body);
      if (!answer.includes('"result"')) throw new Error(`refused: ${answer}`);
      figures.add(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  figures.elapsed += performance.now() - start;
}

async function dial(url: string, dials: object): Promise<void> {
  const answer = await fetch(`${url}/dials`, { method: 'PUT', body: JSON.stringify(dials) });
  if (!answer.ok) throw new Error(await answer.text());
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new Error(`--${option} must be a whole number from 1, not ${JSON.stringify(text)}`);
}
