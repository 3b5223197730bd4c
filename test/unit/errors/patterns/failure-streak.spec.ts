import fc from 'fast-check';
import { FailureStreak } from '../../../../lib/errors/patterns/failure-streak.js';

it('knows when the last n failures without a success began, as a list would', () => {
  const steps = fc.array(fc.option(fc.integer({ min: 0, max: 100 }), { freq: 8 }));
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), steps, (size, list) => {
      const streak = new FailureStreak(size);
      let times: number[] = [];
      let now = 0;
      for (const wait of list) {
        if (wait === null) {
          streak.succeeded();
          times = [];
        } else {
          now += wait;
          streak.failed(now);
          times.push(now);
        }
        expect(streak.failures).toBe(times.length);
        expect(streak.began).toBe(times.length < size ? undefined : times.at(-size));
      }
    }),
  );
});
