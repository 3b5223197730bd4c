// `node test/bench/checkpoint-calls.mjs [--rounds n] [--callers 1,64,1000] [--lmdb <folder of the package>] [--sqlite <folder>] [--restart n] [--calls n] [--json]`
// of what `npm run build` made: calls of a decorated method, durable when answered, beside the file store alone,
// LMDB (put and flushed) and SQLite (WAL, synchronous FULL). Each contender has a process of its own, the processes
// alternate, medians count. `--calls`: how many of each contender, for a profile. `--json`: all of it as one object on
// the last line. These two are no dependencies: `npm i --no-save lmdb@3 better-sqlite3@12` anywhere, and say where.
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    callers: { type: 'string', default: '1,64,1000' },
    lmdb: { type: 'string', default: 'node_modules/lmdb' },
    sqlite: { type: 'string', default: 'node_modules/better-sqlite3' },
    restart: { type: 'string', default: '0' },
    calls: { type: 'string' },
    json: { type: 'boolean', default: false },
    contender: { type: 'string' },
    directory: { type: 'string' },
  },
});
const line = (text) => process.stdout.write(`${text}\n`);
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
const value = 'x'.repeat(230);

/** A service with one decorated method, in an application; answers how to call it. */
async function application(directory) {
  const { Injectable } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { Checkpoint, CheckpointComponent, Durable, DurableMap, ResilienceModule } =
    await import('nestjs-bulwark');
  class Ledger {
    balances = new DurableMap();
    async put(key, balance) {
      this.balances.set(key, balance);
    }
  }
  const method = Object.getOwnPropertyDescriptor(Ledger.prototype, 'put');
  Durable()(Ledger.prototype, 'balances');
  Checkpoint()(Ledger.prototype, 'put', method);
  Object.defineProperty(Ledger.prototype, 'put', method);
  CheckpointComponent({ name: 'ledger', snapshot: { calls: 1e9 } })(Ledger);
  Injectable()(Ledger);
  class App {}
  const imports = [ResilienceModule.forRoot({ checkpoint: { directory }, health: false })];
  const module = { module: App, imports, providers: [Ledger] };
  const app = await NestFactory.createApplicationContext(module, { logger: ['error'] });
  const ledger = app.get(Ledger);
  return { put: (key) => ledger.put(key, value), size: () => ledger.balances.size, app };
}

const contenders = {
  async decorated(directory) {
    const { put, app } = await application(directory);
    return { put, close: () => app.close() };
  },
  async store(directory) {
    const path = '../../dist/checkpoint/stores/file/file-checkpoint-store.js';
    const { FileCheckpointStore } = await import(path);
    const store = new FileCheckpointStore({ directory });
    await store.open();
    const entry = Buffer.alloc(280, 'e');
    return { put: () => store.append(entry).durable, close: () => store.close() };
  },
  async lmdb(directory) {
    const { main, exports } = JSON.parse(readFileSync(join(values.lmdb, 'package.json'), 'utf8'));
    const entry = exports?.['.']?.node?.import ?? exports?.['.']?.import ?? main;
    const { open } = await import(pathToFileURL(resolve(values.lmdb, entry)).href);
    const db = open({ path: join(directory, 'data.lmdb') });
    const put = async (key) => {
      await db.put(key, value);
      await db.flushed;
    };
    return { put, close: () => db.close() };
  },
  /** What is asked for in one turn of the event loop shares a transaction; the loop stands still for its sync. */
  async sqlite(directory) {
    const Database = createRequire(import.meta.url)(resolve(values.sqlite));
    const db = new Database(join(directory, 'data.sqlite'));
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec('create table state (key text primary key, value text) without rowid');
    const upsert = db.prepare('insert or replace into state values (?, ?)');
    let serial = 0; // what is there already it would not write again
    const commit = db.transaction((batch) => {
      for (const { key } of batch) upsert.run(key, `${(serial += 1)} ${value}`);
    });
    let waiting = [];
    const flush = () => {
      const batch = waiting;
      waiting = [];
      commit(batch);
      for (const { done } of batch) done();
    };
    const put = (key) =>
      new Promise((done) => {
        if (waiting.push({ key, done }) === 1) setImmediate(flush);
      });
    return { put, close: () => db.close() };
  },
};

