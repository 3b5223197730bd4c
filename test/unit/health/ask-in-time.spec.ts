import { askInTime } from '../../../lib/health/ask-in-time.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';

const ask = (what: (signal: AbortSignal) => unknown, clock = new FakeClock()): unknown =>
  askInTime('it', what, 1_000, clock);

describe('a question to the application', () => {
  it.each([
    ['a number', () => 5, { value: 5 }],
    ['a promise', async () => 'later', { value: 'later' }],
    ['nothing', () => undefined, { value: undefined }],
    // oxlint-disable-next-line unicorn/no-thenable -- a hostile one
    ['a thenable', () => ({ then: (done: (n: number) => void) => done(7) }), { value: 7 }],
  ])('that answers %s', async (_, what, expected) => {
    expect(await ask(what)).toEqual(expected);
  });

  it.each([
    ['throws', () => { throw new Error('why'); }, 'why'], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('why')), 'why'],
    ['rejects with nothing', () => Promise.reject(), 'failed'], // oxlint-disable-line prefer-promise-reject-errors
    [
      'throws what cannot be read',
      () => {
        throw Object.defineProperty(new Error('x'), 'message', {
          get() {
            throw new Error('y');
          },
        });
      },
      'failed',
    ],
  ])('that %s', async (_, what, problem) => {
    expect(await ask(what)).toEqual({ problem });
  });

  it('that hangs is given up at the deadline, hears of it, and leaves no timer', async () => {
    const clock = new FakeClock();
    let reason: unknown;
    const answer = ask((signal) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      return new Promise(() => {});
    }, clock);

    await clock.advance(999);
    expect(reason).toBeUndefined();
    await clock.advance(1);
    expect(await answer).toEqual({ problem: 'timeout of 1000 ms' });
    expect(reason).toEqual(new Error('it took longer than 1000 ms'));
    expect(clock.pending).toBe(0);
  });

  it('that answers leaves no timer; at once it never has one', async () => {
    const clock = new FakeClock();
    await ask(async () => 1, clock);
    expect(clock.pending).toBe(0);
    void ask(() => 1, clock);
    expect(clock.pending).toBe(0);
  });
});
