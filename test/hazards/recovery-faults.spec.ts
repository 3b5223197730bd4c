import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { CrashFileSystem } from '../../lib/testing/checkpoint/crash-file-system.js';
import {
  type FileHook,
  observeFileSystem,
} from '../../lib/testing/checkpoint/observe-file-system.js';
import { seededRandom } from '../../lib/testing/seeded-random.js';
import { FakeMachine, stillClock } from '../crash/support.js';
import { Vault } from '../unit/recovery/custody.js';

const CHANGES = new Set([
  'create',
  'makeDirectory',
  'rename',
  'link',
  'removeFile',
  'removeDirectory',
  'syncFile',
  'syncDirectory',
  'write',
  'datasync',
  'sync',
]);

/** A bank on a disk of which a call fails, or at which the power goes. */
class Place {
  private disk: CrashFileSystem;
  private readonly machine = new FakeMachine();
  /** What becomes of a call that changes something, by its number since `calls` was set to 0. */
  fault: (n: number) => string | false = () => false;
  calls = 0;

  constructor(seed: number) {
    this.disk = new CrashFileSystem(seededRandom(seed));
  }

  open(): Promise<Vault> {
    this.machine.restart();
    const { disk, machine } = this;
    const hook: FileHook = async ({ call }, proceed) => {
      if (!CHANGES.has(call)) return proceed();
      const what = this.fault((this.calls += 1));
      if (what === 'cut') disk.cutPower();
      else if (what !== false) throw Object.assign(new Error(`${what}: injected`), { code: what });
      return proceed();
    };
    const fs = observeFileSystem(disk, hook);
    const options = { directory: '/store', fs, clock: stillClock, machine };
    return Vault.open(new FileCheckpointStore(options));
  }

  again(after: 'cut' | 'kill'): Promise<Vault> {
    this.fault = () => false;
    this.disk = after === 'kill' ? this.disk.afterKill() : this.disk.restart();
    return this.open();
  }
}

/** Good calls, a forged one, good ones again. */
async function forged(place: Place): Promise<Vault> {
  const vault = await place.open();
  await vault.move(1, 'm1');
  await vault.engine.save();
  await vault.engine.create('good');
  await vault.move(1, 'm2');
  await vault.forge(5);
  await vault.move(1, 'm3');
  await vault.engine.save();
  await vault.move(1, 'm4');
  return vault;
}

const TREATMENTS: Record<string, (vault: Vault) => Promise<unknown>> = {
  'handleCorruption(true)': (vault) => vault.corruption.handle(true),
  restoreBackup: (vault) => vault.backups.restore('good'),
  'restoreBackup to a generation': async (vault) => {
    const [one] = (await vault.backups.list()).filter(({ kind }) => kind === 'snapshot').slice(-1);
    return vault.backups.restore(one!.name);
  },
  createCheckpoint: (vault) => vault.backups.create('more'),
};

/** What becomes of a treatment, in one word. */
async function outcomeOf(treat: () => Promise<unknown>): Promise<string> {
  const told = (result: string, words: unknown): string =>
    /which of the two stands/.test(String(words)) ? 'unknown' : result;
  try {
    const { result = 'ok', message } = (await treat()) as { result?: string; message?: string };
    return told(result, message);
  } catch (error) {
    return told('threw', error);
  }
}

/** Until the store is open again. */
async function healed(vault: Vault): Promise<void> {
  for (let i = 0; i < 200 && vault.engine.state !== 'open'; i += 1) {
    await vault.clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const textOf = ({ content }: Vault): string => JSON.stringify(content);

describe.each(Object.keys(TREATMENTS))('%s', (name) => {
  const treat = TREATMENTS[name]!;

  async function expected(): Promise<{ before: string; after: string; calls: number }> {
    const place = new Place(1);
    const vault = await forged(place);
    const before = textOf(vault);
    place.calls = 0;
    await treat(vault);
    return { before, after: textOf(vault), calls: place.calls };
  }

  test.each(['ENOSPC', 'EIO'])(
    '%s at any call: what is said is so, here and after a restart',
    async (code) => {
      const { before, after, calls } = await expected();
      for (let n = 1; n <= calls; n += 1) {
        const place = new Place(n);
        const vault = await forged(place);
        let handedBack = false;
        vault.participants.push({
          name: 'Orders',
          before: () => 'carried',
          after: () => (handedBack = true),
        });
        place.calls = 0;
        // once, or for good
        place.fault = (call) => (n % 2 === 0 ? call >= n : call === n) && code;
        const outcome = await outcomeOf(() => treat(vault));
        place.fault = () => false;
        await healed(vault);

        const memory = textOf(vault);
        const isNew = memory === after && before !== after;
        const said = { n, outcome, isNew, handedBack };
        expect([before, after]).toContain(memory);
        if (outcome === 'failed' || outcome === 'threw')
          expect(said).toMatchObject({ isNew: false });
        if (isNew && outcome !== 'unknown') expect(said).toMatchObject({ handedBack: true });
        await vault.move(1, 'later');
        const acknowledged = textOf(vault);
        const next = await place.again('kill');
        expect({ n, content: textOf(next) }).toEqual({ n, content: acknowledged });
        await next.engine.close();
      }
    },
    60_000,
  );

  test('a power cut at any call: the old state or the new one, and a store that is whole', async () => {
    const { before, after, calls } = await expected();
    for (let n = 1; n <= calls; n += 1) {
      const place = new Place(n);
      const vault = await forged(place);
      place.calls = 0;
      place.fault = (call) => call === n && 'cut';
      await outcomeOf(() => treat(vault));
      const next = await place.again('cut');
      expect([before, after]).toContain(textOf(next));
      expect(await next.engine.verify()).toMatchObject({ ok: true });
      await next.engine.close();
    }
  }, 60_000);
});
