import { Fresh } from '../../../lib/health/fresh.js';
import { FakeClock, settle } from '../../../lib/testing/fake-clock.js';

describe('an answer that is asked for once a second', () => {
  it('#182 is asked for once, however many come while it is on its way and within a second', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const fresh = new Fresh(async () => (asked += 1), clock, 1_000);

    expect(await Promise.all(Array.from({ length: 1_000 }, () => fresh.get()))).toEqual(
      Array(1_000).fill(1),
    );
    await clock.advance(999);
    expect(await fresh.get()).toBe(1);
    await clock.advance(1);
    expect(await fresh.get()).toBe(2);
  });

  it('#182 that takes longer than that is not asked for a second time meanwhile', async () => {
    const clock = new FakeClock();
    const settled: ((n: number) => void)[] = [];
    const fresh = new Fresh(() => new Promise<number>((r) => settled.push(r)), clock, 1_000);

    const first = fresh.get();
    await clock.advance(5_000);
    const second = fresh.get();
    expect(settled).toHaveLength(1);
    settled[0]!(1);
    expect(await Promise.all([first, second])).toEqual([1, 1]);

    void fresh.get();
    expect(settled).toHaveLength(2);
  });

  it('is the same for all who ask when it is an error', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const fresh = new Fresh(
      () => {
        asked += 1;
        return Promise.reject(new Error(`no ${asked}`));
      },
      clock,
      1_000,
    );

    for (let i = 0; i < 3; i += 1) await expect(fresh.get()).rejects.toThrow('no 1');
    await clock.advance(1_000);
    await expect(fresh.get()).rejects.toThrow('no 2');
    await settle();
  });
});
