// `writer.mjs <directory> [durability] [callers]`: writes until it is killed. Says `opened <n>` once, `acked <n>` for what
// is safe, `made <generation>` and `fenced <code>`; each line in one synchronous write, so that what was said was true.
import { writeSync } from 'node:fs';
import { check, entryText, FileCheckpointStore, stateText } from './store.mjs';

const [directory, durability = 'sync', callers = '8'] = process.argv.slice(2);
const say = (line) => writeSync(1, `${line}\n`);
const store = new FileCheckpointStore({ directory, durability });
let last = await check(await store.open());
say(`opened ${last}`);

let acked = last;
const caller = async () => {
  for (;;) {
    const sequence = (last += 1);
    await store.append(Buffer.from(entryText(sequence))).durable;
    if (sequence > acked) say(`acked ${(acked = sequence)}`);
  }
};

const saver = async () => {
  for (let n = 1; ; n += 1) {
    const sequence = last;
    const part = () => ({
      component: 'ledger',
      meta: {},
      pieces: [Buffer.from(stateText(sequence))],
    });
    const { id } = await store.snapshot([part()], { barrier: n % 7 === 0 });
    say(`made ${id}`);
    if (n % 5 === 0) {
      const name = `at-${process.pid}-${n}`;
      await store.create(name, [{ ...part(), pieces: [Buffer.from('named')] }]);
      await store.remove(name);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

try {
  await Promise.all([...Array.from({ length: Number(callers) }, caller), saver()]);
} catch (error) {
  say(`fenced ${error.code} ${error.cause?.code ?? ''}`);
  process.exit(3);
}
