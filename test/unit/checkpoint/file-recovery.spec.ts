import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { encodeManifest, type Manifest } from '../../../lib/checkpoint/stores/file/manifest.js';
import { readManifest } from '../../../lib/checkpoint/stores/file/generations.js';
import { encodeSegmentHeader } from '../../../lib/checkpoint/stores/file/segment-header.js';
import { StoreDirectory } from '../../../lib/checkpoint/stores/file/store-directory.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';
import { bytesOf, entriesOf, FakeMachine, stillClock } from '../../crash/support.js';

const part = (
  component: string,
  text: string,
): { component: string; meta: Record<string, never>; pieces: Buffer[] } => ({
  component,
  meta: {},
  pieces: [Buffer.from(text)],
});

class Place {
  readonly disk = new CrashFileSystem(seededRandom(1));
  private readonly machine = new FakeMachine();

  store(): FileCheckpointStore {
    this.machine.restart();
    const { disk: fs, machine } = this;
    return new FileCheckpointStore({ directory: '/store', fs, machine, clock: stillClock });
  }

  async names(start: string): Promise<string[]> {
    const names = await this.disk.list('/store');
    return names.filter((name) => name.startsWith(start)).toSorted();
  }

  /** Flips a bit in the middle of a file. */
  rot(name: string, at?: number): void {
    const bytes = this.disk.bytesOf(`/store/${name}`);
    bytes[at ?? Math.floor(bytes.length / 2)]! ^= 1;
  }

  async rewrite(name: string, change: (manifest: Manifest) => Manifest): Promise<void> {
    const { directory } = await StoreDirectory.at(this.disk, '/store', false);
    const manifest = (await readManifest(directory, name)) as Manifest;
    this.disk.plant(`/store/${name}`, { bytes: encodeManifest(change(manifest)) });
  }
}

async function append(store: FileCheckpointStore, ...texts: string[]): Promise<void> {
  for (const text of texts) await store.append(Buffer.from(text)).durable;
}

describe('recovery of rotten states', () => {
  test('one rotten state: an older one of that component stands in, with the journal since', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await append(store, 'a');
    await store.snapshot([part('ledger', 'L1'), part('pool', 'P1')]);
    await append(store, 'b');
    await store.snapshot([part('ledger', 'L2'), part('pool', 'P2')]);
    await append(store, 'c');
    await store.close();
    const [, rotten] = await place.names('s-0000000002');
    place.rot(rotten!);

    const contents = await place.store().open();

    const states = [...contents.parts.values()].map(({ component, sequence }) => [
      component,
      sequence,
    ]);
    expect(states).toEqual([
      ['ledger', 2],
      ['pool', 1],
    ]);
    expect((await bytesOf(contents.parts.get('pool')!)).toString()).toBe('P1');
    expect((await entriesOf(contents)).map(({ entry }) => entry.toString())).toEqual(['b', 'c']);
    expect(contents.report).toMatchObject({
      weakened: true,
      skipped: [{ file: rotten, reason: 'its checksum is wrong' }],
    });
  });

  test('what has rotted cannot be unchanged, and does not count among those to keep', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    for (const n of [1, 2, 3]) await store.snapshot([part('ledger', `L${n}`)]);
    await store.close();
    place.rot((await place.names('s-0000000003'))[0]!);

    const next = place.store();
    await next.open();
    const unchanged = next.snapshot([{ component: 'ledger', unchanged: true }]);
    await expect(unchanged).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    await next.snapshot([part('ledger', 'L5')]);

    expect((await next.list()).map(({ id }) => id)).toEqual(['5', '3', '2']);
    await next.snapshot([part('ledger', 'L6')]);
    expect((await next.list()).map(({ id }) => id)).toEqual(['6', '5']);
    await next.close();
  });

  test('a component all of whose states have rotted is lost, and said to be', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await store.snapshot([part('ledger', 'L1'), part('pool', 'P1')]);
    await store.snapshot([part('ledger', 'L2'), part('pool', 'P2')]);
    await append(store, 'a');
    await store.close();
    for (const name of await place.names('s-')) if (name.endsWith('pool')) place.rot(name);

    const contents = await place.store().open();

    expect([...contents.parts.keys()]).toEqual(['ledger']);
    expect([...contents.lost.keys()]).toEqual(['pool']);
    expect(contents.lost.get('pool')).toMatch(/s-0000000002-.*checksum is wrong; s-0000000001-/);
    expect(contents.report.weakened).toBe(true);
  });

  test('a rotten manifest: the generation before, and a longer journal', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await store.snapshot([part('ledger', 'L1')]);
    await append(store, 'a');
    await store.snapshot([part('ledger', 'L2'), part('young', 'Y2')]);
    await store.close();
    const [manifest] = await place.names('g-0000000002');
    place.rot(manifest!);

    const contents = await place.store().open();

    expect(contents.parts.get('ledger')?.sequence).toBe(0);
    expect(await entriesOf(contents)).toHaveLength(1);
    expect([...contents.lost]).toEqual([['young', `${manifest}: its checksum is wrong`]]);
    expect(contents.report.skipped).toEqual([{ file: manifest, reason: 'its checksum is wrong' }]);
  });

  test('a state that changes after it was found whole is not handed out', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await append(store, 'a');
    await store.snapshot([part('ledger', 'L1')]);
    await append(store, 'b');
    await store.close();
    const contents = await place.store().open();
    place.rot((await place.names('s-'))[0]!);
    place.rot(
      (await place.names('j-')).findLast(
        (name) => place.disk.bytesOf(`/store/${name}`).length > 88,
      )!,
      120,
    );

    await expect(bytesOf(contents.parts.get('ledger')!)).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
    });
    await expect(entriesOf(contents)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });
});

