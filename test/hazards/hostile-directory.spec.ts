// What somebody who can write the directory, or merely opened it in a file manager, may not bring about.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  decodeLock,
  encodeLock,
  type LockRecord,
} from '../../lib/checkpoint/stores/file/lock-record.js';
import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { verifyCommand } from '../../lib/checkpoint/stores/file/node-verify-command.js';
import type { KeyOptions } from '../../lib/checkpoint/stores/key-input.js';
import { entriesOf } from '../crash/support.js';
import { contentEnd } from '../support/rot.js';

const root = mkdtempSync(join(tmpdir(), 'bulwark-hostile-'));
afterAll(() => rmSync(root, { recursive: true }));

const part = (text: string) => ({ component: 'a', meta: {}, pieces: [Buffer.from(text)] });
const integrityKey = Buffer.alloc(32, 'integrity');

/** A store of two generations, a named checkpoint and an entry, closed. */
async function made(name: string, keys: KeyOptions = {}): Promise<string> {
  const directory = join(root, name);
  const store = new FileCheckpointStore({ directory, ...keys });
  await store.open();
  await store.append(Buffer.from('1')).durable;
  await store.snapshot([part('one')]);
  await store.append(Buffer.from('2')).durable;
  await store.snapshot([part('two')]);
  await store.create('kept', [part('two')]);
  await store.append(Buffer.from('3')).durable;
  await store.close();
  return directory;
}

async function verified(directory: string, env = {}): Promise<{ code: number; said: string }> {
  let said = '';
  const code = await verifyCommand([directory], (text) => (said += text), env);
  return { code, said };
}

const manifests = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.startsWith('g-'));

/** Changes what a lock says. */
function relock(directory: string, change: (record: object) => unknown): void {
  const path = join(
    directory,
    readdirSync(directory).find((name) => name.startsWith('lock-'))!,
  );
  const json = JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8').slice(9)) as object));
  const crc = crc32(json).toString(16).padStart(8, '0');
  writeFileSync(path, `${crc} ${json}`.padEnd(511).concat('\n'));
}

describe('a file of no use with the last of all numbers in its name', () => {
  test.each(['lock-9999999999', 'g-9999999999-9999999999-0000000000-1'])(
    '%s refuses the start, rather than have files written that nobody finds again',
    async (name) => {
      const directory = await made(name);
      writeFileSync(join(directory, name), '');
      const before = readdirSync(directory);
      const store = new FileCheckpointStore({ directory });
      await expect(store.open()).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
      expect(readdirSync(directory)).toEqual(before);
      rmSync(join(directory, name));
      expect(await entriesOf(await store.open())).toHaveLength(1);
      await store.close();
    },
  );

  test('a state: no checkpoint is made, and none removed', async () => {
    const directory = await made('state');
    writeFileSync(join(directory, 's-9999999999-0000000001-1-a'), '');
    const store = new FileCheckpointStore({ directory });
    await store.open();
    await store.append(Buffer.from('4')).durable;
    await expect(store.snapshot([part('three')])).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
    });
    await store.close();
    expect(manifests(directory)).toHaveLength(3);
    const next = new FileCheckpointStore({ directory });
    expect(await entriesOf(await next.open())).toHaveLength(2);
    await next.close();
  });
});

describe('a stray file in a named checkpoint', () => {
  test('that is removed outlives it, and does not stand in the way of the next start', async () => {
    const directory = await made('stray');
    writeFileSync(join(directory, 'named', 'kept', '.DS_Store'), '');
    const store = new FileCheckpointStore({ directory });
    await store.open();
    await store.remove('kept');
    await store.close();
    const next = new FileCheckpointStore({ directory });
    await next.open();
    expect(await next.list()).toHaveLength(2);
    await next.close();
    const [left] = readdirSync(join(directory, 'named'));
    expect(readdirSync(join(directory, 'named', left!))).toEqual(['.DS_Store']);
  });

  test('nor does a directory with the name of a file of ours', async () => {
    const directory = await made('stray-directory');
    const unfinished = join(directory, 'named', `tmp-${'0'.repeat(32)}`);
    mkdirSync(join(unfinished, 's-0000000000-0000000000-1-a'), { recursive: true });
    const store = new FileCheckpointStore({ directory });
    await store.open();
    await store.close();
  });
});

