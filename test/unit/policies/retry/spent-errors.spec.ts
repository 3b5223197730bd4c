import { SpentErrors } from '../../../../lib/policies/retry/spent-errors.js';

const wrap = (error: unknown, times: number): unknown =>
  times === 0 ? error : wrap(new Error('wrapped', { cause: error }), times - 1);

const hostile = new Proxy(
  {},
  {
    get: () => {
      throw new Error('no');
    },
    has: () => {
      throw new Error('no');
    },
    getPrototypeOf: () => {
      throw new Error('no');
    },
  },
);

it('#52 an error that a retry further in has spent is known again', () => {
  const spent = new SpentErrors();
  const error = new Error('down');
  const mark = spent.mark();

  spent.add(error);

  expect(spent.isSpentSince(error, mark)).toBe(true);
  expect(spent.isSpentSince(new Error('down'), mark)).toBe(false);
});

it('#52 also behind a cause, five deep', () => {
  const spent = new SpentErrors();
  const error = new Error('down');
  spent.add(error);

  for (let depth = 0; depth <= 5; depth += 1) {
    expect(spent.isSpentSince(wrap(error, depth), 0)).toBe(true);
  }
  expect(spent.isSpentSince(wrap(error, 6), 0)).toBe(false);
});

it('#52 does not hold against an attempt what was spent before it started', () => {
  const spent = new SpentErrors();
  const constant = new Error('shared by all calls');
  spent.add(constant);

  const mark = spent.mark();
  spent.add(new Error('of somebody else'));
  expect(spent.isSpentSince(constant, mark)).toBe(false);
  expect(spent.isSpentSince(wrap(constant, 1), mark)).toBe(false);

  spent.add(constant);
  expect(spent.isSpentSince(constant, mark)).toBe(true);
  expect(spent.isSpentSince(constant, spent.mark())).toBe(false);
});

it('frozen errors, plain objects and functions are remembered', () => {
  const spent = new SpentErrors();
  for (const error of [Object.freeze(new Error('x')), { code: 'X' }, () => {}]) {
    spent.add(error);
    expect(spent.isSpentSince(error, spent.mark() - 1)).toBe(true);
  }
});

it.each([undefined, null, 'down', 5, true, Symbol('x'), 5n])(
  '%p has no identity: it is not remembered, and does no harm',
  (error) => {
    const spent = new SpentErrors();
    spent.add(error);
    spent.add(new Error('x'));

    expect(spent.isSpentSince(error, 0)).toBe(false);
    expect(spent.isSpentSince(wrap(error, 2), 0)).toBe(false);
  },
);

it('errors that throw when looked at, and causes in a circle, do no harm', () => {
  const spent = new SpentErrors();
  spent.add(new Error('x'));
  const round: { cause?: unknown } = {};
  round.cause = { cause: round };

  expect(spent.isSpentSince(hostile, 0)).toBe(false);
  expect(spent.isSpentSince(wrap(hostile, 2), 0)).toBe(false);
  expect(spent.isSpentSince(round, 0)).toBe(false);
  spent.add(hostile);
  expect(spent.isSpentSince(hostile, 0)).toBe(true);
  expect(spent.isSpentSince(wrap(hostile, 2), 0)).toBe(true);
});

it('looks at no error while nothing was spent', () => {
  const spent = new SpentErrors();
  spent.add(new Error('before'));
  let looked = 0;
  const error = {
    get cause() {
      looked += 1;
      return undefined;
    },
  };

  expect(spent.isSpentSince(error, spent.mark())).toBe(false);
  expect(looked).toBe(0);
});