describe('recovery behind a barrier', () => {
  const withBarrier = async (): Promise<Place> => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await store.snapshot([part('ledger', 'corrupted')]);
    await append(store, 'old');
    await store.snapshot([part('ledger', 'corrupted more')]);
    await store.snapshot([part('ledger', 'restored')], { barrier: true });
    await append(store, 'new');
    await store.close();
    return place;
  };

  test('every file of it is there twice, and either will do', async () => {
    for (const kind of ['s-0000000003', 'g-0000000003']) {
      for (const copy of [0, 1]) {
        const place = await withBarrier();
        const files = await place.names(kind);
        expect(files).toHaveLength(2);
        place.rot(files[copy]!);
        const contents = await place.store().open();
        expect((await bytesOf(contents.parts.get('ledger')!)).toString()).toBe('restored');
        expect(contents.report.weakened).toBe(copy === 0 || kind.startsWith('g'));
      }
    }
  });

  test('with both manifests rotten it is refused: nothing older may stand in', async () => {
    const place = await withBarrier();
    for (const name of await place.names('g-0000000003')) place.rot(name);

    const refused = await place
      .store()
      .open()
      .catch((error: Error) => error);

    expect(refused).toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    expect(String(refused)).toMatch(
      /since number 3, and an older one may not stand in.*g-0000000003/,
    );
  });

  test('with both manifests taken away it is refused as well: the journal tells of it', async () => {
    for (const lives of [1, 2]) {
      const place = await withBarrier();
      for (let life = 1; life < lives; life += 1) {
        const store = place.store();
        await store.open();
        await append(store, 'newer');
        await store.snapshot([part('ledger', 'later')]);
        await append(store, 'newest');
        await store.close();
      }
      for (const name of await place.names('g-')) {
        if (!name.startsWith('g-0000000002')) await place.disk.removeFile(`/store/${name}`);
      }
      await expect(place.store().open()).rejects.toMatchObject({
        code: 'CHECKPOINT_DAMAGED',
        message: expect.stringContaining('since number 3'),
      });
    }
  });

  test('one that nothing was written behind is no loss to its journal: what was before stands', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await append(store, 'old');
    await store.snapshot([part('ledger', 'before')]);
    await store.snapshot([part('ledger', 'restored')], { barrier: true });
    await store.close();
    for (const name of await place.names('g-0000000002')) {
      await place.disk.removeFile(`/store/${name}`);
    }
    const contents = await place.store().open();
    expect((await bytesOf(contents.parts.get('ledger')!)).toString()).toBe('before');
  });

  test('with both states rotten the component is lost, and not the one before', async () => {
    const place = await withBarrier();
    for (const name of await place.names('s-0000000003')) place.rot(name);
    const contents = await place.store().open();
    expect(contents.parts.size).toBe(0);
    expect([...contents.lost.keys()]).toEqual(['ledger']);
  });

  test('later generations still tell of it, when it is gone and they have rotted', async () => {
    const place = await withBarrier();
    const store = place.store();
    await store.open();
    for (const n of [4, 5]) await store.snapshot([part('ledger', `later ${n}`)]);
    await store.close();
    expect(await place.names('g-0000000003')).toEqual([]);
    expect((await place.names('g-')).map((name) => name.slice(2, 12))).toEqual([
      '0000000002',
      '0000000004',
      '0000000005',
    ]);
    for (const name of await place.names('g-')) {
      if (!name.startsWith('g-0000000002')) place.rot(name);
    }
    await expect(place.store().open()).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });

  test('what is appended while it is made goes on from it, or is not acknowledged', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    const rename = place.disk.rename.bind(place.disk);
    let fail = true;
    place.disk.rename = (from, to) =>
      fail && to.includes('/g-') ? Promise.reject(new Error('EIO')) : rename(from, to);
    const barrier = store.snapshot([part('ledger', 'restored')], { barrier: true });
    const { durable } = store.append(Buffer.from('after'));

    await expect(barrier).rejects.toMatchObject({ code: 'CHECKPOINT_IO' });
    await expect(durable).rejects.toMatchObject({ code: 'CHECKPOINT_FENCED' });
    fail = false;
    const contents = await store.open();
    expect(contents.sequence).toBe(0);
    expect(contents.parts.size).toBe(0);
    await store.close();
  });
});