/** Peers that have to be installed, and the line of the major that runs on this Node. */
const INSTALLED = { lmdb: 'lmdb@3', sqlite: 'better-sqlite3@12' };

/** Starts a look at the event loop. @returns the longest that it stood still, milliseconds */
function watch() {
  let last = performance.now();
  let worst = 0;
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  return () => {
    clearInterval(timer);
    return worst;
  };
}

async function rate(put, callers, total) {
  let next = 0;
  const caller = async () => {
    while (next < total) await put(`k${(next += 1) % 1_000}`);
  };
  const started = performance.now();
  const cpu = process.cpuUsage();
  const worst = watch();
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: total / seconds, cpu: (user + system) / total, worst: worst() };
}

async function measure(name, callers) {
  const directory = mkdtempSync(join(tmpdir(), 'bulwark-bench-'));
  const { put, close } = await contenders[name](directory);
  const total = Number(values.calls ?? (callers === 1 ? 2_000 : 60_000));
  await rate(put, callers, total / 4);
  const result = await rate(put, callers, total);
  await close();
  rmSync(directory, { recursive: true, force: true });
  return result;
}

/** How long an application takes to come back with so many journaled calls. */
async function restart(directory, calls) {
  if (calls > 0) {
    const { put } = await application(directory);
    await rate((key) => put(key), 1_000, calls);
    return {}; // and no good end
  }
  // that a process has to load its code is no matter of the journal
  await Promise.all([import('@nestjs/core'), import('nestjs-bulwark')]);
  const worst = watch();
  const started = performance.now();
  const { size } = await application(directory);
  await new Promise((done) => setTimeout(done, 5));
  return { took: performance.now() - started, worst: worst(), size: size() };
}

function inProcess(...args) {
  const script = fileURLToPath(import.meta.url);
  const given = [script, '--lmdb', values.lmdb, '--sqlite', values.sqlite, ...args];
  if (values.calls !== undefined) given.push('--calls', values.calls);
  return JSON.parse(execFileSync(process.execPath, given, { encoding: 'utf8' }));
}

function compare() {
  const names = Object.keys(contenders).filter((name) => {
    if (!(name in INSTALLED) || existsSync(join(values[name], 'package.json'))) return true;
    line(
      `SKIPPED: ${name} is not in ${values[name]}: npm i --no-save ${INSTALLED[name]}, or --${name} <folder>`,
    );
    return false;
  });
  const results = {};
  for (const callers of values.callers.split(',')) {
    const runs = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < Number(values.rounds); round += 1)
      for (const name of names)
        runs[name].push(inProcess('--contender', name, '--callers', callers));
    results[callers] = {};
    const of = (name, key) => median(runs[name].map((run) => run[key]));
    for (const name of names) {
      const ratio = median(runs.decorated.map((run, i) => run.rate / runs[name][i].rate));
      results[callers][name] = { rate: of(name, 'rate'), cpu: of(name, 'cpu'), ratio };
      line(
        `${callers} callers, ${name}: ${of(name, 'rate').toFixed(0)}/s, ${of(name, 'cpu').toFixed(1)} us of CPU, longest stall ${of(name, 'worst').toFixed(1)} ms` +
          (name === 'decorated' ? '' : `; decorated / ${name} ${ratio.toFixed(2)}`),
      );
    }
  }
  if (values.json) line(JSON.stringify({ callers: results }));
}

if (values.contender === 'restart') {
  const result = await restart(values.directory, Number(values.restart));
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
} else if (values.contender !== undefined) {
  const result = await measure(values.contender, Number(values.callers));
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
} else if (Number(values.restart) > 0) {
  const directory = mkdtempSync(join(tmpdir(), 'bulwark-bench-'));
  const args = ['--contender', 'restart', '--directory', directory];
  inProcess(...args, '--restart', values.restart);
  const { took, worst, size } = inProcess(...args);
  line(
    `restart with ${values.restart} entries of ${size} keys: ${took.toFixed(0)} ms, longest stall ${worst.toFixed(1)} ms`,
  );
  rmSync(directory, { recursive: true, force: true });
} else {
  compare();
}
