// What others answer or throw, as the kernel reads it.
import { checkOptions, show } from '../../../lib/kernel/check.js';
import { isCommitUnknown } from '../../../lib/kernel/commit-unknown.js';
import { ignore } from '../../../lib/kernel/ignore.js';
import { verdict } from '../../../lib/kernel/verdict.js';
import { CircuitOpenError } from '../../../lib/policies/circuit-breaker/circuit-open.error.js';

/** A proxy that throws whatever is done with it. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Until Node has said of every rejection whether somebody handles it; one that nobody does fails a test. */
const seen = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the answer of a predicate', () => {
  it.each([
    [true, true],
    [false, false],
    [undefined, false],
    [null, false],
    ['', false],
    ['no', true],
    [0, false],
    [{}, true],
    [{ then: 1 }, true],
    [[], true],
  ])('%j means %p', (answer, meant) => {
    expect(verdict(answer)).toBe(meant);
  });

  it('that is a promise is none, and is not left to reject by itself', async () => {
    const answer = Promise.reject(new Error('late'));

    expect(() => verdict(answer)).toThrow(
      new TypeError('answered a promise, expected true or false'),
    );

    await seen();
  });
});

it('what is ignored may reject, and ends nothing', async () => {
  ignore(Promise.reject(new Error('late')));

  await expect(seen()).resolves.toBeUndefined();
});

it('only a refusal of ours with that code says that nobody knows what became of a call', () => {
  const refusal = new CircuitOpenError('x', 'open');
  const unknown = Object.assign(new CircuitOpenError('x', 'open'), { code: 'COMMIT_UNKNOWN' });

  expect(isCommitUnknown(unknown)).toBe(true);
  expect(isCommitUnknown(refusal)).toBe(false);
  expect(isCommitUnknown(Object.assign(new Error('x'), { code: 'COMMIT_UNKNOWN' }))).toBe(false);
  expect(isCommitUnknown(undefined)).toBe(false);
});

it('what cannot be read is shown as that, and is no options object', () => {
  expect(show(revoked())).toBe('what cannot be read');
  expect(checkOptions('X', revoked(), {})).toEqual([
    { at: 'X', problem: expect.stringContaining('got what cannot be read, expected an options') },
  ]);
});
