// Proof that the crash model bites: a store that leaves out one of its syncs, or acknowledges too early,
// is caught. Each is planted as a disk that does not do the call.
import { basename } from 'node:path';
import type { FileSystem } from '../../lib/checkpoint/stores/file/file-system.js';
import {
  type FileCall,
  observeFileSystem,
} from '../../lib/testing/checkpoint/observe-file-system.js';
import { crashRun } from './crash-run.js';
import { kindOfContent } from './roles.js';

/** Runs that a mutant may survive before it counts as not caught. */
const RUNS = Number(process.env['MUTANT_RUNS'] ?? 1_500);

/** What a call is about: the kind of file that was written, renamed or removed last. */
class Context {
  private readonly kinds = new Map<string, string>();
  /** By directory. */
  private readonly last = new Map<string, string>();

  note({ call, path, to, bytes }: FileCall): void {
    if (call === 'write' && !this.kinds.has(path)) {
      this.kinds.set(path, kindOfContent(bytes!));
    }
    const name = basename(to ?? path);
    const directory = (to ?? path).slice(0, -name.length - 1);
    if (call === 'rename') this.last.set(directory, name[0]!);
    if (call === 'removeFile') this.last.set(directory, 'removed');
  }

  kindOf({ path }: FileCall): string | undefined {
    return this.kinds.get(path);
  }

  /** What a sync of this directory is for. */
  changeIn({ path }: FileCall): string | undefined {
    return this.last.get(path);
  }
}

const MUTANTS: Record<string, (call: FileCall, context: Context) => boolean> = {
  'no datasync of the journal': ({ call }) => call === 'datasync',
  'no sync of saved states': (call, context) =>
    call.call === 'sync' && context.kindOf(call) === 'state',
  'no sync of manifests': (call, context) =>
    call.call === 'sync' && context.kindOf(call) === 'manifest',
  'no sync of the header of a segment': (call, context) =>
    call.call === 'sync' && context.kindOf(call) === 'segment',
  'no sync of the directory after a new segment': (call, context) =>
    call.call === 'syncDirectory' && context.changeIn(call) === 'j',
  'no sync of the directory after the states, before their manifest': (call, context) =>
    call.call === 'syncDirectory' && context.changeIn(call) === 's',
  'no sync of the directory after the manifest': (call, context) =>
    call.call === 'syncDirectory' && context.changeIn(call) === 'g',
  'no sync of the directory after manifests were removed, before their states': (call, context) =>
    call.call === 'syncDirectory' && context.changeIn(call) === 'removed',
  'no sync of the directory above': ({ call, path }) =>
    call === 'syncDirectory' && (path === '/data' || path === '/'),
  'no sync of the directory of names': ({ call, path }) =>
    call === 'syncDirectory' && path.endsWith('/named'),
  'no sync of what a killed process left in memory': ({ call }) => call === 'syncFile',
};

async function survives(wrap: (fs: FileSystem) => FileSystem): Promise<number | undefined> {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    try {
      await crashRun(seed, { wrap });
    } catch {
      return seed;
    }
  }
  return undefined;
}

describe('the crash model', () => {
  test.each(Object.entries(MUTANTS))(
    'catches a store with %s',
    async (_, isLeftOut) => {
      const caught = await survives((fs) => {
        const context = new Context();
        return observeFileSystem(fs, async (call, proceed) => {
          context.note(call);
          return isLeftOut(call, context) ? (true as never) : proceed();
        });
      });

      expect(caught).toBeDefined();
    },
    300_000,
  );

  test('lets a store behind the same hooks pass that leaves nothing out', async () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      await crashRun(seed, { wrap: (fs) => observeFileSystem(fs, (_, proceed) => proceed()) });
    }
  }, 300_000);

  test('catches a store that acknowledges before the sync is done', async () => {
    const caught = await survives((fs) =>
      observeFileSystem(fs, async (call, proceed) => {
        if (call.call !== 'datasync') return proceed();
        setImmediate(() => void proceed().catch(() => {}));
        return undefined as never;
      }),
    );

    expect(caught).toBeDefined();
  }, 300_000);
});
