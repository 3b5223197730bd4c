import { strict as assert } from 'node:assert';
import {
  append,
  type Case,
  entriesOf,
  part,
  refusedWith,
  reopen,
  text,
} from './store-contract-support.js';

export const JOURNAL_CASES: Case[] = [
  [
    'a new store holds nothing',
    async (store) => {
      assert.equal(store.state, 'new');
      const contents = await store.open();
      assert.equal(store.state, 'open');
      assert.equal(contents.sequence, 0);
      assert.equal(contents.parts.size + contents.lost.size, 0);
      assert.deepEqual(await entriesOf(contents), []);
      assert.deepEqual(await store.list(), []);
    },
  ],
  [
    'entries come back in the order in which they were appended, each with its place',
    async (store) => {
      await store.open();
      const places = ['a', '', 'c'].map((entry) => store.append(text(entry)));
      assert.deepEqual(
        places.map(({ sequence }) => sequence),
        [1, 2, 3],
      );
      await Promise.all(places.map(({ durable }) => durable));
      const contents = await reopen(store);
      assert.equal(contents.sequence, 3);
      const expected = [
        [1, 'a'],
        [2, ''],
        [3, 'c'],
      ];
      assert.deepEqual(await entriesOf(contents), expected);
      assert.deepEqual(await entriesOf(contents), expected, 'read a second time');
      assert.equal(store.append(text('d')).sequence, 4);
    },
  ],
  [
    'an entry is copied: its buffer may be used again at once',
    async (store) => {
      await store.open();
      const buffer = text('first');
      store.append(buffer);
      buffer.fill('x');
      await store.flush();
      assert.deepEqual(await entriesOf(await reopen(store)), [[1, 'first']]);
    },
  ],
  [
    'what was appended and not waited for is kept by flush, and by close',
    async (store) => {
      await store.open();
      store.append(text('flushed'));
      await store.flush();
      store.append(text('closed'));
      assert.equal((await reopen(store)).sequence, 2);
    },
  ],
  [
    'a thousand callers at once, and what they append from their continuations, are all kept',
    async (store) => {
      await store.open();
      const caller = async (n: number): Promise<void> => {
        for (let i = 0; i < 5; i += 1) await store.append(text(`${n}.${i}`)).durable;
      };
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => caller(n)));
      const entries = await entriesOf(await reopen(store));
      assert.equal(entries.length, 5_000);
      const places = new Map(entries.map(([sequence, entry]) => [entry, sequence]));
      assert.equal(places.size, 5_000);
      for (let n = 0; n < 1_000; n += 1) {
        assert.ok(places.get(`${n}.0`)! < places.get(`${n}.4`)!, `caller ${n} in order`);
      }
    },
  ],
  [
    '#110 an entry beyond 16 MiB is refused at once with its size, and harms nobody',
    async (store) => {
      await store.open();
      const large = new Uint8Array(16 * 1024 * 1024 + 1);
      assert.throws(() => store.append(large), /16777217 bytes/);
      assert.equal(store.append(text('small')).sequence, 1);
      await store.flush();
    },
  ],
  [
    'is not used before it is opened, nor after it is closed, nor opened twice',
    async (store) => {
      assert.throws(() => store.append(text('early')), refusedWith('CHECKPOINT_CLOSED'));
      await assert.rejects(store.list(), refusedWith('CHECKPOINT_CLOSED'));
      await store.open();
      await assert.rejects(store.open(), refusedWith('CHECKPOINT_EXISTS'));
      await store.close();
      await store.close();
      assert.equal(store.state, 'closed');
      assert.throws(() => store.append(text('late')), refusedWith('CHECKPOINT_CLOSED'));
      await assert.rejects(store.snapshot([]), refusedWith('CHECKPOINT_CLOSED'));
      await assert.rejects(store.flush(), refusedWith('CHECKPOINT_CLOSED'));
    },
  ],
];

export const VERIFY_CASES: Case[] = [
  [
    'verify finds all of it whole',
    async (store) => {
      await store.open();
      await append(store, 'a');
      await store.snapshot([part('ledger', 'a')]);
      await append(store, 'b', 'c');
      await store.create('by-name', [part('ledger', 'abc')]);
      const { ok, checkpoints, journal, findings } = await store.verify();
      assert.deepEqual([ok, findings], [true, []]);
      assert.deepEqual(
        checkpoints.map(({ id }) => id),
        ['by-name', '1'],
      );
      assert.equal(journal.to, 3);
    },
  ],
];
