import fc from 'fast-check';
import { ErrorWindow } from '../../../../lib/errors/patterns/error-window.js';
import type { ErrorCategory } from '../../../../lib/kernel/classifier.js';

const TERMS = { window: 60_000, highRate: 10, share: 0.5 };

function filled(errors: Partial<Record<ErrorCategory, number>>, now = 5_000): ErrorWindow {
  const window = new ErrorWindow(TERMS);
  for (const [type, count] of Object.entries(errors)) {
    for (let i = 0; i < count; i += 1) window.record(type as ErrorCategory, now);
  }
  return window;
}

describe('the analysis of the window', () => {
  it('says that there are no errors', () => {
    expect(new ErrorWindow(TERMS).analyse(0)).toEqual({ kind: 'no-errors' });
    expect(filled({ timeout: 3 }).analyse(5_000 + 61_000)).toEqual({ kind: 'no-errors' });
  });

  it('calls it normal while no type is more than half of the errors', () => {
    expect(filled({ timeout: 5, resource: 5 }).analyse(6_000)).toEqual({
      kind: 'normal',
      errors: 10,
    });
    expect(filled({ timeout: 2, resource: 2, poison: 1 }).analyse(6_000)).toEqual({
      kind: 'normal',
      errors: 5,
    });
  });

  it('sees a pattern where one type is more than half', () => {
    expect(filled({ timeout: 3, resource: 2 }).analyse(6_000)).toEqual({
      kind: 'pattern',
      type: 'timeout',
      count: 3,
      total: 5,
    });
    expect(filled({ timeout: 1 }).analyse(6_000)).toMatchObject({ kind: 'pattern', count: 1 });
  });

  it('puts a high rate first, above 10 a second and not at it', () => {
    expect(filled({ timeout: 600 }).analyse(6_000).kind).toBe('pattern');
    expect(filled({ timeout: 401, poison: 200 }).analyse(6_000)).toEqual({
      kind: 'high-error-rate',
      rate: 601 / 60,
      mostCommon: { type: 'timeout', count: 401 },
    });
  });

  it('takes rate and share from the options', () => {
    const window = new ErrorWindow({ window: 1_000, highRate: 4, share: 0.9 });
    for (let i = 0; i < 4; i += 1) window.record(i === 0 ? 'poison' : 'timeout', 100);

    expect(window.analyse(100)).toEqual({ kind: 'normal', errors: 4 });
    window.record('timeout', 100);
    expect(window.analyse(100)).toMatchObject({ kind: 'high-error-rate', rate: 5 });
  });

  it('is forgotten by a reset', () => {
    const window = filled({ timeout: 5 });
    window.reset();
    expect(window.analyse(5_000)).toEqual({ kind: 'no-errors' });

    window.record('poison', 5_000);
    expect(window.analyse(5_000)).toMatchObject({ kind: 'pattern', type: 'poison', total: 1 });
  });
});

it('names the type that was seen first of those with as many errors', () => {
  expect(filled({ timeout: 2, resource: 2, poison: 1 }).mostCommon(5_000)?.type).toBe('timeout');
});

it('counts an error for the whole window and at most a sixtieth more', () => {
  const window = new ErrorWindow(TERMS);
  window.record('timeout', 999);

  expect([59_999, 60_999].map((now) => window.errors(now))).toEqual([1, 1]);
  expect(window.errors(61_000)).toBe(0);
});

it('counts what comes from a clock that went back with the newest', () => {
  const window = new ErrorWindow(TERMS);
  window.record('timeout', 500_000);
  window.record('timeout', 100);

  expect([window.errors(560_000), window.errors(561_000)]).toEqual([2, 0]);
});

const types = ['timeout', 'resource', 'poison', 'transient'] as const;

it('counts as a list of all errors would', () => {
  const steps = fc.array(
    fc.record({
      wait: fc.oneof(
        fc.integer({ min: 0, max: 700 }),
        fc.integer({ min: 0, max: 90_000 }),
        fc.constantFrom(1_000, 60_000, 61_000, 10 ** 9),
      ),
      type: fc.constantFrom(...types),
      times: fc.integer({ min: 0, max: 5 }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(fc.nat(10 ** 6), steps, (start, list) => {
      const window = new ErrorWindow(TERMS);
      let all: { type: ErrorCategory; bucket: number }[] = [];
      let now = start;
      for (const { wait, type, times } of list) {
        now += wait;
        const bucket = Math.floor(now / 1_000);
        for (let i = 0; i < times; i += 1) {
          window.record(type, now);
          all.push({ type, bucket });
        }
        all = all.filter((error) => bucket - error.bucket <= 60);
        const count = (t: ErrorCategory): number => all.filter((e) => e.type === t).length;
        const most = Math.max(0, ...types.map(count));

        // whatever is asked first forgets
        const asked = [
          () => expect(window.mostCommon(now)?.count ?? 0).toBe(most),
          () => expect(window.errors(now)).toBe(all.length),
          () => expect(window.count('timeout', now)).toBe(count('timeout')),
        ];
        asked[wait % 3]!();
        for (const ask of asked) ask();
        expect(window.rate(now)).toBe(all.length / 60);
        for (const t of types) {
          expect(window.count(t, now)).toBe(count(t));
        }
      }
    }),
  );
});
