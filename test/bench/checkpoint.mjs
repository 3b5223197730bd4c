// `node test/bench/checkpoint.mjs [--rounds n] [--only append|snapshot]` of what `npm run build` made: the file store beside plain calls
// to node:fs that do the same work by hand. Rounds alternate; medians count.
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

async function storeJournal() {
  const store = new FileCheckpointStore({ directory: place() });
  await store.open();
  return { append: (entry) => store.append(entry).durable, close: () => store.close() };
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
const pieces = function* () {
  for (let i = 0; i < 100; i += 1) yield chunk;
};

async function plainSnapshot() {
  const fd = openSync(place(), 'wx');
  const result = await timed(async () => {
    const hash = createHash('sha256');
    let position = 0;
    for (const piece of pieces()) {
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

async function storeSnapshot() {
  const store = new FileCheckpointStore({ directory: place() });
  await store.open();
  await store.snapshot([{ component: 'small', meta: {}, pieces: [] }]);
  const part = { component: 'big', meta: {}, pieces: pieces() };
  const result = await timed(() => store.snapshot([part]));
  await store.close();
  return result;
}

const line = (text) => process.stdout.write(`${text}\n`);
if (values.only !== 'snapshot') {
  for (const callers of [1, 64, 1_000]) {
    const [plain, ours] = [[], []];
    for (let i = 0; i < rounds; i += 1) {
      plain.push(await appendsPerSecond(plainJournal(), callers));
      ours.push(await appendsPerSecond(await storeJournal(), callers));
    }
    const ratio = median(ours.map((rate, i) => rate / plain[i]));
    line(
      `${callers} callers, 250 B, durable: ${median(ours).toFixed(0)}/s, plain ${median(plain).toFixed(0)}/s, ratio ${ratio.toFixed(2)}`,
    );
  }
}
if (values.only !== 'append') {
  const [plain, ours] = [[], []];
  for (let i = 0; i < rounds; i += 1) {
    plain.push(await plainSnapshot());
    ours.push(await storeSnapshot());
    for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
  }
  const of = (all, key) => median(all.map((one) => one[key])).toFixed(1);
  const ratio = median(plain.map(({ took }, i) => took / ours[i].took));
  line(
    `snapshot of 100 MB, read back: ${of(ours, 'took')} ms, longest stall ${of(ours, 'worst')} ms; plain ${of(plain, 'took')} ms, stall ${of(plain, 'worst')} ms; ratio ${ratio.toFixed(2)}`,
  );
}
rmSync(root, { recursive: true, force: true });
