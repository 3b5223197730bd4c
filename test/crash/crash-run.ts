import { strict as assert } from 'node:assert';
import type {
  PartToSave,
  StoreContents,
  UnchangedPart,
} from '../../lib/checkpoint/checkpoint-store.js';
import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import type { FileSystem } from '../../lib/checkpoint/stores/file/file-system.js';
import type { Durability } from '../../lib/checkpoint/durability.js';
import type { Random } from '../../lib/kernel/random.js';
import { CrashFileSystem, type PowerCut } from '../../lib/testing/checkpoint/crash-file-system.js';
import { seededRandom } from '../../lib/testing/seeded-random.js';
import { roleOf } from './roles.js';
import { bytesOf, closed, entriesOf, FakeMachine, unevenClock } from './support.js';

const COMPONENTS = ['ledger', 'mempool', 'peers'];

interface Written {
  readonly branch: number;
  readonly bytes: Buffer;
  /** Of everything up to here. */
  readonly sum: number;
}

/** What a store was told, and what it promised. */
class Oracle {
  /** By sequence, from 1. */
  history: Written[] = [];
  /** Counts barriers: each begins another past. */
  branch = 0;
  /** A barrier that was asked for and neither resolved nor failed. */
  pendingBranch: number | undefined;
  /** Acknowledged: there after the end of the process. */
  written = 0;
  /** There after the end of power. */
  durable = 0;
  generation = 0;
  readonly named = new Map<string, number>();
  /** Names whose making or removal was interrupted. */
  readonly doubtful = new Set<string>();

  push(bytes: Buffer): void {
    const before = this.history.at(-1)?.sum ?? 7;
    const sum = (before * 31 + bytes.readUInt32LE(8)) % 0xffff_ffff;
    this.history.push({ branch: this.branch, bytes, sum });
  }

  state(component: string, sequence: number, branch = this.branch): Buffer {
    const sum = this.history[sequence - 1]?.sum ?? 7;
    return Buffer.from(`${component} at ${sequence}: ${sum}, branch ${branch}`);
  }
}

/** `life: sync state`: what a store was doing when it was interrupted. */
export type Interrupted = `${'life' | 'recovery'}: ${string}`;

export interface CrashRunOptions {
  /** Plants something between the store and its disk. */
  readonly wrap?: (fs: CrashFileSystem, phase: () => 'life' | 'recovery') => FileSystem;
  /** Told of each crash that came in the middle of something. */
  readonly onCrash?: (at: Interrupted) => void;
  /** Crashes there, instead of at any change; soon, but not always at the first. */
  readonly crashWhen?: (at: Interrupted) => boolean;
}

/**
 * One life after another of one store, each ended by crashes; throws where a promise was broken.
 *
 * @returns how many crashes that were
 */
export async function crashRun(
  seed: number,
  { wrap = (fs) => fs, onCrash, crashWhen }: CrashRunOptions = {},
): Promise<number> {
  let crashes = 0;
  let phase: 'life' | 'recovery' = 'life';
  const random = seededRandom(seed);
  const machine = new FakeMachine();
  const oracle = new Oracle();
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const durability = (['sync', 'sync', 'sync', 'manual', { interval: 10 }] as const)[int(0, 4)]!;
  const cut = (changes: number): PowerCut => {
    const crashAt = int(1, changes);
    if (crashWhen === undefined) return { crashAt };
    let passed = int(0, 2);
    return {
      // some of what is to be interrupted is there only after another crash
      ...(passed > 0 ? { crashAt } : {}),
      crashWhen: (call) => crashWhen(`${phase}: ${roleOf(call)}`) && (passed -= 1) < 0,
    };
  };
  let fs = new CrashFileSystem(random, cut(150));
  const clock = unevenClock(seed);

  const make = (): FileCheckpointStore =>
    new FileCheckpointStore({
      directory: '/data/store',
      fs: wrap(fs, () => phase),
      machine,
      clock,
      durability,
    });
  const open = async (store: FileCheckpointStore): Promise<StoreContents> => {
    phase = 'recovery';
    const contents = await store.open();
    phase = 'life';
    return contents;
  };
  const crash = (by: (next: PowerCut) => CrashFileSystem, next: PowerCut): void => {
    if (fs.crashedAt !== undefined) onCrash?.(`${phase}: ${roleOf(fs.crashedAt)}`);
    fs = by(next);
    machine.restart();
  };

  for (let life = int(1, 3); life > 0; life -= 1) {
    const store = make();
    try {
      check(oracle, await open(store), life);
      await verify(oracle, store);
      await live(store, oracle, random, durability);
      if (random() < 0.1) await store.close();
    } catch (error) {
      if (!fs.isOff) throw error;
    }
    const kill = random() < 0.2;
    const end = (next: PowerCut): CrashFileSystem => (kill ? fs.afterKill(next) : fs.restart(next));
    for (let again = int(0, 2); again > 0; again -= 1) {
      crashes += 1;
      crash(end, cut(30));
      await closedAfter(make(), open, () => fs.isOff);
    }
    crashes += 1;
    // the machine goes on running for good, or for another life
    crash(end, {});
    if (!kill) oracle.written = oracle.durable;
    await closedAfter(
      make(),
      async (store) => {
        await recovered(oracle, await open(store));
        await verify(oracle, store);
      },
      () => false,
    );
    crash((next) => fs.afterKill(next), cut(200));
  }
  return crashes;
}

