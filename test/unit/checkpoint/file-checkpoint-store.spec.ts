import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import { checkpointStoreContract } from '../../../lib/testing/checkpoint/store-contract.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';

describe('FileCheckpointStore on a real disk', () => {
  const root = mkdtempSync(join(tmpdir(), 'bulwark-store-'));
  afterAll(() => rmSync(root, { recursive: true }));
  let places = 0;
  const directory = (): string => join(root, String((places += 1)), 'store');

  checkpointStoreContract(() => new FileCheckpointStore({ directory: directory() }), test);

  describe.each(['integrityKey', 'encryptionKey'])('with an %s', (name) => {
    const key = Buffer.alloc(32, name);
    checkpointStoreContract(
      () => new FileCheckpointStore({ directory: directory(), [name]: key }),
      test,
    );
  });

  describe.each(['manual', { interval: 5 }] as const)('with durability %j', (durability) => {
    checkpointStoreContract(
      () => new FileCheckpointStore({ directory: directory(), durability }),
      test,
    );
  });
});

describe('FileCheckpointStore on a disk in memory that writes in pieces', () => {
  checkpointStoreContract(() => {
    const fs = new CrashFileSystem(seededRandom(1));
    return new FileCheckpointStore({ directory: '/store', fs });
  }, test);
});
