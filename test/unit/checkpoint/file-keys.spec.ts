import { crc32 } from 'node:zlib';
import type { KeyInput, KeyOptions } from '../../../lib/checkpoint/stores/key-input.js';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import type { FileSystem, OpenFile } from '../../../lib/checkpoint/stores/file/file-system.js';
import { SealKey } from '../../../lib/checkpoint/stores/file/keyring.js';
import { newSeal } from '../../../lib/checkpoint/stores/file/seal.js';
import { SEALED_HEADER_BYTES } from '../../../lib/checkpoint/stores/file/segment-header.js';
import { verifyDirectory } from '../../../lib/checkpoint/stores/file/verify.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';
import { bytesOf, entriesOf, FakeMachine, stillClock } from '../../crash/support.js';

const keyOf = (name: string): Buffer => Buffer.from(name.padEnd(32, '.'));
const [A, B] = [keyOf('key A'), keyOf('key B')];
const refusedForKey = { name: 'CheckpointError', code: 'CHECKPOINT_KEY' };

const part = (
  component: string,
  ...texts: string[]
): { component: string; meta: { about: string }; pieces: Buffer[] } => ({
  component,
  meta: { about: `meta of ${component}` },
  pieces: texts.map((text) => Buffer.from(text)),
});

class Place {
  readonly disk = new CrashFileSystem(seededRandom(1));
  private readonly machine = new FakeMachine();

  store(keys: KeyOptions = {}, fs: FileSystem = this.disk): FileCheckpointStore {
    this.machine.restart();
    const { machine } = this;
    return new FileCheckpointStore({
      directory: '/store',
      fs,
      machine,
      clock: stillClock,
      ...keys,
    });
  }

  /** Opened, something done, closed. */
  async live(
    keys: KeyOptions,
    work: (store: FileCheckpointStore) => Promise<unknown>,
  ): Promise<void> {
    const store = this.store(keys);
    await store.open();
    await work(store);
    await store.close();
  }

  async names(start = '', directory = '/store'): Promise<string[]> {
    const names = await this.disk.list(directory);
    return names.filter((name) => name.startsWith(start)).toSorted();
  }

  bytes(name: string): Buffer {
    return this.disk.bytesOf(`/store/${name}`);
  }

  /** Every file that is there, with its bytes. */
  async all(): Promise<[string, string][]> {
    const names = await this.names();
    const files = names.filter((name) => name !== 'named');
    return files.map((name) => [name, this.bytes(name).toString('hex')]);
  }
}

const append = async (store: FileCheckpointStore, ...texts: string[]): Promise<void> => {
  for (const text of texts) await store.append(Buffer.from(text)).durable;
};

/** Two generations, and entries behind the last. */
const fill = async (store: FileCheckpointStore): Promise<void> => {
  await append(store, 'entry 1', 'entry 2');
  await store.snapshot([part('ledger', 'state 2'), part('pool', 'pool 2')]);
  await append(store, 'entry 3');
  await store.snapshot([part('ledger', 'state 3'), { component: 'pool', unchanged: true }]);
  await append(store, 'entry 4', 'entry 5', 'entry 6');
};

const textsIn = async (
  contents: Awaited<ReturnType<FileCheckpointStore['open']>>,
): Promise<unknown> => {
  const states: string[] = [];
  for (const saved of contents.parts.values()) states.push((await bytesOf(saved)).toString());
  const entries = await entriesOf(contents);
  return [states, entries.map(({ entry }) => entry.toString())];
};

const FILLED = [
  ['state 3', 'pool 2'],
  ['entry 4', 'entry 5', 'entry 6'],
];

const KINDS: [string, (key: KeyInput) => KeyOptions][] = [
  ['integrityKey', (integrityKey) => ({ integrityKey })],
  ['encryptionKey', (encryptionKey) => ({ encryptionKey })],
];

