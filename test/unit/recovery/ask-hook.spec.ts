import { getEventListeners } from 'node:events';
import { askHook, pause, problemOf } from '../../../lib/recovery/ask-hook.js';
import { FakeClock, settle } from '../../../lib/testing/fake-clock.js';

const patience = () => {
  const clock = new FakeClock();
  const ending = new AbortController();
  const schedule: FakeClock['schedule'] = (task, delay) => clock.schedule(task, delay);
  return { clock, ending, patience: { timeout: 1_000, schedule, ending: ending.signal } };
};

describe('a hook', () => {
  it.each<[string, () => unknown, unknown, string | undefined]>([
    ['answers', () => 7, { value: 7 }, undefined],
    ['answers later', async () => 'a', { value: 'a' }, undefined],
    ['answers nothing', () => undefined, { value: undefined }, undefined],
    ['answers false', async () => false, { value: false }, 'answered false'],
    ['throws', () => { throw new Error('a'); }, { problem: 'Error: a' }, 'Error: a'], // prettier-ignore
    [
      'rejects',
      () => Promise.reject(new TypeError('a')),
      { problem: 'TypeError: a' },
      'TypeError: a',
    ],
  ])('that %s leaves no timer and no listener', async (_, ask, answer, problem) => {
    const { clock, ending, patience: given } = patience();
    const came = await askHook(ask, given);
    expect([came, problemOf(came)]).toEqual([answer, problem]);
    expect([clock.pending, getEventListeners(ending.signal, 'abort')]).toEqual([0, []]);
  });

  it.each([
    ['at its deadline', 'took longer than 1000 ms'],
    ['when the application ends', 'the application ends'],
  ])('that hangs is given up %s, and hears why', async (when, problem) => {
    const { clock, ending, patience: given } = patience();
    let reason: unknown;
    const came = askHook((signal) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      return new Promise(() => {});
    }, given);
    await clock.advance(999);
    expect(reason).toBeUndefined();
    if (when === 'at its deadline') await clock.advance(1);
    else ending.abort();
    expect([await came, reason]).toEqual([{ problem }, new Error(problem)]);
    expect([clock.pending, getEventListeners(ending.signal, 'abort')]).toEqual([0, []]);
  });

  it('is not run when the application has ended', async () => {
    const { clock, ending, patience: given } = patience();
    ending.abort();
    let ran = false;
    expect(await askHook(() => (ran = true), given)).toEqual({ problem: 'the application ends' });
    expect([ran, clock.pending]).toEqual([false, 0]);
  });

  it('runs at once', () => {
    let ran = false;
    void askHook(() => (ran = true), patience().patience);
    expect(ran).toBe(true);
  });
});

describe('a pause', () => {
  it('is as long as it should be', async () => {
    const { clock, ending, patience: given } = patience();
    let isOver = false;
    void pause(500, given).then(() => (isOver = true));
    await clock.advance(499);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect([isOver, getEventListeners(ending.signal, 'abort')]).toEqual([true, []]);
  });

  it('ends with the application, and is none after it', async () => {
    const { clock, ending, patience: given } = patience();
    let over = 0;
    void pause(500, given).then(() => (over += 1));
    await settle();
    expect(over).toBe(0);
    ending.abort();
    void pause(500, given).then(() => (over += 1));
    await settle();
    expect([over, clock.pending]).toEqual([2, 0]);
  });

  it('of an application that nobody says the end of', async () => {
    const { clock, patience: given } = patience();
    let isOver = false;
    void pause(5, { schedule: given.schedule }).then(() => (isOver = true));
    await clock.advance(5);
    expect(isOver).toBe(true);
  });
});
