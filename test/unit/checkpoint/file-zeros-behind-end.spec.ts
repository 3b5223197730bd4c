import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { Keyring } from '../../../lib/checkpoint/stores/file/keyring.js';
import { verifyDirectory } from '../../../lib/checkpoint/stores/file/verify.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import { observeFileSystem } from '../../../lib/testing/checkpoint/observe-file-system.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';
import { FakeMachine, stillClock } from '../../crash/support.js';

class Place {
  private readonly machine = new FakeMachine();
  readonly disk: CrashFileSystem;

  constructor(seed: number) {
    this.disk = new CrashFileSystem(seededRandom(seed));
  }

  store(): FileCheckpointStore {
    this.machine.restart();
    const { machine, disk: fs } = this;
    return new FileCheckpointStore({ directory: '/store', fs, machine, clock: stillClock });
  }

  async journal(): Promise<string> {
    const names = await this.disk.list('/store');
    return `/store/${names
      .filter((name) => name.startsWith('j-'))
      .toSorted()
      .at(-1)!}`;
  }
}

describe('zeros behind the end of a journal', () => {
  test.each([
    ['an entry of zeros', Buffer.alloc(8)],
    ['an entry without bytes', Buffer.alloc(0)],
    ['an entry that ends in a zero', Buffer.from([1, 0])],
  ])('#101 %s shows that what is before it has rotted', async (_, last) => {
    const place = new Place(1);
    const store = place.store();
    await store.open();
    await store.append(Buffer.from('acknowledged')).durable;
    await store.append(last).durable;
    const path = await place.journal();
    const at = place.disk.bytesOf(path).indexOf('acknowledged');
    place.disk.bytesOf(path)[at]! ^= 1;

    await expect(place.store().open()).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });

  test.each([1, 2, 3, 4, 5, 6])(
    '#101 what a running owner writes over them while a verifier reads is no damage (seed %i)',
    async (seed) => {
      const place = new Place(seed);
      const store = place.store();
      await store.open();
      await store.append(Buffer.from('first')).durable;
      const path = await place.journal();
      let reads = 0;
      const slow = observeFileSystem(place.disk, async (call, proceed) => {
        const answer = await proceed();
        if (call.call === 'read' && call.path === path && (reads += 1) % 3 === 2) {
          // after the verifier has what it looked for, or before it looks for the next
          for (const text of ['second', 'third']) await store.append(Buffer.from(text)).durable;
        }
        return answer;
      });

      const { ok, findings } = await verifyDirectory('/store', slow, Keyring.none);

      expect(findings.filter(({ level }) => level === 'damage')).toEqual([]);
      expect(ok).toBe(true);
      await store.close();
    },
  );
});