describe.each(KINDS)('a store with an %s', (kind, keys) => {
  let place: Place;
  beforeEach(async () => {
    place = new Place();
    await place.live(keys(A), fill);
  });

  /** Puts the checksum of a batch right, as somebody would who forges it. */
  const resum = (bytes: Buffer, at: number): void => {
    const length = bytes.readUInt32LE(at + 8);
    const salt = bytes.readUInt32LE(at);
    bytes.writeUInt32LE(crc32(bytes.subarray(at + 8, at + 32 + length), salt), at + 4);
  };

  test('gives back what it was given', async () => {
    const store = place.store(keys(A));
    expect(await textsIn(await store.open())).toEqual(FILLED);
    expect((await store.verify()).findings).toEqual([]);
    await store.close();
  });

  test(`${kind === 'encryptionKey' ? 'nothing' : 'all'} of it can be read on the disk`, async () => {
    const all = (await place.names())
      .filter((name) => !name.startsWith('lock'))
      .map((name) => place.bytes(name).toString('latin1'))
      .join('\n');
    for (const text of ['entry 4', 'state 3', 'pool 2', 'meta of ledger']) {
      expect([text, all.includes(text)]).toEqual([text, kind === 'integrityKey']);
    }
  });

  test.each<[string, KeyOptions]>([
    ['none', {}],
    ['another', keys(B)],
    ['one of the other kind', kind === 'integrityKey' ? { encryptionKey: A } : { integrityKey: A }],
    ['another, and plain files accepted', { ...keys(B), acceptPlain: true }],
  ])(
    '#122 #124 with the wrong key (%s) it does not start, says so, and leaves all as it was',
    async (_, wrong) => {
      const before = await place.all();

      const error: Error = await place
        .store(wrong)
        .open()
        .then(
          () => new Error('opened'),
          (error) => error as Error,
        );

      expect(error).toMatchObject(refusedForKey);
      expect(error.message).toMatch(new RegExp(`${kind}.*given here.*Nothing was changed\\.$`));
      for (const key of [A, B]) {
        for (const form of ['hex', 'base64', 'latin1'] as const) {
          expect(error.message).not.toContain(key.toString(form));
        }
      }
      expect(await place.all()).toEqual(before);
      expect(await textsIn(await place.store(keys(A)).open())).toEqual(FILLED);
    },
  );

  test('a wrong key is told from rot: of a newest manifest without its seal an older one stands in', async () => {
    const newest = (await place.names('g-')).at(-1)!;
    const bytes = place.bytes(newest);
    for (const at of [25, 40, 80, bytes.length - 1]) {
      bytes[at]! ^= 1; // a hex digit stays one
      const contents = await place.store(keys(A)).open();
      bytes[at]! ^= 1;
      expect(contents.report.skipped).toMatchObject([{ file: newest }]);
      expect(contents.parts.get('ledger')!.sequence).toBe(2);
      expect(contents.sequence).toBe(6);
    }
  });

  test('keys follow one another: the first writes, all read, and two saves later the old one is not needed', async () => {
    await place.live(keys([B, A]), async (store) => {
      await store.snapshot([part('ledger', 'state 6'), { component: 'pool', unchanged: true }]);
    });
    await expect(place.store(keys(B)).open()).rejects.toMatchObject(refusedForKey);
    await place.live(keys([B, A]), async (store) => {
      await append(store, 'entry 7');
      await store.snapshot([part('ledger', 'state 7'), { component: 'pool', unchanged: true }]);
    });
    const store = place.store(keys(B));
    expect(await textsIn(await store.open())).toEqual([['state 7', 'pool 2'], []]);
    await store.close();
  });

  test('a plain directory is refused, and with `acceptPlain` taken over by two saves', async () => {
    const plain = new Place();
    await plain.live({}, fill);
    const before = await plain.all();
    const error: unknown = await plain
      .store(keys(A))
      .open()
      .catch((error: unknown) => error);
    expect(error).toMatchObject(refusedForKey);
    expect(String(error)).toMatch(/acceptPlain: true/);
    expect(await plain.all()).toEqual(before);

    for (const state of ['state 6', 'state 7']) {
      await plain.live({ ...keys(A), acceptPlain: true }, async (store) => {
        await append(store, 'entry');
        await store.snapshot([part('ledger', state), { component: 'pool', unchanged: true }]);
      });
    }
    expect(await textsIn(await plain.store(keys(A)).open())).toEqual([['state 7', 'pool 2'], []]);
  });

  test('what is written in the place of a sealed segment is not read', async () => {
    const plain = new Place();
    await plain.live({}, fill);
    const segment = (await place.names('j-')).at(-1)!;
    const forged = Buffer.from(plain.bytes((await plain.names('j-')).at(-1)!));
    place.disk.plant(`/store/${segment}`, { bytes: forged });
    await expect(place.store(keys(A)).open()).rejects.toMatchObject(refusedForKey);
  });

  test('a segment header that was changed, its checksum put right, is refused', async () => {
    const segment = (await place.names('j-')).at(-1)!;
    const bytes = place.bytes(segment);
    for (const at of [12, 20, 60, 72, SEALED_HEADER_BYTES - 1]) {
      bytes[at]! ^= 1;
      bytes.writeUInt32LE(crc32(bytes.subarray(8, SEALED_HEADER_BYTES)), 4);
      await expect(place.store(keys(A)).open()).rejects.toMatchObject(refusedForKey);
      bytes[at]! ^= 1;
    }
  });

  test('a batch that was changed, moved, swapped or left out, its checksum put right, is refused', async () => {
    const segment = (await place.names('j-')).at(-1)!;
    const whole = Buffer.from(place.bytes(segment));
    const size = 32 + whole.readUInt32LE(SEALED_HEADER_BYTES + 8);
    const batchAt = (n: number): number => SEALED_HEADER_BYTES + n * size;
    const batch = (n: number): Buffer => Buffer.from(whole.subarray(batchAt(n), batchAt(n) + size));
    const head = whole.subarray(0, SEALED_HEADER_BYTES);
    /** As the batch there should begin. */
    const as = (bytes: Buffer, first: number): Buffer => {
      bytes.writeUInt32LE(first, 16);
      resum(bytes, 0);
      return bytes;
    };
    const changed = batch(1);
    changed[40]! ^= 1;
    const counted = batch(1);
    counted.writeUInt32LE(0, 24);
    const forgeries = {
      changed: [batch(0), as(changed, 5), batch(2)],
      'what it says of the disk': [batch(0), as(counted, 5), batch(2)],
      swapped: [as(batch(1), 4), as(batch(0), 5), batch(2)],
      'left out': [batch(0), as(batch(2), 5)],
      twice: [batch(0), as(batch(0), 5), as(batch(0), 6)],
    };
    for (const [name, batches] of Object.entries(forgeries)) {
      place.disk.plant(`/store/${segment}`, { bytes: Buffer.concat([head, ...batches]) });
      const error: unknown = await place
        .store(keys(A))
        .open()
        .catch((error: unknown) => error);
      expect([name, error]).toMatchObject([name, refusedForKey]);
    }
  });

  test('files of another directory with the same key are none of this one', async () => {
    const other = new Place();
    await other.live(keys(A), async (store) => {
      await fill(store);
      await store.create('foreign', [part('ledger', 'foreign')]);
    });
    const names = await place.names();
    for (const start of ['j-', 'g-']) {
      const name = (await place.names(start)).at(-1)!;
      const bytes = Buffer.from(place.bytes(name));
      place.disk.plant(`/store/${name}`, { bytes: Buffer.from(other.bytes(name)) });
      const opened = place.store(keys(A)).open();
      if (start === 'j-') {
        await expect(opened).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
      } else {
        const { report } = await opened;
        expect(report.skipped).toEqual([{ file: name, reason: 'it belongs to another store' }]);
      }
      place.disk.plant(`/store/${name}`, { bytes });
    }
    expect(names.length).toBeGreaterThan(0);

    await place.disk.makeDirectory('/store/named');
    await place.disk.makeDirectory('/store/named/foreign');
    for (const name of await other.names('', '/store/named/foreign')) {
      const bytes = Buffer.from(other.bytes(`named/foreign/${name}`));
      place.disk.plant(`/store/named/foreign/${name}`, { bytes });
    }
    const store = place.store(keys(A));
    await store.open();
    expect((await store.list()).filter(({ named }) => named)).toEqual([]);
    await expect(store.read('foreign')).rejects.toThrow('it belongs to another store');
    await store.close();
  });

  test('a state that is exchanged after it was checked: nothing of it is handed out', async () => {
    const contents = await place.store(keys(A)).open();
    const saved = contents.parts.get('ledger')!;
    const name = (await place.names('s-')).findLast((one) => one.endsWith('ledger'))!;
    const bytes = place.bytes(name);
    bytes[bytes.length - 20]! ^= 1;
    const pieces: Uint8Array[] = [];
    const reading = (async () => {
      for await (const piece of saved.pieces()) pieces.push(piece);
    })();
    await expect(reading).rejects.toMatchObject(refusedForKey);
    expect(pieces).toEqual([]);
  });

  test('a named checkpoint of an earlier key is no hindrance, and read again with that key', async () => {
    await place.live(keys(A), (store) => store.create('before', [part('ledger', 'named')]));
    for (let i = 0; i < 2; i += 1) {
      await place.live(keys([B, A]), async (store) => {
        await append(store, 'entry');
        await store.snapshot([part('ledger', `state ${i}`), part('pool', `pool ${i}`)]);
      });
    }
    const store = place.store(keys(B));
    await store.open();
    expect((await store.list()).map(({ id }) => id)).not.toContain('before');
    await expect(store.read('before')).rejects.toMatchObject(refusedForKey);
    expect((await store.verify()).findings).toMatchObject([
      { level: 'warning', file: 'named/before' },
    ]);
    await store.close();
    await place.live(keys([B, A]), async (store) => {
      const read = await store.read('before');
      expect((await bytesOf(read.get('ledger')!)).toString()).toBe('named');
    });
  });

  test('states of many chunks, twice behind a barrier, and empty ones', async () => {
    const large = Buffer.alloc(2_500_000, 'a large state ');
    const sizes = [0, 1, 16_364, 16_365, 1_048_556, 700_000];
    const pieces = [large, ...sizes.map((size) => large.subarray(0, size))];
    await place.live(keys(A), (store) =>
      store.snapshot([{ component: 'ledger', meta: {}, pieces }, part('pool')], { barrier: true }),
    );
    const [first] = await place.names('s-0000000003');
    await place.disk.removeFile(`/store/${first!}`);
    const contents = await place.store(keys(A)).open();
    expect((await bytesOf(contents.parts.get('ledger')!)).equals(Buffer.concat(pieces))).toBe(true);
    expect((await bytesOf(contents.parts.get('pool')!)).length).toBe(0);
  });

  test('verify needs the key, and finds what is rotten with it', async () => {
    await expect(verifyDirectory('/store', place.disk)).rejects.toMatchObject(refusedForKey);
    const name = (await place.names('s-')).at(-1)!;
    place.bytes(name)[70]! ^= 1;
    const store = place.store(keys(A));
    await store.open();
    expect((await store.verify()).findings).toMatchObject([{ level: 'damage', file: name }]);
    await store.close();
  });

  test('#124 each flipped bit of what is sealed, of its place and of what it says of itself is noticed', () => {
    const key = new SealKey(kind === 'integrityKey' ? 'integrity' : 'encryption', A);
    const { seal } = newSeal(key, 'test');
    const about = Buffer.from('about');
    const { body, tag } = seal.seal(7, about, Buffer.alloc(184, 'record'));
    const sealed = Buffer.concat([body, tag]);
    let flips = 0;
    for (let bit = 0; bit < sealed.length * 8; bit += 1, flips += 1) {
      const other = Buffer.from(sealed);
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(seal.open(7, about, other)).toBeUndefined();
    }
    expect(flips).toBe(1_600);
    expect(seal.open(8, about, sealed)).toBeUndefined();
    expect(seal.open(7, Buffer.from('abouT'), sealed)).toBeUndefined();
    expect(newSeal(key, 'test').seal.open(7, about, sealed)).toBeUndefined();
    for (let n = 0; n < sealed.length; n += 1) {
      expect(seal.open(7, about, sealed.subarray(0, n))).toBeUndefined();
    }
    expect(seal.open(7, about, sealed)?.toString()).toBe(Buffer.alloc(184, 'record').toString());
  });
});

