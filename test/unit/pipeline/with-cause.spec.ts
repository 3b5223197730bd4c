import { withCause } from '../../../lib/pipeline/with-cause.js';

const first = new Error('first');

it('an error that says no cause gets one, as a field of its own that may be changed', () => {
  const thrown = new Error('second');

  expect(withCause(thrown, first)).toBe(thrown);
  expect(thrown.cause).toBe(first);
  expect(Object.keys(thrown)).toEqual([]);
  thrown.cause = 5;
  expect(thrown.cause).toBe(5);
});

it('an error that says its cause keeps it, and none is its own', () => {
  expect((withCause(new Error('x', { cause: 1 }), first) as Error).cause).toBe(1);
  expect((withCause(first, first) as Error).cause).toBeUndefined();
});

it('the same cause twice stays, another one is taken away: the error is shared between calls', () => {
  const shared = new Error('shared');
  withCause(shared, first);
  withCause(shared, first);
  expect(shared.cause).toBe(first);
  withCause(shared, new Error('other'));

  expect('cause' in shared).toBe(false);
});

it.each([{ name: 'X' }, 'text', undefined, null, Object.freeze(new Error('x'))])(
  '%p is thrown on as it came',
  (thrown) => {
    expect(withCause(thrown, first)).toBe(thrown);
    expect((thrown as { cause?: unknown } | null | undefined)?.cause).toBeUndefined();
  },
);
