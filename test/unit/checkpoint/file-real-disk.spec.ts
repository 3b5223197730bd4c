import { jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { codeOf } from '../../../lib/checkpoint/stores/file/file-system.js';
import { nodeFileSystem } from '../../../lib/checkpoint/stores/file/node-file-system.js';
import { verifyDirectory } from '../../../lib/checkpoint/stores/file/verify.js';

const part = { component: 'ledger', meta: {}, pieces: [Buffer.from('state')] };

describe('on a real disk', () => {
  const root = mkdtempSync(join(tmpdir(), 'bulwark-disk-'));
  afterAll(() => rmSync(root, { recursive: true }));
  let places = 0;
  const place = (): string => join(root, String((places += 1)));

  const filled = async (directory: string): Promise<void> => {
    const store = new FileCheckpointStore({ directory });
    await store.open();
    await store.append(Buffer.from('a')).durable;
    await store.snapshot([part]);
    await store.create('by-name', [part]);
    await store.close();
  };

  const all = (directory: string): string[] =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) =>
      join(directory, name),
    );

  test.each([0o000, 0o022, 0o077])(
    '#115 directories are 0700 and files 0600 under umask %o',
    async (umask) => {
      const directory = join(place(), 'above', 'store');
      const before = process.umask(umask);
      try {
        await filled(directory);
      } finally {
        process.umask(before);
      }
      for (const path of [directory, ...all(directory)]) {
        const stats = lstatSync(path);
        expect([path, (stats.mode & 0o777).toString(8)]).toEqual([
          path,
          stats.isDirectory() ? '700' : '600',
        ]);
      }
    },
  );

  test('#115 a directory that others may enter is a warning, or refused', async () => {
    const directory = place();
    mkdirSync(directory);
    chmodSync(directory, 0o755);
    const store = new FileCheckpointStore({ directory });
    const { report } = await store.open();
    expect(report.findings).toEqual([
      {
        level: 'warning',
        file: '.',
        problem: 'others may enter the directory (mode 0755): make it 0700',
      },
    ]);
    await store.close();
    const strict = new FileCheckpointStore({ directory, strictPermissions: true });
    await expect(strict.open()).rejects.toMatchObject({ code: 'CHECKPOINT_IO' });
  });

  test('#113 a directory that is a symbolic link is refused', async () => {
    const directory = place();
    await filled(directory);
    const link = place();
    symlinkSync(directory, link);
    await expect(new FileCheckpointStore({ directory: link }).open()).rejects.toThrow(
      'is a symbolic link, not a directory',
    );
  });

  test('#113 a link above the directory is followed once: who turns it later moves nobody', async () => {
    const [real, other, link] = [place(), place(), place()];
    for (const path of [real, other]) mkdirSync(path);
    symlinkSync(real, link);
    const store = new FileCheckpointStore({ directory: join(link, 'store') });
    await store.open();

    rmSync(link);
    symlinkSync(other, link);
    await store.append(Buffer.from('a')).durable;
    await store.snapshot([part]);
    await store.create('by-name', [part]);

    expect(readdirSync(other)).toEqual([]);
    expect(all(real)).toContain(join(real, 'store/named/by-name/manifest'));
    expect((await store.list()).map(({ id }) => id).toSorted()).toEqual(['1', 'by-name']);
    // by whatever path: it is the same directory
    await expect(
      new FileCheckpointStore({ directory: join(real, 'store') }).open(),
    ).rejects.toMatchObject({ code: 'CHECKPOINT_LOCKED' });
    await store.close();
  });

  test('#113 a directory of names that is a symbolic link is neither read nor written through', async () => {
    const directory = place();
    await filled(directory);
    const [named, target] = [join(directory, 'named'), place()];
    renameSync(named, target);
    symlinkSync(target, named);
    const before = all(target);

    const store = new FileCheckpointStore({ directory });
    await store.open();

    expect((await store.list()).map(({ id }) => id)).toEqual(['1']);
    await expect(store.read('by-name')).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    await expect(store.remove('by-name')).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    await expect(store.create('other', [part])).rejects.toThrow('is not a plain directory');
    expect(all(target)).toEqual(before);
    await store.close();
  });

  test('#113 a checkpoint whose manifest or state is a symbolic link gives nothing away', async () => {
    const directory = place();
    const secret = `${directory}.txt`;
    for (const file of ['manifest', 's-0000000000-0000000000-1-ledger']) {
      rmSync(directory, { recursive: true, force: true });
      await filled(directory);
      const path = join(directory, 'named/by-name', file);
      renameSync(path, secret); // even with the right content
      symlinkSync(secret, path);
      const store = new FileCheckpointStore({ directory });
      await store.open();

      const read = store.read('by-name');
      await expect(read).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
      await expect(read).rejects.toThrow('it is a symbolic link');
      expect((await store.verify()).ok).toBe(false);
      await store.close();
    }
  });

  test('#113 a file that is a symbolic link is neither read nor written through', async () => {
    const directory = place();
    await filled(directory);
    const target = `${directory}.txt`;
    const state = readdirSync(directory).find((name) => name.startsWith('s-'))!;
    writeFileSync(target, readFileSync(join(directory, state)));
    rmSync(join(directory, state));
    symlinkSync(target, join(directory, state));

    const store = new FileCheckpointStore({ directory });
    const { parts, report } = await store.open();
    const reason = 'it is a symbolic link, not a plain file';
    expect(report.skipped).toEqual([{ file: state, reason }]);
    expect(parts.size).toBe(1); // from the second copy
    for (let i = 0; i < 4; i += 1) await store.snapshot([part]);
    expect(readFileSync(target, 'latin1')).toContain('state');
    await store.close();
  });

  test('#116 pipes and hard links are passed over, and nobody hangs on them', async () => {
    const directory = place();
    await filled(directory);
    const pipe = join(directory, 'g-0000000005-0000000001-0000000000-1');
    execFileSync('mkfifo', [pipe]);
    writeFileSync(`${directory}.txt`, 'of somebody else');
    linkSync(`${directory}.txt`, join(directory, 'g-0000000006-0000000001-0000000000-1'));

    const started = performance.now();
    const store = new FileCheckpointStore({ directory });
    const { report } = await store.open();
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(report.skipped.map(({ reason }) => reason).toSorted()).toEqual([
      'it has 2 names (hard links)',
      'it is a pipe, socket or device, not a plain file',
    ]);
    await store.close();

    // where ours has become one, what it says is needed: refused, not passed over
    const manifests = readdirSync(directory).filter((name) => name.startsWith('g-0000000001'));
    for (const name of manifests) linkSync(join(directory, name), `${directory}.${name}`);
    await expect(store.open()).rejects.toThrow(/begins with entry 2.*it has 2 names/);
  });

  test.each([
    'lock-0000000009',
    'j-0000000009-0000000000000009',
    's-0000000009-0000000009-1-ledger',
    'tmp-00000000000000000000000000000000',
    'named/pipe',
    'named/by-name/manifest',
  ])('#116 a pipe named %s is passed over or refused, and nobody hangs on it', async (name) => {
    const directory = place();
    await filled(directory);
    const pipe = join(directory, name);
    rmSync(pipe, { force: true });
    execFileSync('mkfifo', [pipe]);
    const store = new FileCheckpointStore({ directory });

    const end = await store.open().then(
      async () => {
        const { ok } = await store.verify();
        return ok ? 'fine' : 'told';
      },
      (error: unknown) => (error as { code?: string }).code,
    );
    const expected = /^lock/.test(name)
      ? 'CHECKPOINT_IO'
      : /^j-/.test(name)
        ? 'CHECKPOINT_DAMAGED'
        : /^named/.test(name)
          ? 'told'
          : 'fine';
    expect(end).toBe(expected);
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    await store.close();
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux.each([
    ['sync', true],
    ['manual', false],
  ] as const)(
    '#103 with durability %s a write to the journal is on the disk when it returns: %s',
    async (durability, expected) => {
      const directory = place();
      const store = new FileCheckpointStore({ directory, durability });
      await store.open();
      await store.append(Buffer.from('a')).durable;
      const journals = readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(join(directory, 'j-'));
        } catch {
          return false; // closed since it was listed
        }
      });
      const flags = journals.map((fd) =>
        parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8),
      );

      expect(flags.map((one) => (one & constants.O_DSYNC) !== 0)).toEqual(
        expected ? [true, true] : [false],
      );
      await store.close();
    },
  );

  test('#101 the zeros that a journal keeps behind its end are none of it, and no damage', async () => {
    const directory = place();
    const store = new FileCheckpointStore({ directory });
    await store.open();
    for (let i = 0; i < 50; i += 1) await store.append(Buffer.alloc(1_000, i + 1)).durable;
    await store.close();

    const later = new FileCheckpointStore({ directory });
    const { sequence, report } = await later.open();
    expect({ sequence, ...report }).toMatchObject({ sequence: 50, tailTruncatedBytes: 0 });
    expect((await later.verify()).findings).toEqual([]);
    await later.close();
  });

  test('#103 writes side by side are all there, also where one of them reserves room', async () => {
    const path = place();
    const { writev } = fs;
    // every other one is slow: what is written into the room meanwhile must not be zeros in the end
    let calls = 0;
    const slow = jest.spyOn(fs, 'writev').mockImplementation(((...args: never[]) => {
      void (async () => {
        calls += 1;
        for (let i = 10 * (calls % 2); i > 0; i -= 1) await turn();
        (writev as (...args: never[]) => void)(...args);
      })();
    }) as never);
    const file = await nodeFileSystem.create(path, { journal: true });
    await file.write(Buffer.from('head'), 0);
    await file.sync();
    const expected = [Buffer.from('head')];
    let position = 4;
    for (let i = 1; i < 200; i += 1) {
      const two = [Buffer.alloc(900, i), Buffer.alloc(700, 255 - i)];
      await Promise.all(
        two.map((bytes) => {
          const at = position;
          position += bytes.length;
          return file.write(bytes, at);
        }),
      );
      expected.push(...two);
    }
    await file.close();
    const reserved = slow.mock.calls.length;
    slow.mockRestore();

    if (process.platform === 'linux') expect(reserved).toBeGreaterThan(3);
    const content = readFileSync(path);
    expect(content.subarray(0, position).equals(Buffer.concat(expected))).toBe(true);
    expect(content.subarray(position).every((byte) => byte === 0)).toBe(true);
  });

  onLinux.each([
    ['ENOSPC', true],
    ['EDQUOT', true],
    ['EIO', false],
  ])(
    'where there is no room to reserve an entry may still find some (%s: %s)',
    async (code, is) => {
      const path = place();
      const file = await nodeFileSystem.create(path, { journal: true });
      await file.sync();
      const failing = jest.spyOn(fs, 'writev').mockImplementation(((...args: unknown[]) => {
        (args.at(-1) as (error: Error) => void)(Object.assign(new Error(code), { code }));
      }) as never);
      try {
        const written = file.write(Buffer.from('an entry'), 0).catch(codeOf);
        expect(await written).toBe(is ? 8 : code);
      } finally {
        failing.mockRestore();
      }
      await file.close();
      expect(readFileSync(path, 'utf8')).toBe(is ? 'an entry' : '');
    },
  );

  onLinux(
    '#105 of two writes side by side the one that failed is told so, not the other',
    async () => {
      const file = await nodeFileSystem.create(place(), { journal: true });
      await file.write(Buffer.from('head'), 0);
      await file.sync();
      await file.write(Buffer.from('reserves room'), 4);
      // as Linux has it: what could not be written is told once to each open file, by whichever call asks next
      const ends: (() => void)[] = [];
      const told = new Set<unknown>();
      const disk = jest.spyOn(fs, 'write').mockImplementation(((...args: unknown[]) => {
        const [fd, bytes] = args as [number, Buffer];
        const done = args.at(-1) as (error: Error | null, written?: number) => void;
        ends.push(() => {
          if (told.has(fd)) return done(null, bytes.length);
          told.add(fd);
          done(Object.assign(new Error('EIO'), { code: 'EIO' }));
        });
      }) as never);
      const first = file.write(Buffer.from('lost'), 17).catch(codeOf);
      const second = file.write(Buffer.from('there'), 21).catch(codeOf);
      while (ends.length < 2) await turn();
      for (const end of ends.toReversed()) end();

      expect(await first).toBe('EIO');
      await second;
      disk.mockRestore();
      await file.close();
    },
  );

  test('verify finds a rotten byte beside a running owner, and changes nothing', async () => {
    const directory = place();
    await filled(directory);
    const store = new FileCheckpointStore({ directory });
    await store.open();
    expect((await verifyDirectory(directory, nodeFileSystem)).ok).toBe(true);
    const state = join(directory, 'named/by-name/s-0000000000-0000000000-1-ledger');
    const bytes = readFileSync(state);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(state, bytes);
    const names = all(directory);

    const { ok, findings } = await store.verify();

    expect(ok).toBe(false);
    expect(findings).toEqual([
      {
        level: 'damage',
        file: 'named/by-name/s-0000000000-0000000000-1-ledger',
        problem: 'its checksum is wrong',
      },
    ]);
    expect(all(directory)).toEqual(names);
    await store.close();
  });

  test('verify goes on beside an owner that writes, rolls and prunes', async () => {
    const store = new FileCheckpointStore({ directory: place(), durability: 'manual' });
    await store.open();
    const work = { goes: true };
    const worker = async (): Promise<void> => {
      while (work.goes) {
        for (let i = 0; i < 20; i += 1) store.append(Buffer.alloc(200, i));
        await store.snapshot([part]);
      }
    };
    const working = worker();
    for (let i = 0; i < 15; i += 1) {
      const { findings } = await store.verify().catch((error: unknown) => {
        if (/changes faster/.test(String(error))) return { findings: [] };
        throw error;
      });
      expect(findings.filter(({ level }) => level === 'damage')).toEqual([]);
    }
    work.goes = false;
    await working;
    await store.close();
  });
});