describe('keys', () => {
  test('encryption comes after integrity: with both keys the one writes and the other still reads', async () => {
    const place = new Place();
    await place.live({ integrityKey: A }, fill);
    const both = { integrityKey: A, encryptionKey: B };
    expect(await textsIn(await place.store(both).open())).toEqual(FILLED);
    await expect(place.store({ encryptionKey: B }).open()).rejects.toMatchObject(refusedForKey);
    for (let i = 0; i < 2; i += 1) {
      await place.live(both, async (store) => {
        await append(store, 'entry');
        await store.snapshot([part('ledger', `state ${i}`), part('pool', `pool ${i}`)]);
      });
    }
    const contents = await place.store({ encryptionKey: B }).open();
    expect(await textsIn(contents)).toEqual([['state 1', 'pool 1'], []]);
  });

  test.each<[string, unknown, string]>([
    ['a text', 'a secret that is a text', 'got a string, expected 32 bytes'],
    ['too short', Buffer.from('secret'), 'got 6 bytes, expected 32 bytes'],
    ['an empty list', [], 'got an empty list, expected 32 bytes'],
    ['a list with a gap', [A, undefined], 'got undefined, expected 32 bytes'],
    ['an object', { key: 'secret' }, 'got an object, expected 32 bytes'],
  ])('%s is refused, and not shown', (_, key, problem) => {
    for (const name of ['integrityKey', 'encryptionKey']) {
      const make = (): unknown => new FileCheckpointStore({ directory: '/x', [name]: key });
      expect(make).toThrow(`FileCheckpointStore ${name}: ${problem}`);
      expect(make).not.toThrow(/secret/);
    }
  });

  test('#124 10^6 records, with faults: nothing is ever sealed twice at one place of a file, or in two of one salt', async () => {
    const place = new Place();
    const random = seededRandom(4);
    const places = new Set<string>();
    const salts = new Set<string>();
    let files = 0;
    const watched = (file: OpenFile, id: number): OpenFile => ({
      ...file,
      write: async (bytes, position) => {
        const at = `${id}:${position}`;
        const isJournal = bytes.length > 32 || position > 0;
        expect(isJournal && places.has(at)).toBe(false);
        places.add(at);
        // the head of a segment has its salt, new for each
        if (position === 0 && bytes.length === SEALED_HEADER_BYTES) {
          const salt = Buffer.from(bytes.subarray(104, 136)).toString('hex');
          expect(salts.has(salt)).toBe(false);
          salts.add(salt);
        }
        if (position > 0 && random() < 0.01) throw Object.assign(new Error('EIO'), { code: 'EIO' });
        return file.write(bytes, position);
      },
    });
    const fs: FileSystem = Object.create(place.disk, {
      create: {
        value: async (path: string) => {
          files += 1;
          const id = files;
          const file = await place.disk.create(path);
          // the lock is written in place, and no secret
          return id === 1 || path.includes('lock') ? file : watched(file, id);
        },
      },
    }) as FileSystem;
    const entry = Buffer.from('a record');
    let done = 0;
    let store = place.store({ encryptionKey: A }, fs);
    for (let lives = 0; done < 1_000_000; lives += 1) {
      files = 0;
      places.clear();
      store = place.store({ encryptionKey: A }, fs);
      await store.open();
      for (; store.state === 'open' && done < 1_000_000; done += 1_000) {
        for (let n = 1; n < 1_000; n += 1) store.append(entry);
        await store.append(entry).durable.catch(() => {});
      }
      await store.close().catch(() => {});
      expect(lives).toBeLessThan(100);
    }
    expect(salts.size).toBeGreaterThan(3);
  }, 60_000);
});
