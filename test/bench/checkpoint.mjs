// `node test/bench/checkpoint.mjs [--rounds n] [--only append|snapshot|keys|restart]` of what `npm run build` made: the file store beside plain calls
// to node:fs that do the same work by hand, and beside lmdb where that is installed. Rounds alternate; medians count.
import { createHash } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  fsync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  write,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { FileCheckpointStore } from '../../dist/checkpoint/stores/file/file-checkpoint-store.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
const root = mkdtempSync(join(tmpdir(), 'bulwark-bench-'));
let places = 0;
const place = () => join(root, String((places += 1)));
const [writeAt, sync, datasync] = [write, fsync, fdatasync].map((call) => promisify(call));
const entry = Buffer.alloc(250, 'e');
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];

/** Group commit by hand: what is asked for during a write and a sync shares the next. No checksum, no bounds. */
function plainJournal() {
  const fd = openSync(place(), 'wx');
  let position = 0;
  let waiting = [];
  let busy = false;
  const run = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const bytes = Buffer.concat(batch.map(({ entry }) => entry));
      await writeAt(fd, bytes, 0, bytes.length, position);
      position += bytes.length;
      await datasync(fd);
      for (const { resolve } of batch) resolve();
    }
    busy = false;
  };
  return {
    append: (entry) =>
      new Promise((resolve) => {
        waiting.push({ entry, resolve });
        if (busy) return;
        busy = true;
        void Promise.resolve().then(run);
      }),
    close: async () => closeSync(fd),
  };
}

const KEYS = {
  integrityKey: { integrityKey: Buffer.alloc(32, 1) },
  encryptionKey: { encryptionKey: Buffer.alloc(32, 1) },
};

async function storeJournal(keys) {
  const store = new FileCheckpointStore({ directory: place(), ...keys });
  await store.open();
  return { append: (entry) => store.append(entry).durable, close: () => store.close() };
}

/** A put and its flush for each entry, as an application would do it; undefined where it is not installed. */
const lmdb = await import('lmdb').catch(() => undefined);
let key = 0;
function lmdbJournal() {
  const db = lmdb.open({ path: place(), keyEncoding: 'uint32', encoding: 'binary' });
  return {
    append: async (entry) => {
      await db.put((key += 1), entry);
      await db.flushed;
    },
    close: () => db.close(),
  };
}

async function appendsPerSecond(journal, callers) {
  const total = callers === 1 ? 1_500 : 20_000;
  const started = performance.now();
  const caller = async () => {
    for (let i = 0; i < total / callers; i += 1) await journal.append(entry);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - started) / 1_000;
  await journal.close();
  return total / seconds;
}

/** Runs it and answers how long it took and the longest that the event loop stood still. */
async function timed(task) {
  let last = performance.now();
  let worst = 0;
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  const started = performance.now();
  await task();
  const took = performance.now() - started;
  await new Promise((resolve) => setTimeout(resolve, 5));
  clearInterval(timer);
  return { took, worst };
}

const MB = 1024 * 1024;
const chunk = Buffer.alloc(MB, 'state ');
const pieces = function* (count) {
  for (let i = 0; i < count; i += 1) yield chunk;
};

async function plainSnapshot(megabytes) {
  const fd = openSync(place(), 'wx');
  const result = await timed(async () => {
    const hash = createHash('sha256');
    let position = 0;
    for (const piece of pieces(megabytes)) {
      hash.update(piece);
      await writeAt(fd, piece, 0, piece.length, position);
      position += piece.length;
    }
    await sync(fd);
    hash.digest();
  });
  closeSync(fd);
  return result;
}

async function storeSnapshot(megabytes, keys) {
  const store = new FileCheckpointStore({ directory: place(), ...keys });
  await store.open();
  await store.snapshot([{ component: 'small', meta: {}, pieces: [] }]);
  const part = { component: 'big', meta: {}, pieces: pieces(megabytes) };
  const result = await timed(() => store.snapshot([part]));
  await store.close();
  return result;
}

