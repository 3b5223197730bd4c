// `node --import ./test/support/typescript.mjs test/crash/golden/check-application.ts <directory>`: opens what
// make-application.ts wrote, and looks at every value. In plain node: jest's objects are of another realm than v8's.
import { strict as assert } from 'node:assert';
import { run } from '../../unit/checkpoint/world.js';
import { Money, open, VALUES } from './application.js';

const { kept, counter, close } = await open(process.argv[2]!);
const { map, list, set, value } = kept;

/** Node finds no invalid Date equal to another. */
const shown = (value: unknown): unknown =>
  value instanceof Date && Number.isNaN(value.getTime()) ? 'an invalid Date' : value;

const { null: _deleted, ...left } = VALUES;
assert.deepStrictEqual([...map.keys()], Object.keys(left));
assert.deepStrictEqual([...map.values()].map(shown), Object.values(left).map(shown));
const listed = ['first', ...Object.values(VALUES).slice(1)];
assert.deepStrictEqual([...list].map(shown), listed.map(shown));
const half = Object.keys(VALUES).length >> 1;
assert.deepStrictEqual([...set], [half, 'added', Object.keys(VALUES).length - half]);
assert.equal(value.get(), 'at last');
assert.ok(map.get('class') instanceof Money);
const [one, two] = map.get('one object twice') as object[];
assert.equal(one, two);

assert.equal(counter.count, 3);
assert.deepEqual(counter.seen, ['saved', 'journaled']);
for (const [key, by] of [
  ['saved', 1],
  ['journaled', 2],
] as const) {
  const answer = await run(counter, () => 'again', { idempotencyKey: () => key });
  assert.deepStrictEqual(answer, { by });
}
await close();