async function closedAfter(
  store: FileCheckpointStore,
  use: (store: FileCheckpointStore) => Promise<unknown>,
  mayFail: () => boolean,
): Promise<void> {
  try {
    await use(store);
  } catch (error) {
    if (!mayFail()) throw error;
  } finally {
    if (mayFail()) await closed(store);
    else await store.close();
  }
}

function check(oracle: Oracle, contents: StoreContents, life: number): void {
  assert.equal(contents.sequence, oracle.history.length, `sequence at the start of life ${life}`);
}

/** The recovered state is a whole prefix with everything acknowledged; from here on it is the past. */
async function recovered(oracle: Oracle, contents: StoreContents): Promise<void> {
  const { history } = oracle;
  assert.equal(contents.lost.size, 0, `lost ${[...contents.lost]}`);
  assert.deepEqual(contents.report.skipped, [], 'nothing rots in a crash');
  assert.ok(
    contents.sequence >= oracle.written,
    `entry ${oracle.written} was acknowledged, the journal ends at ${contents.sequence}`,
  );
  assert.ok(contents.sequence <= history.length, 'entries that never were');

  const branches = new Set<number>();
  for (const [component, part] of contents.parts) {
    const state = (await bytesOf(part)).toString();
    const branch = Number(/\d+$/.exec(state)?.[0]);
    branches.add(branch);
    assert.equal(state, oracle.state(component, part.sequence, branch).toString());
  }
  const branch = [...branches][0] ?? 0;
  assert.ok(branches.size <= 1, `states from both sides of a barrier: ${[...branches]}`);
  if (branch !== oracle.branch) assert.equal(branch, oracle.pendingBranch, 'before the barrier');
  oracle.branch = branch;
  oracle.pendingBranch = undefined;

  let next = Math.min(...[...contents.parts.values()].map(({ sequence }) => sequence)) + 1;
  if (contents.parts.size === 0) next = 1;
  for (const { sequence, entry } of await entriesOf(contents)) {
    assert.equal(sequence, next, 'entries come one after another');
    next += 1;
    const was = history[sequence - 1]!;
    assert.ok(entry.equals(was.bytes), `entry ${sequence} is another`);
    if (contents.parts.size > 0) assert.equal(was.branch, branch, `entry ${sequence} and barrier`);
  }
  assert.equal(next, contents.sequence + 1, 'the entries end where the journal does');
  oracle.history = history.slice(0, contents.sequence);
  oracle.written = contents.sequence;
  oracle.durable = contents.sequence;
}

/** What was resolved is listed and whole; what was interrupted is there whole, or not. */
async function verify(oracle: Oracle, store: FileCheckpointStore): Promise<void> {
  const list = await store.list();
  const newest = Math.max(0, ...list.filter(({ named }) => !named).map(({ id }) => Number(id)));
  assert.ok(newest >= oracle.generation, `generation ${oracle.generation} was made, is ${newest}`);
  const names = new Set(list.filter(({ named }) => named).map(({ id }) => id));
  for (const name of oracle.doubtful) {
    if (!names.has(name)) oracle.named.delete(name);
    else oracle.named.set(name, list.find(({ id }) => id === name)!.sequence);
  }
  oracle.doubtful.clear();
  assert.deepEqual([...names].toSorted(), [...oracle.named.keys()].toSorted(), 'named checkpoints');
  for (const { id } of list) await store.read(id);
}

