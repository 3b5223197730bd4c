import { strict as assert } from 'node:assert';
import type { CheckpointStore } from '../../checkpoint/checkpoint-store.js';
import { append, type Case, part, refusedWith, reopen } from './store-contract-support.js';

type Told = readonly [count: number, isWhole: boolean, ...entries: string[]];

async function told(store: CheckpointStore, id: string): Promise<Told> {
  const { count, isWhole, entries } = await store.history(id);
  const found: string[] = [];
  for await (const { sequence, entry } of entries())
    found.push(`${sequence} ${Buffer.from(entry).toString()}`);
  return [count, isWhole, ...found];
}

export const HISTORY_CASES: readonly Case[] = [
  [
    'what was journaled after a checkpoint can be read while it goes on',
    async (store) => {
      await store.open();
      await append(store, 'a', 'b');
      const { id } = await store.snapshot([part('ledger', 'ab')]);
      assert.deepEqual(await told(store, id), [0, true]);
      await append(store, 'c', 'd');
      assert.deepEqual(await told(store, id), [2, true, '3 c', '4 d']);
      const { id: next } = await store.snapshot([part('ledger', 'abcd')]);
      await append(store, 'e');
      assert.deepEqual(await told(store, id), [3, true, '3 c', '4 d', '5 e']);
      assert.deepEqual(await told(store, next), [1, true, '5 e']);
      await reopen(store);
      assert.deepEqual(await told(store, id), [3, true, '3 c', '4 d', '5 e']);
    },
  ],
  [
    'a named checkpoint has a history too, as long as the journal reaches back to it',
    async (store) => {
      await store.open();
      await append(store, 'a');
      await store.create('named', [part('ledger', 'a')]);
      await append(store, 'b');
      assert.deepEqual(await told(store, 'named'), [1, true, '2 b']);
      for (const state of ['1', '2', '3', '4']) {
        await append(store, state);
        await store.snapshot([part('ledger', state)]);
      }
      assert.deepEqual(await told(store, 'named'), [5, false]);
    },
  ],
  [
    'nothing leads from before a barrier to what is behind it',
    async (store) => {
      await store.open();
      await append(store, 'a');
      const { id } = await store.snapshot([part('ledger', 'a')]);
      await store.create('before', [part('ledger', 'a')]);
      await append(store, 'b');
      const barrier = await store.snapshot([part('ledger', 'a')], { barrier: true });
      await store.create('behind', [part('ledger', 'a')]);
      await append(store, 'c');
      assert.deepEqual(await told(store, id), [2, false]);
      assert.deepEqual(await told(store, 'before'), [2, false]);
      assert.deepEqual(await told(store, barrier.id), [1, true, '3 c']);
      // it has the cut of the barrier, so that nobody can say on which side it is
      assert.deepEqual(await told(store, 'behind'), [1, false]);
    },
  ],
  [
    'an unknown checkpoint has no history',
    async (store) => {
      await store.open();
      await assert.rejects(store.history('nothing'), refusedWith('CHECKPOINT_UNKNOWN'));
    },
  ],
];
