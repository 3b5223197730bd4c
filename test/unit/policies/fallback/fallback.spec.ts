import type { Classification } from '../../../../lib/kernel/classifier.js';
import { Fallback, type Offer } from '../../../../lib/policies/fallback/fallback.js';
import type { FallbackPlan } from '../../../../lib/policies/fallback/fallback.options.js';
import { FakeClock } from '../../../../lib/testing/index.js';

const HIDDEN = new Error('may be hidden');
const ACCESS = new Error('refusal of access');
const CANCELLED = new Error('the caller left');
const classify = (error: unknown): Classification => ({
  category: 'transient',
  retryable: true,
  outcome: error === CANCELLED ? 'cancelled' : 'failure',
  fallback: error !== ACCESS,
});

function make(plan: FallbackPlan) {
  const clock = new FakeClock();
  const fallback = new Fallback(plan, clock, () => {});
  const next = (from = 0, errors: unknown[] = [HIDDEN], key?: string): Offer | undefined =>
    fallback.next(from, errors, classify, key);
  return { clock, fallback, next };
}
const ask = (offer: Offer | undefined, ...args: unknown[]): unknown =>
  offer!.answer('self', HIDDEN, args);

const cache = { ttl: 1_000, key: (k: string) => k };

describe('an alternative', () => {
  it('gets the arguments without the error, with the instance as this', () => {
    const { next } = make({
      alternative(this: unknown, ...args: unknown[]) {
        return [this, ...args];
      },
    });

    expect(next()).toMatchObject({ kind: 'alternative', position: 0, age: undefined });
    expect(ask(next(), 1, 2)).toEqual(['self', 1, 2]);
  });

  it('of several has its turn after the one before it, all under the same conditions', () => {
    const { next } = make([
      { alternative: [() => 'a', () => 'b'], except: RangeError },
      { value: 'c' },
    ]);

    expect([0, 1, 2].map((from) => ask(next(from)))).toEqual(['a', 'b', 'c']);
    expect(next(0, [new RangeError('x')])?.kind).toBe('value');
    expect(next(3)).toBeUndefined();
  });
});

describe('a handler and a method', () => {
  const given = (self: unknown, error: unknown, args: unknown[]): unknown => [self, error, args];

  it('get the error, then the arguments, with the instance as this', () => {
    const { next } = make(function handler(this: unknown, error: unknown, ...args: unknown[]) {
      return given(this, error, args);
    });
    const self = {
      instead(error: unknown, ...args: unknown[]): unknown {
        return given(this, error, args);
      },
    };
    const method = make({ method: 'instead' }).next();

    expect(ask(next(), 1, 2)).toEqual(['self', HIDDEN, [1, 2]]);
    expect(method!.kind).toBe('method');
    expect(method!.answer(self, HIDDEN, [1, 2])).toEqual([self, HIDDEN, [1, 2]]);
  });

  it('a queue answers nobody: it was refused at boot', () => {
    expect(make({ queue: 'letters' }).next()).toBeUndefined();
  });
});

describe('#42 a condition that throws is reported by its name, and hides nothing', () => {
  const boom = (): never => {
    throw new Error('boom');
  };

  it.each(['on', 'except'])('%s', (name) => {
    const reports: string[] = [];
    const plan = { value: 1, [name]: boom } as FallbackPlan;
    const fallback = new Fallback(plan, new FakeClock(), (option) => reports.push(option));

    expect(fallback.next(0, [HIDDEN], classify, undefined)).toBeUndefined();
    expect(reports).toEqual([name]);
  });
});

describe('what a fallback failed with', () => {
  it('#85 is not hidden by the next one if it must not be hidden', () => {
    const { next } = make([{ alternative: () => 'a' }, { value: 'b' }]);

    expect(next(1, [HIDDEN, HIDDEN])?.kind).toBe('value');
    expect(next(1, [HIDDEN, ACCESS])).toBeUndefined();
  });

  it('#85 is hidden where it is listed', () => {
    const { next } = make([{ alternative: () => 'a' }, { value: 'b', on: () => true }]);

    expect(next(1, [HIDDEN, ACCESS])?.kind).toBe('value');
  });

  it('need not be listed where only the error of the method is meant', () => {
    const { next } = make([{ value: 'a' }, { value: 'b', on: (error) => error === HIDDEN }]);

    expect(next(1, [HIDDEN, new Error('other')])?.kind).toBe('value');
  });
});

