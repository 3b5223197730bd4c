import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Checkpoint,
  CheckpointComponent,
  CheckpointService,
  Durable,
  DurableValue,
  ResilienceModule,
} from 'nestjs-bulwark';
import { CrashFileSystem, observeFileSystem, seededRandom } from 'nestjs-bulwark/testing';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { verifyDirectory } from '../../../lib/checkpoint/stores/file/verify.js';
import { HOSTILE_NAMES } from '../../../lib/testing/checkpoint/store-contract-names.js';

@Injectable()
@CheckpointComponent({ name: 'ledger' })
class Ledger {
  @Durable() readonly balance = new DurableValue(0);

  @Checkpoint()
  async add(n: number): Promise<void> {
    this.balance.update((old) => old + n);
  }
}

/** What the disk was asked. */
const calls: string[] = [];
const disk = observeFileSystem(new CrashFileSystem(seededRandom(1)), ({ call, path }, proceed) => {
  calls.push(`${call} ${path}`);
  return proceed();
});

/** The codes with which hostile names are refused, but `expected`; and what of the disk was touched. */
async function answers(
  run: (name: string) => Promise<unknown>,
  expected: string,
  names: readonly unknown[] = HOSTILE_NAMES,
): Promise<{ others: unknown[]; calls: string[] }> {
  calls.length = 0;
  const others: unknown[] = [];
  for (const name of names) {
    const code = await run(name as string).then(
      () => 'accepted',
      (error: unknown) => (error as { code?: string; name: string }).code ?? (error as Error).name,
    );
    if (code !== expected) others.push([name, code]);
  }
  return { others, calls: [...calls] };
}

const REFUSED = { others: [], calls: [] };

test('#111 there are at least forty of them', () => {
  expect(new Set(HOSTILE_NAMES).size).toBeGreaterThanOrEqual(40);
});

describe('#111 a hostile name is refused before the disk is asked anything', () => {
  const store = new FileCheckpointStore({ directory: '/store', fs: disk });
  const part = (component: string): { component: string; meta: object; pieces: Uint8Array[] } => ({
    component,
    meta: {},
    pieces: [],
  });
  beforeAll(() => store.open());
  afterAll(() => store.close());

  const doors: Record<string, (name: string) => Promise<unknown>> = {
    create: (name) => store.create(name, []),
    read: (name) => store.read(name),
    remove: (name) => store.remove(name),
    'snapshot of a component': (name) => store.snapshot([part(name)] as never),
    'snapshot of an unchanged component': (component) =>
      store.snapshot([{ component, unchanged: true }]),
    'create with a component': (name) => store.create('fine', [part(name)] as never),
  };
  test.each(Object.entries(doors))('store: %s', async (_, run) => {
    expect(await answers(run, 'CHECKPOINT_NAME')).toEqual(REFUSED);
    expect(store.state).toBe('open');
  });

  test('the filter of the list is the name itself: what others put there is neither listed nor read', async () => {
    await store.create('fine', []);
    for (const name of ['.hidden', 'a b', '..%2fx', '-rf', 'trailing.', 'nul.json'])
      await disk.makeDirectory(`/store/named/${name}`);
    calls.length = 0;

    expect((await store.list()).map(({ id }) => id)).toEqual(['fine']);
    const { ok, checkpoints } = await verifyDirectory('/store', disk);

    expect([ok, checkpoints.map(({ id }) => id)]).toEqual([true, ['fine']]);
    expect(calls.filter((call) => /hidden|a b|%2f|-rf|trailing|nul/.test(call))).toEqual([]);
    await store.remove('fine');
  });
});

describe('#111 the same through CheckpointService', () => {
  async function service(): Promise<{ checkpoints: CheckpointService; close(): Promise<void> }> {
    const store = new FileCheckpointStore({ directory: '/application', fs: disk });
    const app = await NestFactory.createApplicationContext(
      {
        module: class AppModule {},
        imports: [ResilienceModule.forRoot({ checkpoint: { store }, health: false })],
        providers: [Ledger],
      },
      { logger: false, abortOnError: false },
    );
    await app.get(Ledger).add(7);
    return { checkpoints: app.get(CheckpointService), close: () => app.close() };
  }

  test('create, restore and remove', async () => {
    const { checkpoints, close } = await service();
    const refused = 'CHECKPOINT_NAME';
    expect(await answers((name) => checkpoints.create(name), refused)).toEqual(REFUSED);
    expect(await answers((name) => checkpoints.restore(name), refused)).toEqual(REFUSED);
    expect(await answers((name) => checkpoints.remove(name), refused)).toEqual(REFUSED);
    await close();
  });

  test('the component of a restore is one of ours, or none', async () => {
    const { checkpoints, close } = await service();
    const { id } = await checkpoints.create('good');
    const run = (component: string): Promise<unknown> => checkpoints.restore(id, { component });
    // an undefined option counts as not given
    const names = HOSTILE_NAMES.filter((name) => name !== undefined);
    expect(await answers(run, 'CHECKPOINT_UNKNOWN', names)).toEqual(REFUSED);
    await close();
  });
});
