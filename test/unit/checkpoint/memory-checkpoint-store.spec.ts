import { MemoryCheckpointStore } from '../../../lib/checkpoint/stores/memory-checkpoint-store.js';
import { checkpointStoreContract } from '../../../lib/testing/checkpoint/store-contract.js';

describe('MemoryCheckpointStore', () => {
  checkpointStoreContract(() => new MemoryCheckpointStore(), test);

  test('forgets everything on demand', async () => {
    const store = new MemoryCheckpointStore();
    await store.open();
    await store.append(Buffer.from('a')).durable;
    await store.create('kept', []);

    store.forget();

    expect(store.state).toBe('closed');
    expect((await store.open()).sequence).toBe(0);
    expect(await store.list()).toEqual([]);
  });

  test('fails on demand, and loses nothing by it', async () => {
    const store = new MemoryCheckpointStore();
    await store.open();
    await store.append(Buffer.from('a')).durable;
    const causes: unknown[] = [];
    store.onFenced((cause) => causes.push(cause));

    store.fail('disk full');

    expect(causes).toEqual(['disk full']);
    expect(() => store.append(Buffer.from('b'))).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_FENCED' }),
    );
    expect((await store.open()).sequence).toBe(1);
  });
});
