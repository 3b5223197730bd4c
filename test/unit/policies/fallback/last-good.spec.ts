import { LastGood } from '../../../../lib/policies/fallback/last-good.js';
import type { FallbackCacheOptions } from '../../../../lib/policies/fallback/last-good.options.js';
import { FakeClock } from '../../../../lib/testing/index.js';

function make(options: Partial<FallbackCacheOptions> = {}) {
  const clock = new FakeClock();
  const reports: [option: string, error: Error][] = [];
  const report = (option: string, error: unknown): void => {
    reports.push([option, error as Error]);
  };
  const memory = new LastGood({ ttl: 1_000, key: (k: string) => k, ...options }, clock, report);
  return { memory, clock, reports };
}

describe('the last good answer', () => {
  it('is given again, with its age', async () => {
    const { memory, clock } = make();
    const answer = { id: 1 };

    memory.keep('a', answer);
    await clock.advance(400);

    expect(memory.recall('a')).toEqual({ value: answer, age: 400 });
    expect(memory.recall('a')!.value).toBe(answer);
    expect(memory.recall('b')).toBeUndefined();
  });

  it('is given until its time to live is over, not longer, and reading it does not make it younger', async () => {
    const { memory, clock } = make();
    memory.keep('a', 1);

    await clock.advance(999);
    expect(memory.recall('a')).toEqual({ value: 1, age: 999 });
    await clock.advance(1);
    expect(memory.recall('a')).toBeUndefined();
    expect(memory.size).toBe(0);
  });

  it('is the last one', async () => {
    const { memory, clock } = make();
    memory.keep('a', 1);
    await clock.advance(600);
    memory.keep('a', 2);
    await clock.advance(600);

    expect(memory.recall('a')).toEqual({ value: 2, age: 600 });
    expect(memory.size).toBe(1);
  });

  it.each([undefined, null, 0, '', false, Number.NaN])('may be %p', (value) => {
    const { memory } = make();

    memory.keep('a', value);

    expect(memory.recall('a')).toEqual({ value, age: 0 });
  });

  it('the wall clock plays no part', async () => {
    const { memory, clock } = make();
    memory.keep('a', 1);

    clock.epoch = () => 0;

    expect(memory.recall('a')).toEqual({ value: 1, age: 0 });
  });
});

describe('the memory of good answers', () => {
  it('is bounded: the answer that was not used for longest goes', () => {
    const { memory } = make({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) memory.keep(key, key);
    memory.recall('a');
    memory.keep('b', 'again');

    memory.keep('d', 'd');

    expect(['a', 'b', 'c', 'd'].map((key) => memory.recall(key)?.value)).toEqual([
      'a',
      'again',
      undefined,
      'd',
    ]);
  });

  it('holds 1,000 answers by default', () => {
    const { memory } = make();
    for (let i = 0; i < 5_000; i += 1) memory.keep(String(i), i);

    expect(memory.size).toBe(1_000);
    expect(memory.recall('4000')?.value).toBe(4_000);
    expect(memory.recall('3999')).toBeUndefined();
  });

  it('lets go of what is too old when it keeps something new', async () => {
    const { memory, clock } = make();
    memory.keep('a', 1);
    memory.keep('b', 1);
    await clock.advance(1_000);

    memory.keep('c', 1);

    expect(memory.size).toBe(1);
  });

  it('#82 takes any string for a key', () => {
    const { memory } = make();

    for (const key of ['__proto__', 'constructor', '', 'toString']) {
      expect(memory.recall(key)).toBeUndefined();
      memory.keep(key, key);
    }

    expect(memory.recall('__proto__')?.value).toBe('__proto__');
    expect(memory.recall('')?.value).toBe('');
  });
});

describe('the key of a call', () => {
  it('is made of the arguments, with the instance as this', () => {
    const { memory } = make({
      key(this: { tenant: string }, id: string) {
        return `${this.tenant}/${id}`;
      },
    } as Partial<FallbackCacheOptions>);

    expect(memory.keyOf({ tenant: 't' }, ['7'])).toBe('t/7');
  });

  it('may be missing, which is nothing to report', () => {
    const { memory, reports } = make({ key: () => undefined });

    expect(memory.keyOf(undefined, [])).toBeUndefined();
    expect(reports).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a number', 7, /got a number, expected a string/],
    ['an object, which every user would share as [object Object]', { id: 7 }, /got a object/],
    ['null', null, /got a object, expected a string/],
    ['1,025 characters', 'x'.repeat(1_025), /got 1025 characters, expected at most 1024/],
  ])('#82 is reported and missing where the function answers %s', (_, key, message) => {
    const { memory, reports } = make({ key: () => key as string });

    expect(memory.keyOf(undefined, [])).toBeUndefined();
    expect(reports).toEqual([
      ['cache.key', expect.objectContaining({ message: expect.stringMatching(message) })],
    ]);
  });

  it('may have 1,024 characters', () => {
    const { memory } = make({ key: () => 'x'.repeat(1_024) });

    expect(memory.keyOf(undefined, [])).toHaveLength(1_024);
  });

  it('is reported and missing where the function throws', () => {
    const error = new Error('key broke');
    const { memory, reports } = make({
      key: () => {
        throw error;
      },
    });

    expect(memory.keyOf(undefined, [])).toBeUndefined();
    expect(reports).toEqual([['cache.key', error]]);
  });
});

describe('with clone', () => {
  it('nobody can change what another gets', () => {
    const { memory } = make({ clone: true });
    const answer = { list: [1] };
    memory.keep('a', answer);

    answer.list.push(2);
    const first = memory.recall('a')!.value as typeof answer;
    first.list.push(3);

    expect(memory.recall('a')!.value).toEqual({ list: [1] });
  });

  it('an answer that cannot be cloned is reported, and the one before it stays', () => {
    const { memory, reports } = make({ clone: true });
    memory.keep('a', 1);

    memory.keep('a', { f: () => 1 });

    expect(memory.recall('a')!.value).toBe(1);
    expect(reports).toEqual([['cache.clone', expect.objectContaining({ name: 'DataCloneError' })]]);
  });
});
