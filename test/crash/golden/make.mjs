// `node test/crash/golden/make.mjs <directory>` of what `npm run build` made: writes the directories that golden.spec.ts
// reads, one plain, one with each kind of key. Dice, time and process are fixed, so that the same code writes the
// same bytes. Run it once for each version of the format, with `test/crash/golden/<version>`; never over an old one:
// those are what was released, and has to be read for ever.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

let dice = 0;
crypto.randomInt = () => (dice += 1);
// names of unfinished files have to differ; what is drawn beside other things must not depend on the order
crypto.randomBytes = (size) =>
  size === 32 ? Buffer.alloc(32, 'golden') : Buffer.alloc(size, String((dice += 1)));
syncBuiltinESMExports();
const { FileCheckpointStore } =
  await import('../../../dist/checkpoint/stores/file/file-checkpoint-store.js');

const [, , target] = process.argv;
if (target === undefined) throw new Error('the directory to write to is missing');

let time = Date.UTC(2026, 0, 1);
const clock = { now: () => 0, epoch: () => (time += 1_000), schedule: () => () => {} };
const self = { host: 'golden', boot: 'boot', pidNamespace: 'namespace', pid: 1, started: '1' };
const machine = { self, startOf: () => undefined, uptime: () => 1_000 };
const part = (component, ...pieces) => ({
  component,
  meta: { pieces: pieces.length, of: component, whole: true, next: null },
  pieces: pieces.map((piece) => Buffer.from(piece)),
});

async function live(options, work) {
  const store = new FileCheckpointStore({ clock, machine, ...options });
  await store.open();
  const append = async (...entries) => {
    const all = entries.map((entry) => store.append(Buffer.from(entry)).durable);
    await Promise.all(all);
  };
  await work(store, append);
  await store.close();
}

for (const [name, keys] of Object.entries({
  plain: {},
  integrity: { integrityKey: Buffer.alloc(32, 'golden integrity') },
  encryption: { encryptionKey: Buffer.alloc(32, 'golden encryption') },
})) {
  dice = 0;
  const options = { directory: join(target, name), ...keys };
  await live(options, async (store, append) => {
    await append('entry 1', 'entry 2');
    await append('');
    await store.snapshot([part('ledger', 'ledger ', 'at 3'), part('pool')]);
    await append('entry 4');
    await store.create('before-restore', [part('ledger', 'named at 4')]);
    await store.snapshot([part('ledger', 'restored at 4'), part('pool', 'pool at 4')], {
      barrier: true,
    });
    await append('entry 5', 'entry 6');
  });
  await live(options, async (store, append) => {
    await append('entry 7');
    await store.snapshot([
      part('ledger', 'x'.repeat(20_000)),
      { component: 'pool', unchanged: true },
    ]);
    await append('entry 8', 'é'.repeat(100));
  });
}
