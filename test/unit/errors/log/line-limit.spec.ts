import { LineLimit } from '../../../../lib/errors/log/line-limit.js';

describe('the limit of lines', () => {
  it('#169 of one subject lets five pass at once and then one in two seconds, and says what it held back', () => {
    const limit = new LineLimit();
    const passed: number[] = [];
    for (let now = 0; now < 10_000; now += 100) {
      const line = limit.admit('a', now);
      if (line !== undefined) passed.push(now, line.suppressed);
    }

    expect(passed).toEqual([
      0, 0, 100, 0, 200, 0, 300, 0, 400, 0, 2_000, 15, 4_000, 19, 6_000, 19, 8_000, 19,
    ]);
    expect(limit.untold).toBe(19);
  });

  it('#169 of a million lines in ten seconds lets at most 100 pass, of however many subjects', () => {
    for (const subjects of [1, 10, 300, 5_000]) {
      const limit = new LineLimit();
      let passed = 0;
      let told = 0;
      for (let i = 0; i < 1_000_000; i += 1) {
        const line = limit.admit(`s${i % subjects}`, i / 100);
        if (line === undefined) continue;
        passed += 1;
        told += line.suppressed;
      }
      expect(passed).toBeLessThanOrEqual(100);
      expect(passed).toBeGreaterThan(subjects === 1 ? 8 : 40);
      expect(passed + told + limit.untold).toBe(1_000_000);
    }
  });

  it('does not know a clock that runs backwards', () => {
    const limit = new LineLimit();
    for (let i = 0; i < 5; i += 1) limit.admit('a', 1_000 - i);

    expect(limit.admit('a', 0)).toBeUndefined();
  });
});
