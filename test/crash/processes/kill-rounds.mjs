// `kill-rounds.mjs [rounds] [durability]`: a writer is killed again and again, a few milliseconds after it has
// opened; nothing that it said to be safe may be missing. #102
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, FileCheckpointStore } from './store.mjs';

const [rounds = '200', durability = 'sync'] = process.argv.slice(2);
const writer = fileURLToPath(new URL('writer.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'bulwark-kill-'));
let acked = 0;
let made = 0;
let entries = 0;

for (let round = 1; round <= Number(rounds); round += 1) {
  const child = spawn(process.execPath, [writer, directory, durability], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  let said = '';
  let wrong = '';
  child.stderr.on('data', (chunk) => (wrong += chunk));
  child.stdout.on('data', (chunk) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), Math.random() * 30);
    said += chunk;
  });
  await ended;
  const numbers = (word) =>
    [...said.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map((m) => +m[1]);
  const [opened] = numbers('opened');
  if (opened === undefined || wrong !== '') throw new Error(`round ${round}: ${said}${wrong}`);
  if (opened < acked)
    throw new Error(`round ${round}: ${acked} was acknowledged, ${opened} is there`);
  acked = Math.max(opened, ...numbers('acked'));
  made = Math.max(made, ...numbers('made'));
  entries = acked;
}

const store = new FileCheckpointStore({ directory });
const contents = await store.open();
const last = await check(contents);
if (last < acked) throw new Error(`${acked} was acknowledged, ${last} is there`);
const newest = Math.max(...(await store.list()).map(({ id }) => Number(id) || 0));
if (newest < made) throw new Error(`generation ${made} was made, ${newest} is there`);
const temporaries = readdirSync(directory).filter((name) => name.startsWith('tmp-'));
if (temporaries.length > 0) throw new Error(`left behind: ${temporaries}`);
const { ok, findings } = await store.verify();
if (!ok) throw new Error(JSON.stringify(findings));
await store.close();
rmSync(directory, { recursive: true });
process.stdout.write(
  `${JSON.stringify({ rounds: Number(rounds), entries, generations: newest })}\n`,
);
