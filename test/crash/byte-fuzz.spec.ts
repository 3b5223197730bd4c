// Every truncation, every flipped byte, and many seeded flips of a store's files. What is recovered is
// exact, or shorter and said to be, or refused: never different in silence.
import { type KeyOptions } from '../../lib/checkpoint/stores/key-input.js';
import { CheckpointError } from '../../lib/checkpoint/checkpoint.error.js';
import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { readJournal } from '../../lib/checkpoint/stores/file/journal-reader.js';
import { Keyring } from '../../lib/checkpoint/stores/file/keyring.js';
import { recover } from '../../lib/checkpoint/stores/file/recovery.js';
import { StoreDirectory } from '../../lib/checkpoint/stores/file/store-directory.js';
import { CrashFileSystem } from '../../lib/testing/checkpoint/crash-file-system.js';
import { seededRandom } from '../../lib/testing/seeded-random.js';
import { bytesOf, FakeMachine, stillClock } from './support.js';

const FLIPS = Number(process.env['FUZZ_FLIPS'] ?? 60_000);
const COMPONENTS = ['ledger', 'pool'];
const ENTRIES = 24;
const KEY = Buffer.alloc(32, 'a key');

const entryText = (sequence: number): string => `entry ${sequence} ${'x'.repeat(sequence % 7)}`;
const stateText = (component: string, sequence: number): string => `${component} at ${sequence}`;

/** A store with three lives, three generations of which two are kept, and entries behind the last. */
async function sample(barrier: boolean, keys: KeyOptions): Promise<CrashFileSystem> {
  const disk = new CrashFileSystem(seededRandom(5));
  const machine = new FakeMachine();
  let sequence = 0;
  for (let life = 0; life < 3; life += 1) {
    machine.restart();
    const store = new FileCheckpointStore({
      directory: '/store',
      fs: disk,
      machine,
      clock: stillClock,
      ...keys,
    });
    await store.open();
    for (let i = 0; i < ENTRIES / 3; i += 1) {
      sequence += 1;
      await store.append(Buffer.from(entryText(sequence))).durable;
      if (i !== 4) continue;
      const parts = COMPONENTS.map((component) => ({
        component,
        meta: { sequence },
        pieces: [Buffer.from(stateText(component, sequence))],
      }));
      await store.snapshot(parts, { barrier: barrier && life === 2 });
    }
    await store.close();
  }
  return disk;
}

type Outcome = 'exact' | 'shorter' | 'lost' | 'refused';

/** What recovery makes of the disk; throws if that is different in silence. */
async function outcomeOf(
  disk: CrashFileSystem,
  keys: KeyOptions,
  mayEnd = false,
): Promise<Outcome> {
  const { directory } = await StoreDirectory.at(disk, '/store', false, Keyring.of(keys));
  let recovered: Awaited<ReturnType<typeof recover>>;
  try {
    recovered = await recover(directory);
  } catch (error) {
    if (error instanceof CheckpointError && /DAMAGED|VERSION|KEY/.test(error.code))
      return 'refused';
    throw error;
  }
  const { parts, lost, range, end, skipped } = recovered;
  for (const [component, part] of parts) {
    const state = (await bytesOf(part)).toString();
    if (state !== stateText(component, part.sequence)) throw new Error(`state: ${state}`);
    if (part.meta['sequence'] !== part.sequence) throw new Error('meta');
  }
  let next = range.after + 1;
  for await (const { sequence, entry } of readJournal(directory, range, end)) {
    const text = Buffer.from(entry).toString();
    if (sequence !== next || text !== entryText(next)) throw new Error(`${sequence}: ${text}`);
    next += 1;
  }
  if (next !== end.last + 1) throw new Error(`entries end at ${next - 1} of ${end.last}`);
  if (parts.size + lost.size !== COMPONENTS.length) throw new Error('a component is gone');
  const said = end.tornBytes > 0 || skipped.length > 0;
  if (end.last !== ENTRIES && !said && !mayEnd) throw new Error(`shorter in silence: ${end.last}`);
  if (end.last > ENTRIES) throw new Error('longer');
  if (lost.size > 0) return 'lost';
  return end.last === ENTRIES ? 'exact' : 'shorter';
}