async function live(
  store: FileCheckpointStore,
  oracle: Oracle,
  random: Random,
  durability: Durability,
): Promise<void> {
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const running: Promise<unknown>[] = [];
  const all: Promise<unknown>[] = [];
  const start = (task: Promise<unknown>): void => {
    task.catch(() => {}); // awaited with the others, later
    running.push(task);
    all.push(task);
  };
  let known = new Set<string>();
  let busy = false;

  const append = (): void => {
    const bytes = Buffer.alloc(12 + int(0, random() < 0.1 ? 3_000 : 100), int(0, 255));
    bytes.writeUInt32LE(oracle.history.length + 1, 0);
    bytes.writeUInt32LE(oracle.branch, 4);
    bytes.writeUInt32LE(int(0, 0xffff_ffff), 8);
    const { sequence, durable } = store.append(bytes);
    oracle.push(Buffer.from(bytes));
    bytes.fill(0); // the caller may use its buffer again
    assert.equal(sequence, oracle.history.length);
    start(
      durable.then(() => {
        oracle.written = Math.max(oracle.written, sequence);
        if (durability === 'sync') oracle.durable = Math.max(oracle.durable, sequence);
      }),
    );
  };

  const part = (component: string): PartToSave => {
    const state = oracle.state(component, oracle.history.length);
    const half = int(0, state.length);
    return { component, meta: { n: 1 }, pieces: [state.subarray(0, half), state.subarray(half)] };
  };

  const snapshot = (barrier: boolean): Promise<void> => {
    const cut = oracle.history.length;
    if (barrier) oracle.pendingBranch = oracle.branch + 1;
    const before = oracle.branch;
    if (barrier) oracle.branch += 1;
    const wanted = COMPONENTS.filter((c, i) => i === 0 || known.has(c) || random() < 0.7);
    const parts: (PartToSave | UnchangedPart)[] = wanted.map(part);
    known = new Set(wanted);
    return store.snapshot(parts, { barrier }).then(
      ({ id }) => {
        oracle.generation = Math.max(oracle.generation, Number(id));
        oracle.durable = Math.max(oracle.durable, cut);
        if (barrier) oracle.pendingBranch = undefined;
      },
      (error: unknown) => {
        if (barrier) {
          oracle.pendingBranch = oracle.branch;
          oracle.branch = before;
        }
        throw error;
      },
    );
  };

  const create = (name: string): Promise<void> => {
    const cut = oracle.history.length;
    oracle.doubtful.add(name);
    return store.create(name, COMPONENTS.map(part)).then(() => {
      oracle.doubtful.delete(name);
      oracle.named.set(name, cut);
    });
  };

  const remove = (name: string): Promise<void> => {
    oracle.doubtful.add(name);
    return store.remove(name).then(() => {
      oracle.doubtful.delete(name);
      oracle.named.delete(name);
    });
  };

  const flush = (): Promise<void> => {
    const last = oracle.history.length;
    return store.flush().then(() => {
      oracle.durable = Math.max(oracle.durable, last);
    });
  };

  const file = (): Promise<void> => {
    const dice = random();
    const [name] = oracle.named.keys();
    if (dice < 0.6) return snapshot(false);
    if (dice < 0.75) return snapshot(true);
    if (name !== undefined && dice < 0.85) return remove(name);
    return create(`before-${int(1, 1e9)}`);
  };

  const step = async (): Promise<void> => {
    const dice = random();
    if (dice < 0.5) for (let i = int(1, 4); i > 0; i -= 1) append();
    else if (dice < 0.65) await Promise.all(running.splice(0));
    else if (dice < 0.72) start(flush());
    else if (dice < 0.8) await new Promise((resolve) => setImmediate(resolve));
    else if (!busy) {
      busy = true;
      start(file().finally(() => (busy = false)));
      if (random() < 0.5) await running.at(-1);
    }
  };

  try {
    for (let left = int(5, 25); left > 0; left -= 1) await step();
    await Promise.all(running);
  } finally {
    await Promise.allSettled(all);
  }
}