/** A journal of so many entries and no snapshot: opened, and every entry handed out. */
async function restart(entries) {
  const directory = place();
  const before = new FileCheckpointStore({ directory });
  await before.open();
  for (let i = 0; i < entries; i += 1_000) {
    for (let n = 1; n < 1_000; n += 1) before.append(entry);
    await before.append(entry).durable;
  }
  await before.close();
  const store = new FileCheckpointStore({ directory });
  let contents;
  const opening = await timed(async () => {
    contents = await store.open();
  });
  let count = 0;
  const reading = await timed(async () => {
    for await (const { sequence } of contents.entries()) count = sequence;
  });
  await store.close();
  if (count !== entries) throw new Error(`${count} of ${entries} entries came back`);
  return { opening, reading };
}

const line = (text) => process.stdout.write(`${text}\n`);
const clear = () => {
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
};
const wanted = (name) => values.only === undefined || values.only === name;
const of = (all, key) => median(all.map((one) => one[key])).toFixed(1);

async function appends() {
  if (lmdb === undefined) line('lmdb is NOT measured: not installed, `npm i --no-save lmdb@3`');
  for (const callers of [1, 64, 1_000]) {
    const [plain, ours, theirs] = [[], [], []];
    for (let i = 0; i < rounds; i += 1) {
      plain.push(await appendsPerSecond(plainJournal(), callers));
      ours.push(await appendsPerSecond(await storeJournal(), callers));
      if (lmdb !== undefined) theirs.push(await appendsPerSecond(lmdbJournal(), callers));
    }
    const beside = (name, rates) => {
      const ratio = median(ours.map((rate, i) => rate / rates[i]));
      return `${name} ${median(rates).toFixed(0)}/s, ratio ${ratio.toFixed(2)}`;
    };
    line(
      `${callers} callers, 250 B, durable: ${median(ours).toFixed(0)}/s, ${beside('plain', plain)}` +
        (lmdb === undefined ? '' : `; ${beside('lmdb', theirs)}`),
    );
    clear();
  }
}
async function snapshots() {
  for (const megabytes of [1, 100]) {
    const [plain, ours] = [[], []];
    for (let i = 0; i < rounds; i += 1) {
      plain.push(await plainSnapshot(megabytes));
      ours.push(await storeSnapshot(megabytes));
      clear();
    }
    const ratio = median(plain.map(({ took }, i) => took / ours[i].took));
    line(
      `snapshot of ${megabytes} MB, read back: ${of(ours, 'took')} ms, longest stall ${of(ours, 'worst')} ms; plain ${of(plain, 'took')} ms, stall ${of(plain, 'worst')} ms; ratio ${ratio.toFixed(2)}`,
    );
  }
}
async function restarts() {
  const entries = 1_000_000;
  const { opening, reading } = await restart(entries);
  const said = ({ took, worst }) => `${took.toFixed(0)} ms, longest stall ${worst.toFixed(1)} ms`;
  line(
    `restart with ${entries} entries of 250 B, the store alone: open ${said(opening)}; all entries handed out ${said(reading)}`,
  );
}
/** What keys cost, beside the same without. */
async function keyed() {
  for (const [name, keys] of Object.entries(KEYS)) {
    const [plain, ours] = [[], []];
    const [plainRates, rates] = [[], []];
    for (let i = 0; i < rounds; i += 1) {
      plainRates.push(await appendsPerSecond(await storeJournal(), 64));
      rates.push(await appendsPerSecond(await storeJournal(keys), 64));
      plain.push(await storeSnapshot(100));
      ours.push(await storeSnapshot(100, keys));
      clear();
    }
    line(
      `with an ${name}: 64 callers ${median(rates).toFixed(0)}/s, without ${median(plainRates).toFixed(0)}/s; ` +
        `snapshot of 100 MB ${of(ours, 'took')} ms, longest stall ${of(ours, 'worst')} ms, without ${of(plain, 'took')} ms`,
    );
  }
}

if (wanted('append')) await appends();
if (wanted('snapshot')) await snapshots();
if (wanted('keys')) await keyed();
if (wanted('restart')) await restarts();
rmSync(root, { recursive: true, force: true });