it('no fallback hides a cancellation, listed or not', () => {
  const { next } = make({ value: 'a', on: () => true });

  expect(next(0, [HIDDEN])?.kind).toBe('value');
  expect(next(0, [CANCELLED])).toBeUndefined();
  expect(next(0, [HIDDEN, CANCELLED])).toBeUndefined();
});

it('what is listed is hidden, what is not is left, and except wins', () => {
  const on = (error: unknown): boolean => error !== HIDDEN;
  const { next } = make([{ value: 'a', on, except: (error) => error instanceof RangeError }]);

  expect(next(0, [HIDDEN])).toBeUndefined();
  expect(next(0, [ACCESS])?.kind).toBe('value');
  expect(next(0, [new RangeError('x')])).toBeUndefined();
});

describe('the last good answer', () => {
  it('is offered with its age, for its key only', async () => {
    const { fallback, clock, next } = make({ cache });
    fallback.keep('alice', 'her profile');
    await clock.advance(250);

    expect(next(0, [HIDDEN], 'alice')).toMatchObject({ kind: 'cache', age: 250 });
    expect(ask(next(0, [HIDDEN], 'alice'))).toBe('her profile');
    expect(next(0, [HIDDEN], 'bob')).toBeUndefined();
    expect(next(0, [HIDDEN], undefined)).toBeUndefined();
  });

  it('is passed over where there is none', () => {
    const { next } = make([{ cache }, { value: 'b' }]);

    expect(next(0, [HIDDEN], 'alice')).toMatchObject({ kind: 'value', position: 1 });
  });

  it('#85 is not given for a refusal of access', () => {
    const { fallback, next } = make({ cache });
    fallback.keep('alice', 'her profile');

    expect(next(0, [ACCESS], 'alice')).toBeUndefined();
  });

  it('is offered as it was, whatever happens before it is asked', async () => {
    const { fallback, clock, next } = make({ cache });
    fallback.keep('a', 1);

    const offer = next(0, [HIDDEN], 'a');
    fallback.keep('a', 2);
    await clock.advance(10_000);

    expect(ask(offer)).toBe(1);
  });

  it('needs a key for each call only where it is wanted', () => {
    const other = make({ value: 1 }).fallback;
    other.keep('a', 1);

    expect(other.keeps).toBe(false);
    expect(other.keyOf(undefined, ['a'])).toBeUndefined();
    expect(other.snapshot().entries).toBe(0);
    expect(make([{ value: 1 }, { cache }]).fallback.keeps).toBe(true);
    expect(make({ cache }).fallback.keyOf(undefined, ['a'])).toBe('a');
  });
});

describe('the snapshot', () => {
  it('begins at zero', () => {
    expect(make({ cache }).fallback.snapshot()).toEqual({
      calls: 0,
      answered: 0,
      byKind: { handler: 0, method: 0, value: 0, cache: 0, alternative: 0 },
      failed: 0,
      share: 0,
      lastUsedAt: undefined,
      cacheAge: undefined,
      entries: 0,
    });
  });

  it('tells the share of degraded answers, by kind, and how old the last stale one was', async () => {
    const { fallback, clock, next } = make([{ cache }, () => 'b', { method: 'c' }]);
    for (let i = 0; i < 8; i += 1) fallback.begun();
    fallback.keep('a', 1);
    await clock.advance(300);
    fallback.answered(next(0, [HIDDEN], 'a')!);
    await clock.advance(100);
    fallback.answered(next(1)!);
    fallback.answered(next(2)!);
    const at = clock.epoch();
    await clock.advance(50);
    fallback.failed();

    expect(fallback.snapshot()).toEqual({
      calls: 8,
      answered: 3,
      byKind: { handler: 1, method: 1, value: 0, cache: 1, alternative: 0 },
      failed: 1,
      share: 3 / 8,
      lastUsedAt: at,
      cacheAge: 300,
      entries: 1,
    });
  });

  it('is a copy', () => {
    const { fallback } = make({ value: 1 });

    (fallback.snapshot().byKind as { value: number }).value = 7;

    expect(fallback.snapshot().byKind.value).toBe(0);
  });
});
