import { strict as assert } from 'node:assert';
import type { PartToSave } from '../../checkpoint/checkpoint-store.js';
import type { Case } from './store-contract-support.js';

/** Names that lead elsewhere, or are something else on one system or another. */
export const HOSTILE_NAMES: readonly unknown[] = [
  '',
  ' ',
  '.',
  '..',
  '../x',
  '..%2fx',
  '%252e%252e',
  'a\0b',
  'a\\b',
  'a/b',
  'a/../b',
  '/etc/passwd',
  'C:\\x',
  'C:x',
  'CON',
  'con.json',
  'nul.json',
  'NUL',
  'aux',
  'com1',
  'LPT9.txt',
  'prn.',
  '.hidden',
  'trailing.',
  'a..b',
  '-rf',
  '_start',
  'x'.repeat(101),
  'x'.repeat(5_000),
  '\uFF02',
  '\u202Etxt',
  'caf\u00E9',
  'cafe\u0301',
  'a b',
  'a\nb',
  'a:b',
  '*',
  "'; drop table",
  { $ne: 1 },
  ['a'],
  7,
  null,
  undefined,
];

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

const part = (component: string): PartToSave => ({
  component,
  meta: {},
  pieces: [Buffer.from(component)],
});

async function codesOf(
  run: (name: string) => Promise<unknown>,
  names: readonly unknown[],
): Promise<Map<unknown, unknown>> {
  const codes = new Map<unknown, unknown>();
  for (const name of names) {
    const code = await run(name as string).then(() => 'accepted', codeOf);
    if (code !== 'CHECKPOINT_NAME') codes.set(name, code);
  }
  return codes;
}

export const NAME_CASES: readonly Case[] = [
  [
    'a named checkpoint is complete, listed and readable until it is removed',
    async (store) => {
      await store.open();
      await store.append(Buffer.from('a')).durable;
      const made = await store.create('before-upgrade', [part('ledger'), part('pool')]);
      assert.deepEqual([made.id, made.named, made.sequence], ['before-upgrade', true, 1]);
      await store.close();
      await store.open();
      assert.deepEqual(
        (await store.list()).map(({ id, named }) => [id, named]),
        [['before-upgrade', true]],
      );
      const saved = await store.read('before-upgrade');
      assert.deepEqual([...saved.keys()], ['ledger', 'pool']);
      assert.equal(saved.get('pool')?.sequence, 1);
      await store.remove('before-upgrade');
      assert.deepEqual(await store.list(), []);
      await assert.rejects(store.read('before-upgrade'), { code: 'CHECKPOINT_UNKNOWN' });
      await assert.rejects(store.remove('before-upgrade'), { code: 'CHECKPOINT_UNKNOWN' });
    },
  ],
  [
    'a name is given once, and not again in other letters',
    async (store) => {
      await store.open();
      await store.create('Backup', [part('ledger')]);
      await assert.rejects(store.create('Backup', []), { code: 'CHECKPOINT_EXISTS' });
      await assert.rejects(store.create('backup', []), { code: 'CHECKPOINT_NAME' });
      assert.equal((await store.list()).length, 1);
    },
  ],
  [
    'the number of a generation is no name',
    async (store) => {
      await store.open();
      await assert.rejects(store.create('12', []), { code: 'CHECKPOINT_NAME' });
      await assert.rejects(store.read('12'), { code: 'CHECKPOINT_UNKNOWN' });
      await assert.rejects(store.remove('12'), { code: 'CHECKPOINT_NAME' });
    },
  ],
  [
    '#111 hostile names are refused everywhere',
    async (store) => {
      await store.open();
      const none = new Map();
      assert.deepEqual(await codesOf((name) => store.create(name, []), HOSTILE_NAMES), none);
      assert.deepEqual(await codesOf((name) => store.read(name), HOSTILE_NAMES), none);
      assert.deepEqual(await codesOf((name) => store.remove(name), HOSTILE_NAMES), none);
      const snapshot = (name: string): Promise<unknown> => store.snapshot([part(name)]);
      const bad = HOSTILE_NAMES.filter((name) => typeof name === 'string');
      assert.deepEqual(await codesOf(snapshot, bad), none);
      assert.deepEqual(await store.list(), []);
      assert.equal(store.state, 'open');
    },
  ],
  [
    'two components of one checkpoint differ in more than case',
    async (store) => {
      await store.open();
      const parts = [part('Ledger'), part('ledger')];
      await assert.rejects(store.snapshot(parts), { code: 'CHECKPOINT_NAME' });
      await assert.rejects(store.create('both', parts), { code: 'CHECKPOINT_NAME' });
    },
  ],
  [
    'meta data is flat and plain, or refused',
    async (store) => {
      await store.open();
      const bad = [{ a: { b: 1 } }, { a: Number.NaN }, { a: 1n }, { a: undefined }, null, []];
      for (const meta of bad) {
        const saved = { ...part('ledger'), meta } as unknown as PartToSave;
        await assert.rejects(store.snapshot([saved]), TypeError);
      }
      const meta = { text: '\u2028"', number: -1.5, yes: true, none: null };
      await store.snapshot([{ ...part('ledger'), meta }]);
      await store.close();
      assert.deepEqual((await store.open()).parts.get('ledger')?.meta, meta);
    },
  ],
];
