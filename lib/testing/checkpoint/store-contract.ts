import type { CheckpointStore } from '../../checkpoint/checkpoint-store.js';
import { HISTORY_CASES } from './store-contract-history.js';
import { JOURNAL_CASES, VERIFY_CASES } from './store-contract-journal.js';
import { NAME_CASES } from './store-contract-names.js';
import { SNAPSHOT_CASES } from './store-contract-snapshots.js';

/** `test` or `it` of any runner. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

/**
 * What every `CheckpointStore` must do, as tests for any runner.
 *
 * ```ts
 * checkpointStoreContract(() => new MyStore(freshPlace()), test);
 * ```
 *
 * @param make a new store with nothing in it; the contract closes it
 * @param test `test` or `it` of the runner
 */
export function checkpointStoreContract(
  make: () => CheckpointStore | Promise<CheckpointStore>,
  test: TestFunction,
): void {
  for (const [name, run] of [
    ...JOURNAL_CASES,
    ...SNAPSHOT_CASES,
    ...HISTORY_CASES,
    ...NAME_CASES,
    ...VERIFY_CASES,
  ]) {
    test(name, async () => {
      const store = await make();
      try {
        await run(store);
      } finally {
        await store.close();
      }
    });
  }
}
