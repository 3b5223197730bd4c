// `node test/bench/recovery.mjs [--blocks n] [--entries n] [--rounds n]` of what `npm run build` and `npm run build:sample` made: what recovery
// costs on the sample's chain, kept on a real disk: a backup, a full check, and how long the event loop is held meanwhile. Medians count.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { RecoveryManager } from '../../dist/index.js';

const SAMPLE = '../../sample/banking-stage/dist';
const { BankingStage } = await import(`${SAMPLE}/banking/banking-stage.js`);
const { keyPairFrom } = await import(`${SAMPLE}/keys/key-pair.js`);
const { createNode } = await import(`${SAMPLE}/node/create-node.js`);
const { SETTINGS_DEFAULTS } = await import(`${SAMPLE}/settings.js`);
const { signPayment } = await import(`${SAMPLE}/transaction/transaction.js`);

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '1000' },
    entries: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '9' },
  },
});
const [blocks, entries, rounds] = [values.blocks, values.entries, values.rounds].map(Number);
const [alice, bob, validator] = ['alice', 'bob', 'validator'].map(keyPairFrom);
const directory = mkdtempSync(join(tmpdir(), 'bulwark-bench-'));
const settings = {
  ...SETTINGS_DEFAULTS,
  upstreamUrl: 'http://127.0.0.1:1',
  dataDirectory: directory,
  blockInterval: 3_600_000,
  allocations: [{ owner: alice.address, amount: 1_000_000_000 }],
  validator: validator.address,
};

async function start() {
  const app = await createNode(settings, { logger: false });
  await app.init();
  return app;
}

async function fill(banking) {
  for (let height = 1; height <= blocks; height++) {
    const payments = Array.from({ length: entries }, (_, at) =>
      signPayment({ to: bob.address, amount: 1, maxFee: 9, nonce: height * entries + at }, alice),
    );
    await Promise.all(payments.map((one) => banking.accept(one, { fee: 1, verdict: 'cleared' })));
    await banking.produceBlock(height);
  }
}

/** Milliseconds of the work, those of them that a processor worked, and of the 99th percentile and the maximum of the event loop's delay during it. */
async function timed(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.cpuUsage();
  const from = performance.now();
  await work();
  const ms = performance.now() - from;
  const used = process.cpuUsage(before);
  const cpu = (used.user + used.system) / 1e3;
  await new Promise((resolve) => setImmediate(resolve));
  delay.disable();
  return { ms, cpu, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
}

function tell(what, runs, aim) {
  const median = (field) =>
    runs.map((run) => run[field]).toSorted((a, b) => a - b)[Math.floor(runs.length / 2)];
  const [ms, cpu, p99, max] = ['ms', 'cpu', 'p99', 'max'].map((field) => median(field).toFixed(1));
  console.log(
    `${what.padEnd(44)} ${ms} ms (${aim}), ${cpu} ms of processor, event loop p99 ${p99} ms, max ${max} ms`,
  );
}

async function many(work) {
  const runs = [];
  for (let round = 0; round < rounds; round++) runs.push(await timed(() => work(round)));
  return runs;
}

try {
  let app = await start();
  await fill(app.get(BankingStage));
  await app.close();

  // Another life of the node, which has seen no signature yet.
  app = await start();
  const manager = app.get(RecoveryManager);
  const size = `${blocks} blocks with ${entries} transactions each`;
  const check = async () => {
    const { isCorrupted, issues } = await manager.checkCorruption();
    if (isCorrupted) throw new Error(JSON.stringify(issues.slice(0, 3)));
  };
  tell(`first check of ${size}`, [await timed(check)], 'all signatures');
  tell('full check', await many(check), 'aim 200 ms');
  tell('backup', await many((round) => manager.createCheckpoint(`bench-${round}`)), 'aim 50 ms');
  tell('restore drill', await many(() => manager.restoreDrill()), 'no aim');
  await app.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