describe('what an owner writes after it was taken over', () => {
  test('#118 is no part of the past: neither entries nor checkpoints nor barriers', async () => {
    const place = new Place();
    const paused = place.store();
    await paused.open();
    await append(paused, 'a');
    await paused.snapshot([part('ledger', 'L1')]);
    const next = place.store(); // its machine says that the first has ended
    await next.open();
    await append(next, 'b');
    await next.close();
    const { directory } = await StoreDirectory.at(place.disk, '/store', false);
    const [name] = await place.names('g-');
    const manifest = (await readManifest(directory, name!)) as Manifest;
    const late = { ...manifest, generation: 9, barrier: 9, sequence: 7 };
    const header = {
      store: manifest.store,
      epoch: 1,
      first: 8,
      salt: 5,
      barrier: 0,
      previous: undefined,
    };
    place.disk.plant('/store/g-0000000009-0000000001-0000000009-1', {
      bytes: encodeManifest(late),
    });
    place.disk.plant('/store/j-0000000001-0000000000000008', {
      bytes: encodeSegmentHeader(header),
    });

    const contents = await place.store().open();

    expect(contents.sequence).toBe(2);
    expect(contents.parts.get('ledger')?.sequence).toBe(1);
    expect((await entriesOf(contents)).map(({ entry }) => entry.toString())).toEqual(['b']);
  });
});

