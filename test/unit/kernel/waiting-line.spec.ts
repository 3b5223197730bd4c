import { type Waiter, WaitingLine } from '../../../lib/kernel/waiting-line.js';

function drain(line: WaitingLine): Waiter[] {
  const seen: Waiter[] = [];
  for (let { first } = line; first !== undefined; { first } = line) {
    seen.push(first);
    first.unlink();
  }
  return seen;
}

it('keeps the order of arrival, whoever leaves', () => {
  const line = new WaitingLine();
  const [a, b, c, d, e] = Array.from({ length: 5 }, () => line.join(() => {}));

  for (const leaver of [c, a, e]) leaver!.unlink();
  const late = line.join(() => {});

  expect(drain(line)).toEqual([b, d, late]);
});

it('who left has left: again it does nothing, and harms nobody who came since', () => {
  const line = new WaitingLine();
  const gone = line.join(() => {});
  expect(gone.unlink()).toBe(true);
  const stays = line.join(() => {});

  expect(gone.unlink()).toBe(false);

  expect(drain(line)).toEqual([stays]);
  expect(line.first).toBeUndefined();
});

it('tells all who wait, in order', () => {
  const line = new WaitingLine();
  expect(line.all).toEqual([]);
  const [a, b, c] = Array.from({ length: 3 }, () => line.join(() => {}));
  b!.unlink();

  expect(line.all).toEqual([a, c]);
});
