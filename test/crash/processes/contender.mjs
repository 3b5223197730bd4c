// `contender.mjs <directory> <attempts>`: opens the store as often as it is told, beside others that do the same; where
// it gets it, it appends one entry that says what comes next, and ends. Says as JSON how that went.
import { check, entryText, FileCheckpointStore, stateText } from './store.mjs';

const [directory, attempts] = process.argv.slice(2);
const acked = [];
const refused = {};
for (let n = 0; n < Number(attempts); n += 1) {
  const store = new FileCheckpointStore({ directory });
  try {
    const next = (await check(await store.open())) + 1;
    const { sequence, durable } = store.append(Buffer.from(entryText(next)));
    await durable;
    acked.push(sequence);
    if (sequence % 10 === 0) {
      const pieces = [Buffer.from(stateText(sequence))];
      await store.snapshot([{ component: 'ledger', meta: {}, pieces }]);
    }
  } catch (error) {
    const code = error.code ?? String(error);
    refused[code] = (refused[code] ?? 0) + 1;
  } finally {
    await store.close();
  }
}
process.stdout.write(JSON.stringify({ acked, refused }));