describe('bulwark-verify', () => {
  test('is not told by a manifest in the place of another that all is whole', async () => {
    const directory = await made('swapped');
    const [first] = manifests(directory);
    const last = manifests(directory).at(-1)!;
    copyFileSync(join(directory, first!), join(directory, last));
    const { code, said } = await verified(directory);
    expect(said).toContain(`damage: ${last}: it is that of another checkpoint`);
    expect(code).toBe(1);
  });

  test('lists no generation of another store', async () => {
    const [directory, other] = [await made('own'), await made('other')];
    for (const name of readdirSync(other).filter((name) => /^[gs]-0000000002/.test(name))) {
      copyFileSync(join(other, name), join(directory, name));
    }
    const { code, said } = await verified(directory);
    expect(said).toMatch(/^damage: g-0000000002-.*: it belongs to another store$/m);
    expect(said).not.toMatch(/^generation 2/m);
    expect(code).toBe(1);
  });

  test('lists no named checkpoint of another store with the same key, which could not be restored', async () => {
    const directory = await made('keyed', { integrityKey });
    const other = await made('keyed-other', { integrityKey });
    rmSync(join(directory, 'named'), { recursive: true });
    cpSync(join(other, 'named'), join(directory, 'named'), { recursive: true });
    const env = { BULWARK_INTEGRITY_KEY: integrityKey.toString('hex') };
    const { code, said } = await verified(directory, env);
    expect(said).toContain('damage: named/kept: it belongs to another store');
    expect(code).toBe(1);
  });

  test('shows the rest where a manifest has a time that is none', async () => {
    const directory = await made('time');
    const path = join(directory, manifests(directory).at(-1)!);
    const text = readFileSync(path, 'utf8');
    const json = text.slice(text.indexOf('\n') + 1).replace(/("createdAt": )\d+/, '$11e300');
    const digest = createHash('sha256').update(json).digest('hex');
    writeFileSync(path, `BULWARK-CHECKPOINT 1 ${digest}\n${json}`);
    const { code, said } = await verified(directory);
    expect(said).toContain('it is not what a manifest should be');
    expect(said).toMatch(/^generation 1/m);
    expect(code).toBe(1);
  });

  test('does not call an empty directory whole, nor one of which only named checkpoints are left', async () => {
    const directory = await made('wiped');
    for (const name of readdirSync(directory)) {
      if (name !== 'named') rmSync(join(directory, name));
    }
    expect(await verified(directory)).toMatchObject({ code: 2 });
    rmSync(join(directory, 'named'), { recursive: true });
    const { code, said } = await verified(directory);
    expect(said).toMatch(/^There is no store in /);
    expect(code).toBe(2);
  });

  test('sends nothing from a lock to the terminal', async () => {
    const directory = await made('terminal');
    relock(directory, (record) => ({ ...record, durable: '\u001B[2J\u009B31m all is well' }));
    const { said } = await verified(directory);
    expect(said).not.toMatch(/all is well|\p{Cc}(?<!\n)/u);
  });
});

describe('a lock is believed only where it says what a lock says', () => {
  const record: LockRecord = {
    ...{ host: 'here', boot: 'b', pidNamespace: 'pid:[1]', pid: 7, started: '1', token: 't' },
    ...{
      epoch: 1,
      beat: 1,
      uptime: 1,
      at: '2026-01-01T00:00:00.000Z',
      durable: 3,
      released: false,
    },
  };
  test.each<[string, object, boolean?]>([
    ['a process number that is a path, of which files would be read', { pid: '../../tmp' }],
    ['a process number that stands for all processes', { pid: -1 }],
    ['an entry that is none', { durable: '3' }],
    ['a host that moves the cursor', { host: '\u009B2J' }],
    ['a time that turns the direction of writing', { at: '\u202E' }],
    ['one that lacks nothing', { host: '' }, true],
  ])('%s', (_, change, isGood = false) => {
    const bytes = encodeLock({ ...record, ...change });
    expect(decodeLock(bytes) !== undefined).toBe(isGood);
  });

  test('nothing at all', () => {
    const crc = crc32('null').toString(16).padStart(8, '0');
    expect(decodeLock(Buffer.from(`${crc} null`))).toBeUndefined();
  });
});

describe('behind the end of the journal', () => {
  /** Puts something behind the last batch. */
  async function withTail(name: string, tail: (salt: number) => Buffer): Promise<string> {
    const directory = await made(name);
    const segment = readdirSync(directory)
      .filter((file) => file.startsWith('j-'))
      .at(-1)!;
    const path = join(directory, segment);
    const bytes = readFileSync(path);
    // where the next batch would have come
    const journal = bytes.subarray(0, contentEnd(bytes));
    writeFileSync(path, Buffer.concat([journal, tail(bytes.readUInt32LE(12))]));
    return directory;
  }

  /** The beginning of a batch with so many bytes, that would prove damage if it were whole. */
  function head(into: Buffer, at: number, salt: number, bodyBytes: number): void {
    into.writeUInt32LE(salt, at);
    into.writeUInt32LE(bodyBytes, at + 8);
    into.writeUInt32LE(1, at + 12);
    into.writeUInt32LE(0xffff_0000, at + 24);
  }

  test('a great many beginnings of large batches keep nobody busy for hours', async () => {
    const directory = await withTail('busy', (salt) => {
      const tail = Buffer.alloc(8 * 1024 * 1024);
      for (let at = 0; at + 32 <= tail.length; at += 32) {
        head(tail, at, salt, Math.min(4 * 1024 * 1024, tail.length - at - 32));
      }
      return tail;
    });
    const { code, said } = await verified(directory);
    expect(said).toContain('looks like a batch and is none');
    expect(code).toBe(1);
    const store = new FileCheckpointStore({ directory });
    await expect(store.open()).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });

  test('a large batch of which a crash left the beginning is a torn end', async () => {
    const directory = await withTail('torn', (salt) => {
      const tail = Buffer.alloc(100);
      head(tail, 0, salt, 15 * 1024 * 1024);
      tail[99] = 1;
      return tail;
    });
    const store = new FileCheckpointStore({ directory });
    const contents = await store.open();
    expect(contents.report.tailTruncatedBytes).toBe(100);
    expect(await entriesOf(contents)).toHaveLength(1);
    await store.close();
  });

  test('many small ones that were not synced are looked at in one go', async () => {
    const directory = await withTail('small', (salt) => {
      const tail = Buffer.alloc(32 * 1024 * 1024);
      for (let at = 4; at + 32 <= tail.length; at += 256) tail.writeUInt32LE(salt, at);
      tail[tail.length - 1] = 1;
      return tail;
    });
    const store = new FileCheckpointStore({ directory });
    expect((await store.open()).report.tailTruncatedBytes).toBe(32 * 1024 * 1024);
    await store.close();
  });
});