describe.each([
  ['after an orderly end', { barrier: false, orderly: true, keys: {} }],
  ['after a crash', { barrier: false, orderly: false, keys: {} }],
  ['behind a barrier', { barrier: true, orderly: true, keys: {} }],
  ['under an integrityKey', { barrier: true, orderly: false, keys: { integrityKey: KEY } }],
  ['under an encryptionKey', { barrier: false, orderly: true, keys: { encryptionKey: KEY } }],
])('bytes that rot %s', (_, { barrier, orderly, keys }) => {
  let disk: CrashFileSystem;
  let files: string[];
  beforeAll(async () => {
    disk = await sample(barrier, keys);
    const names = await disk.list('/store');
    files = names.filter((name) => !name.startsWith('lock'));
    // a crash may come before the lock has told anything
    const locks = names.filter((name) => name.startsWith('lock'));
    if (!orderly) for (const name of locks) await disk.removeFile(`/store/${name}`);
  });

  /** Puts other bytes in the place of a file's, and looks. */
  const withBytes = async (name: string, bytes: Buffer, mayEnd = false): Promise<Outcome> => {
    const before = Buffer.from(disk.bytesOf(`/store/${name}`));
    disk.plant(`/store/${name}`, { bytes });
    try {
      return await outcomeOf(disk, keys, mayEnd);
    } catch (error) {
      throw new Error(`${name} of ${before.length} bytes, now ${bytes.length}`, { cause: error });
    } finally {
      disk.plant(`/store/${name}`, { bytes: before });
    }
  };

  const withFlip = async (name: string, bit: number): Promise<Outcome> => {
    const bytes = disk.bytesOf(`/store/${name}`);
    const flip = (): void => void (bytes[bit >> 3]! ^= 1 << (bit & 7));
    flip();
    try {
      return await outcomeOf(disk, keys);
    } catch (error) {
      throw new Error(`bit ${bit} of ${name}`, { cause: error });
    } finally {
      flip();
    }
  };

  test('the sample is what it should be', async () => {
    expect(await outcomeOf(disk, keys)).toBe('exact');
    expect(files.filter((name) => name.startsWith('j-')).length).toBe(barrier ? 1 : 3);
    expect(files.filter((name) => name.startsWith('g-')).length).toBe(barrier ? 3 : 2);
  });

  test('#101 each file cut off at each byte, and made longer by 1 to 64', async () => {
    const seen = new Set<Outcome>();
    const random = seededRandom(9);
    for (const name of files) {
      const bytes = Buffer.from(disk.bytesOf(`/store/${name}`));
      for (let length = 0; length < bytes.length; length += 1) {
        // between two batches of the last segment a file looks as if it had always ended there
        const mayEnd = !orderly && name === files.findLast((one) => one.startsWith('j-'));
        seen.add(await withBytes(name, bytes.subarray(0, length), mayEnd));
      }
      for (let more = 1; more <= 64; more += 1) {
        const garbage = Buffer.from(Array.from({ length: more }, () => Math.floor(random() * 256)));
        expect(await withBytes(name, Buffer.concat([bytes, garbage]))).not.toBe('shorter');
      }
    }
    expect(seen).toEqual(new Set(['exact', 'refused', ...(orderly ? [] : ['shorter'])]));
  }, 120_000);

  test(`#100 ${FLIPS} flipped bits: every byte of every file, and others by seed`, async () => {
    const random = seededRandom(7);
    const outcomes = { exact: 0, shorter: 0, lost: 0, refused: 0 };
    let flips = 0;
    for (const name of files) {
      const { length } = disk.bytesOf(`/store/${name}`);
      for (let byte = 0; byte < length; byte += 1, flips += 1) {
        outcomes[await withFlip(name, byte * 8 + Math.floor(random() * 8))] += 1;
      }
    }
    const more = 'integrityKey' in keys || 'encryptionKey' in keys ? 0 : FLIPS / 3;
    for (; flips < more; flips += 1) {
      const name = files[Math.floor(random() * files.length)]!;
      const { length } = disk.bytesOf(`/store/${name}`);
      outcomes[await withFlip(name, Math.floor(random() * length * 8))] += 1;
    }
    expect(outcomes.refused).toBeGreaterThan(0);
    // the last batch alone can pass for a torn end, where nobody knows better
    expect(outcomes.shorter).toBeLessThan(orderly ? 1 : flips * 0.1);
    expect(outcomes.lost).toBe(0);
    expect(outcomes.exact).toBeGreaterThan(flips / 4);
  }, 300_000);

  test('each file away altogether', async () => {
    for (const name of files) {
      const bytes = Buffer.from(disk.bytesOf(`/store/${name}`));
      await disk.removeFile(`/store/${name}`);
      const outcome = await outcomeOf(disk, keys);
      disk.plant(`/store/${name}`, { bytes });
      expect([name, outcome]).not.toEqual([name, 'shorter']);
    }
  });

  test('holes of 64 zero bytes, and pieces that changed places', async () => {
    for (const name of files) {
      const bytes = Buffer.from(disk.bytesOf(`/store/${name}`));
      for (let at = 0; at < bytes.length; at += 16) {
        await withBytes(name, Buffer.from(bytes).fill(0, at, Math.min(at + 64, bytes.length)));
        const swapped = Buffer.from(bytes);
        bytes.copy(swapped, at, 0, Math.min(32, bytes.length - at));
        await withBytes(name, swapped);
      }
    }
  });

  test('a file in the place of another of its kind', async () => {
    for (const kind of ['j', 's', 'g']) {
      const alike = files.filter((name) => name.startsWith(kind));
      for (const name of alike) {
        for (const other of alike) {
          await withBytes(name, Buffer.from(disk.bytesOf(`/store/${other}`)));
        }
      }
    }
  });
});
