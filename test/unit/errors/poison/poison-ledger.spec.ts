import { PoisonLedger } from '../../../../lib/errors/poison/poison-ledger.js';

const HOUR = 3_600_000;

it('the third failure of a message makes it poison, and so does each one after it', () => {
  const ledger = new PoisonLedger();

  expect([1, 2, 3, 4].map((now) => ledger.failed('a', now))).toEqual([false, false, true, true]);
});

it('each message is counted for itself', () => {
  const ledger = new PoisonLedger();
  ledger.failed('a', 1);
  ledger.failed('a', 2);

  expect(ledger.failed('b', 3)).toBe(false);
  expect(ledger.failed('a', 4)).toBe(true);
});

it('a success forgets what was before it', () => {
  const ledger = new PoisonLedger();
  ledger.failed('a', 1);
  ledger.failed('a', 2);
  ledger.succeeded('a');

  expect([ledger.failed('a', 3), ledger.failed('a', 4), ledger.failed('a', 5)]).toEqual([
    false,
    false,
    true,
  ]);
  ledger.succeeded('never heard of');
  expect(ledger.size).toBe(1);
});

it('failures count for an hour, each from its own time', () => {
  const ledger = new PoisonLedger();
  ledger.failed('a', 0);
  ledger.failed('a', HOUR / 2);

  expect(ledger.failed('a', HOUR)).toBe(true);
  expect(ledger.failed('a', HOUR + 1)).toBe(true); // those of HOUR / 2 and HOUR
  expect(ledger.failed('a', 2 * HOUR + 1)).toBe(false); // that of HOUR has become too old
  expect(ledger.failed('a', 2 * HOUR + 2)).toBe(false);
  expect(ledger.failed('a', 2 * HOUR + 3)).toBe(true);
});

it('remembers the 1,000 messages that failed last', () => {
  const ledger = new PoisonLedger();
  ledger.failed('kept', 0);
  ledger.failed('old', 0);
  ledger.failed('old', 0);
  for (let i = 0; i < 998; i += 1) ledger.failed(`m${i}`, 1);
  ledger.failed('kept', 2); // the newest again
  expect(ledger.size).toBe(1_000);

  ledger.failed('one more', 3);

  expect(ledger.size).toBe(1_000);
  expect(ledger.failed('kept', 4)).toBe(true);
  expect(ledger.failed('old', 5)).toBe(false);
});

it('holds little of a message that fails for ever', () => {
  const ledger = new PoisonLedger({ limit: 2, window: 10, maxIds: 1 });
  for (let now = 0; now < 100; now += 1) ledger.failed('a', now);

  expect(ledger.failed('b', 100)).toBe(false);
  expect(ledger.failed('a', 101)).toBe(false);
  expect(ledger.failed('a', 111)).toBe(true);
  expect(ledger.failed('a', 122)).toBe(false);
});
