import { strict as assert } from 'node:assert';
import {
  append,
  type Case,
  entriesOf,
  part,
  read,
  refusedWith,
  reopen,
  text,
} from './store-contract-support.js';

export const SNAPSHOT_CASES: Case[] = [
  [
    'a snapshot is cut when it is asked for, and the journal goes on from there',
    async (store) => {
      await store.open();
      await append(store, 'a', 'b');
      const making = store.snapshot([part('ledger', 'a+b'), part('pool', 'empty')]);
      await append(store, 'c');
      const made = await making;
      assert.equal(made.sequence, 2);
      assert.equal(made.named, false);
      assert.deepEqual(made.components[0], {
        component: 'ledger',
        meta: { height: 3 },
        sequence: 2,
        bytes: 3,
      });

      const contents = await reopen(store);
      assert.deepEqual([...contents.parts.keys()], ['ledger', 'pool']);
      assert.equal(contents.parts.get('ledger')?.sequence, 2);
      assert.deepEqual(contents.parts.get('ledger')?.meta, { height: 3 });
      assert.equal(await read(contents.parts.get('ledger')), 'a+b');
      assert.deepEqual(await entriesOf(contents), [[3, 'c']]);
    },
  ],
  [
    'pieces of any size come back as they were, as often as they are read',
    async (store) => {
      await store.open();
      const sizes = [0, 1, 3 * 1024 * 1024 + 1, 5, 1024 * 1024, 0];
      const pieces = sizes.map((size, i) => Buffer.alloc(size, i + 1));
      await store.snapshot([{ component: 'big', meta: {}, pieces }]);
      const saved = (await reopen(store)).parts.get('big')!;
      assert.equal(
        saved.bytes,
        sizes.reduce((sum, size) => sum + size, 0),
      );
      for (let time = 0; time < 2; time += 1) {
        const found: Buffer[] = [];
        for await (const piece of saved.pieces()) found.push(Buffer.from(piece));
        assert.deepEqual(
          found.map(({ length }) => length),
          sizes,
        );
        assert.ok(Buffer.concat(found).equals(Buffer.concat(pieces)));
      }
    },
  ],
  [
    'a generator may use one buffer for all its pieces',
    async (store) => {
      await store.open();
      const buffer = Buffer.alloc(2 * 1024 * 1024);
      const pieces = function* (): Generator<Uint8Array> {
        for (let i = 1; i <= 3; i += 1) yield buffer.fill(i);
      };
      await store.snapshot([{ component: 'big', meta: {}, pieces: pieces() }]);
      const saved = (await store.read('1')).get('big')!;
      let n = 0;
      for await (const piece of saved.pieces()) {
        n += 1;
        assert.equal(piece[0], n);
        assert.equal(piece.at(-1), n);
      }
      assert.equal(n, 3);
    },
  ],
  [
    'an unchanged component keeps its state, which stands from now on for all entries up to the new cut',
    async (store) => {
      await store.open();
      await store.snapshot([part('ledger', 'one'), part('pool', 'one')]);
      await append(store, 'a');
      const parts = [part('ledger', 'two'), { component: 'pool', unchanged: true as const }];
      const made = await store.snapshot(parts);
      assert.deepEqual(
        made.components.map(({ component, sequence }) => [component, sequence]),
        [
          ['ledger', 1],
          ['pool', 1],
        ],
      );
      const contents = await reopen(store);
      for (const found of [contents.parts, await store.read(made.id)]) {
        assert.equal(await read(found.get('ledger')), 'two');
        assert.equal(await read(found.get('pool')), 'one');
        assert.equal(found.get('pool')?.sequence, 1);
      }
      assert.deepEqual(await entriesOf(contents), []);
    },
  ],
  [
    'what was never saved cannot be unchanged',
    async (store) => {
      await store.open();
      const making = store.snapshot([{ component: 'pool', unchanged: true }]);
      await assert.rejects(making, refusedWith('CHECKPOINT_UNKNOWN'));
      await store.snapshot([part('pool', 'saved')]);
    },
  ],
  [
    '#123 the newest generations are kept, the newest first in the list',
    async (store) => {
      await store.open();
      for (let i = 1; i <= 5; i += 1) {
        await append(store, `entry ${i}`);
        await store.snapshot([part('ledger', `state ${i}`)]);
      }
      const ids = (await store.list()).map(({ id }) => Number(id));
      assert.ok(ids.length >= 2);
      assert.deepEqual(ids.slice(0, 2), [5, 4]);
      assert.equal(await read((await store.read('4')).get('ledger')), 'state 4');
      await assert.rejects(store.read('1'), refusedWith('CHECKPOINT_UNKNOWN'));
      assert.equal((await reopen(store)).sequence, 5);
    },
  ],
  [
    'snapshots that are asked for together are made one after another',
    async (store) => {
      await store.open();
      const making = [1, 2, 3].map((i) => {
        store.append(text(`entry ${i}`));
        return store.snapshot([part('ledger', `state ${i}`)]);
      });
      const made = await Promise.all(making);
      assert.deepEqual(
        made.map(({ id, sequence }) => [id, sequence]),
        [
          ['1', 1],
          ['2', 2],
          ['3', 3],
        ],
      );
      assert.equal(await read((await reopen(store)).parts.get('ledger')), 'state 3');
    },
  ],
  [
    'the last state before a barrier stays as the way back, until the next barrier',
    async (store) => {
      await store.open();
      await store.snapshot([part('ledger', 'bad 1')]);
      await store.snapshot([part('ledger', 'bad 2')]);
      await store.snapshot([part('ledger', 'restored')], { barrier: true });
      for (let i = 4; i <= 6; i += 1) {
        await append(store, 'entry');
        await store.snapshot([part('ledger', `good ${i}`)]);
      }
      const ids = (await store.list()).map(({ id }) => id);
      assert.ok(ids.includes('2') && !ids.includes('1'), String(ids));
      assert.equal(await read((await store.read('2')).get('ledger')), 'bad 2');
      await store.snapshot([part('ledger', 'migrated')], { barrier: true });
      const later = (await store.list()).map(({ id }) => id);
      assert.ok(later.includes('6') && !later.includes('2'), String(later));
      assert.equal(await read((await reopen(store)).parts.get('ledger')), 'migrated');
    },
  ],
  [
    'an unchanged component goes over a barrier too',
    async (store) => {
      await store.open();
      await store.snapshot([part('ledger', 'one'), part('pool', 'one')]);
      const parts = [part('ledger', 'two'), { component: 'pool', unchanged: true as const }];
      await store.snapshot(parts, { barrier: true });
      store.append(text('after'));
      const contents = await reopen(store);
      assert.equal(await read(contents.parts.get('pool')), 'one');
      assert.deepEqual(await entriesOf(contents), [[1, 'after']]);
    },
  ],
];
