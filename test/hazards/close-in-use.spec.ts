// A descriptor that is closed while a sync of it is under way is soon another file's: its sync, and its failure, go there.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import type { FileSystem, OpenFile } from '../../lib/checkpoint/stores/file/file-system.js';
import { nodeFileSystem } from '../../lib/checkpoint/stores/file/node-file-system.js';

const directory = mkdtempSync(join(tmpdir(), 'bulwark-close-'));
afterAll(() => rmSync(directory, { recursive: true }));

const MIB = 1024 * 1024;

test.each([1, 2])(
  'copy %i of a large state whose write fails beside a sync is closed behind that',
  async (copy) => {
    let [files, closedInUse, failed] = [0, 0, false];
    const watched = (file: OpenFile): OpenFile => {
      let [written, syncing, nth] = [0, 0, 0];
      return {
        read: (into, position) => file.read(into, position),
        sync: () => file.sync(),
        info: () => file.info(),
        write: async (bytes, position) => {
          written += bytes.length;
          if (written > MIB && nth === 0) nth = files += 1;
          if (nth === copy && syncing > 0) {
            failed = true;
            throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
          }
          return file.write(bytes, position);
        },
        datasync: async () => {
          syncing += 1;
          await pause(50); // a disk that takes its time
          await file.datasync();
          syncing -= 1;
        },
        close: () => {
          closedInUse += syncing;
          return file.close();
        },
      };
    };
    const create: FileSystem['create'] = async (path) => watched(await nodeFileSystem.create(path));
    const fs = { ...nodeFileSystem, create };
    const store = new FileCheckpointStore({ directory, fs });
    await store.open();
    const pieces = Array.from({ length: 12 }, () => Buffer.alloc(MIB, 1));
    const saved = store.snapshot([{ component: 'ledger', meta: {}, pieces }], { barrier: true });
    await expect(saved).rejects.toMatchObject({ code: expect.stringMatching(/IO|FENCED/) });
    expect({ failed, closedInUse }).toEqual({ failed: true, closedInUse: 0 });
    await store.close();
  },
);
