// `power-cut.mjs [cuts] [durability]`: a real ext4 on a loop device loses its power in the middle of writing (EXT4_IOC_SHUTDOWN without
// flushing its log), again and again; nothing acknowledged before the cut may be missing. Needs root, loop devices and perl.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, FileCheckpointStore } from './store.mjs';

const [cuts = '20', durability = 'sync'] = process.argv.slice(2);
const root = mkdtempSync(join(tmpdir(), 'bulwark-power-'));
const image = join(root, 'disk');
const mounted = join(root, 'mounted');
const directory = join(mounted, 'store');
const run = (command, ...args) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
// _IOR('X', 125, __u32) with EXT4_GOING_FLAGS_NOLOGFLUSH
const CUT =
  'open(my $d, "<", $ARGV[0]) or die $!; my $flags = pack("L", 2); ioctl($d, 0x8004587d, $flags) or die $!';

let facts = { last: 0, made: 0, acked: 0, torn: 0 };
try {
  if (process.getuid?.() !== 0) throw new Error('not root');
  mkdirSync(mounted);
  run('truncate', '-s', '128M', image);
  run('mkfs.ext4', '-q', '-F', image);
  run('mount', '-o', 'loop', image, mounted);
} catch (error) {
  process.stdout.write(`SKIPPED: no power can be cut here: ${error.message.split('\n')[0]}\n`);
  rmSync(root, { recursive: true, force: true });
  process.exit(0);
}

const numbers = (said, word) =>
  [...said.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map((m) => Number(m[1]));

async function cut(before) {
  const writer = fileURLToPath(new URL('writer.mjs', import.meta.url));
  const child = spawn(process.execPath, [writer, directory, durability], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => (said += chunk));
  while (!said.includes('acked')) await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
  // what has been heard by now was acknowledged while there was power
  const heard = said.slice(0, said.lastIndexOf('\n') + 1);
  const closed = once(child, 'close');
  try {
    run('perl', '-e', CUT, mounted);
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
  run('umount', mounted);
  run('mount', '-o', 'loop', image, mounted);

  const store = new FileCheckpointStore({ directory });
  const contents = await store.open();
  const last = await check(contents);
  // without a sync only what a checkpoint holds is promised
  const acked = durability === 'sync' ? Math.max(before.last, ...numbers(heard, 'acked')) : 0;
  const made = Math.max(before.made, ...numbers(heard, 'made'));
  if (last < acked) throw new Error(`${acked} was acknowledged, ${last} is there`);
  const newest = Math.max(0, ...(await store.list()).map(({ id }) => Number(id) || 0));
  if (newest < made) throw new Error(`generation ${made} was made, ${newest} is there`);
  await store.close();
  const torn = contents.report.tailTruncatedBytes > 0 ? 1 : 0;
  return {
    last,
    made: newest,
    acked: before.acked + Math.max(0, acked - before.last),
    torn: before.torn + torn,
  };
}

try {
  for (let n = 0; n < Number(cuts); n += 1) facts = await cut(facts);
} catch (error) {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
} finally {
  run('umount', '--lazy', mounted);
  rmSync(root, { recursive: true, force: true });
}
if (process.exitCode === undefined) {
  process.stdout.write(`${JSON.stringify({ cuts: Number(cuts), ...facts })}\n`);
}
