import { AsyncLocalStorage } from 'node:async_hooks';
import { FakeClock } from '../../../lib/testing/index.js';

describe('the fake clock', () => {
  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, undefined, '5'])(
    'refuses to be moved by %s, and stands where it stood',
    async (by) => {
      const clock = new FakeClock(100, 5_000);

      await expect(clock.advance(by as never)).rejects.toThrow(RangeError);
      expect(() => clock.jump(by as never)).toThrow('expected milliseconds from 0');
      expect([clock.now(), clock.epoch()]).toEqual([100, 5_000]);
    },
  );

  it('stands still until it is moved, and tells both readings', async () => {
    const clock = new FakeClock(100, 5_000);
    await clock.advance(50);
    clock.stepWallClock(-3_000);

    expect([clock.now(), clock.epoch()]).toEqual([150, 2_050]);
  });

  it('runs what falls due in order, at its time, with what that brings about in between', async () => {
    const clock = new FakeClock(0);
    const ran: string[] = [];
    const note = (name: string) => () => ran.push(`${name} at ${clock.now()}`);
    clock.schedule(note('late'), 30);
    clock.schedule(note('early'), 10);
    clock.schedule(() => void Promise.resolve().then(() => clock.schedule(note('caused'), 5)), 20);
    const cancel = clock.schedule(note('cancelled'), 15);
    clock.schedule(note('not yet'), 31);
    cancel();

    await clock.advance(30);

    expect(ran).toEqual(['early at 10', 'caused at 25', 'late at 30']);
    expect(clock.pending).toBe(1);
  });

  it('that jumps runs nothing until it is moved again, as a machine that slept', async () => {
    const clock = new FakeClock(0);
    let at: number | undefined;
    clock.schedule(() => (at = clock.now()), 10);

    clock.jump(1_000);
    expect(at).toBeUndefined();
    await clock.advance(0);
    expect(at).toBe(1_000);
  });

  it('runs a task in the async context of whoever scheduled it', async () => {
    const context = new AsyncLocalStorage<string>();
    const clock = new FakeClock();
    let seen: string | undefined;
    context.run('mine', () => clock.schedule(() => (seen = context.getStore()), 1));

    await clock.advance(1);

    expect(seen).toBe('mine');
  });
});