describe('what recovery refuses', () => {
  const withTwoSegments = async (): Promise<Place> => {
    const place = new Place();
    for (const text of ['a', 'b']) {
      const store = place.store();
      await store.open();
      await append(store, text, text);
      await store.close();
    }
    return place;
  };

  test('a segment that is missing', async () => {
    const place = await withTwoSegments();
    const [first] = await place.names('j-');
    await place.disk.removeFile(`/store/${first}`);
    const refused = await place.store().open().catch(String);
    expect(refused).toMatch(
      /begins with entry 3, and is needed from 1 on: j-0000000001-.* is missing/,
    );
  });

  test('damage that is followed by a whole batch: it names the file, the place and the way out', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await append(store, 'a', 'b', 'c');
    await store.close();
    const [name] = await place.names('j-');
    place.rot(name!, 88 + 37 + 36);
    const before = Buffer.from(place.disk.bytesOf(`/store/${name}`));
    const refused = await place.store().open().catch(String);
    expect(refused).toMatch(
      new RegExp(`/store/${name} at byte 125, after entry 1\\. It is no torn end`),
    );
    expect(refused).toMatch(/Nothing was changed\. `npx bulwark-verify <directory>`/);
    expect(place.disk.bytesOf(`/store/${name}`).equals(before)).toBe(true);
  });

  test('a journal whose checkpoints are there, and checkpoints whose journal is gone', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await append(store, 'a');
    await store.snapshot([part('ledger', 'L1')]);
    await store.close();
    for (const name of await place.names('j-')) await place.disk.removeFile(`/store/${name}`);
    await expect(place.store().open()).rejects.toThrow('has checkpoints, but no journal');
  });

  test('the files of two stores in one directory', async () => {
    const place = await withTwoSegments();
    const other = await withTwoSegments();
    await other.store().open();
    const [name] = await other.names('j-0000000003');
    place.disk.plant(`/store/${name}`, { bytes: other.disk.bytesOf(`/store/${name}`) });
    await expect(place.store().open()).rejects.toThrow('/store has the files of 2 stores');
  });

  test.each([
    ['a segment', 'j-', (bytes: Buffer) => bytes.writeUInt16LE(3, 8)],
    ['a manifest', 'g-', (bytes: Buffer) => bytes.write('3', 19)],
  ])('%s of a newer format, instead of falling back', async (_, kind, change) => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await store.snapshot([part('ledger', 'L1')]);
    await append(store, 'a');
    await store.snapshot([part('ledger', 'L2')]);
    await store.close();
    const name = (await place.names(kind)).at(-1)!;
    change(place.disk.bytesOf(`/store/${name}`));
    await expect(place.store().open()).rejects.toMatchObject({ code: 'CHECKPOINT_VERSION' });
  });

  test.each([
    '../../etc/passwd',
    '/etc/passwd',
    's-0000000001-0000000001-1-../ledger',
    'lock-0000000001',
  ])('#112 a manifest that names %j as a file', async (file) => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await store.snapshot([part('ledger', 'L1')]);
    await store.close();
    const names = await place.names('g-');
    for (const name of names) {
      await place.rewrite(name, (manifest) => ({
        ...manifest,
        parts: manifest.parts.map((one) => ({ ...one, files: [file] })),
      }));
    }
    const contents = await place.store().open();
    const reason = 'it is not what a manifest should be';
    expect(contents.report.skipped).toEqual(names.map((file) => ({ file, reason })));
    expect([...contents.lost.keys()]).toEqual(['ledger']);
  });

  test('#110 lengths in files are held against the size of the file before anything is allocated', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await store.snapshot([part('ledger', 'L1')]);
    await append(store, 'a');
    await store.close();
    const journal = (await place.names('j-')).at(-1)!;
    place.disk.bytesOf(`/store/${journal}`).writeUInt32LE(0xffff_ffff, 88 + 8);
    const [state] = await place.names('s-');
    place.disk.bytesOf(`/store/${state}`).writeUInt32LE(0xffff_ffff, 16);
    const before = process.memoryUsage().arrayBuffers;
    await expect(place.store().open()).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('what is not ours', () => {
  test('unfinished files of an earlier life are removed and named; strangers stay', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await store.create('kept', [part('ledger', 'L1')]);
    await store.close();
    const temporary = `tmp-${'a'.repeat(32)}`;
    const bytes = Buffer.from('half');
    place.disk.plant(`/store/${temporary}`, { bytes });
    place.disk.plant('/store/notes.txt', { bytes });
    place.disk.plant(`/store/tmp-${'b'.repeat(32)}`, { link: '/etc/passwd' });
    await place.disk.makeDirectory(`/store/named/${temporary}`);
    place.disk.plant(`/store/named/${temporary}/manifest`, { bytes });

    const { report } = await place.store().open();

    expect(report.removed).toEqual([temporary, `named/${temporary}`]);
    expect(await place.names('notes')).toEqual(['notes.txt']);
    expect(await place.names('tmp')).toEqual([`tmp-${'b'.repeat(32)}`]);
  });

  test('#123 pruning removes no file that only has a name like ours', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    const bytes = Buffer.from('somebody else wrote this');
    const strangers = [
      's-0000000000-0000000000-1-ledger',
      'g-0000000000-0000000000-0000000000-1',
      'j-0000000000-0000000000000001',
    ];
    for (const name of strangers) place.disk.plant(`/store/${name}`, { bytes });
    for (let n = 1; n <= 1_000; n += 1) await store.snapshot([part('ledger', `L${n}`)]);
    expect(await place.names('s-')).toHaveLength(3);
    expect(await place.names('g-')).toHaveLength(3);
    for (const name of strangers) expect(await place.disk.list('/store')).toContain(name);
    await store.close();
  });

  test('#116 #113 links and directories with the names of checkpoints are passed over, and said to be', async () => {
    const place = new Place();
    const store = place.store();
    await store.open();
    await store.snapshot([part('ledger', 'L1')]);
    await store.create('fine', [part('ledger', 'named')]);
    await store.close();
    place.disk.plant('/store/g-0000000007-0000000001-0000000000-1', { link: '/etc/passwd' });
    await place.disk.makeDirectory('/store/g-0000000008-0000000001-0000000000-1');
    place.disk.plant('/store/named/linked', { link: '/etc' });

    const next = place.store();
    const contents = await next.open();

    expect(contents.report.skipped.map(({ reason }) => reason)).toEqual([
      'it is a symbolic link, not a plain file',
      'it is a directory, not a plain file',
    ]);
    expect((await bytesOf(contents.parts.get('ledger')!)).toString()).toBe('L1');
    await expect(next.read('linked')).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    await expect(next.remove('linked')).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    await expect(next.create('linked', [])).rejects.toMatchObject({ code: 'CHECKPOINT_EXISTS' });
    await next.close();
  });
});
