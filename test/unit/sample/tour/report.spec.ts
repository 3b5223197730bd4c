import { Books, percentile } from '../../../../sample/banking-stage/src/tour/books.js';
import {
  atLeast,
  atMost,
  exactly,
  table,
} from '../../../../sample/banking-stage/src/tour/report.js';
import { alice, bob, pay } from '../people.js';

describe('the rows of the report', () => {
  it('hold at the limit and fail beyond it', () => {
    expect(atLeast('a', 99.9, 99.9).ok).toBe(true);
    expect(atLeast('a', 99.9, 99.89999).ok).toBe(false);
    expect(atMost('a', 250, 250).ok).toBe(true);
    expect(atMost('a', 250, 251).ok).toBe(false);
    expect(exactly('a', 0, 0).ok).toBe(true);
    expect(exactly('a', 0, 1).ok).toBe(false);
  });

  it('fail where there is no number', () => {
    expect(atLeast('a', 99.9, Number.NaN).ok).toBe(false);
    expect(atMost('a', 250, Number.NaN).ok).toBe(false);
  });

  it('never round a failure up to the limit', () => {
    expect(atLeast('a', 99.9, 99.89999, ' %').is).toBe('99.899 %');
  });

  it('are marked in the table where they failed', () => {
    const lines = table([exactly('lost', 0, 0), exactly('doubled', 0, 2)]).split('\n');

    expect(lines.find((line) => line.startsWith('lost'))).toMatch(/ok$/);
    expect(lines.find((line) => line.startsWith('doubled'))).toMatch(/FAILED$/);
  });
});

describe('the books', () => {
  const receipt = { id: '', fee: 1, verdict: 'cleared', validUntil: 9 } as const;

  it('count what was acknowledged against what was sent', () => {
    const books = new Books();
    const ids = [1, 2, 3, 4].map((amount) =>
      books.open({ transaction: pay(alice, bob, amount), phase: 'calm', whileOpen: false }),
    );

    for (const id of ids.slice(0, 3)) books.close(id, { receipt, ms: 1 });
    books.close(ids[3]!, { problem: 'timeout', ms: 1 });

    expect(books.availability('calm')).toBe(75);
    expect(books.acknowledgedIn('calm')).toBe(3);
    expect(books.acknowledged()).toHaveLength(3);
  });

  it('count as acknowledged what was said, sent again, to have been accepted before', () => {
    const books = new Books();
    const send = (): string =>
      books.open({ transaction: pay(alice, bob, 1), phase: 'crash', whileOpen: false });
    const [first, second] = [send(), send()];
    expect(books.underway().map(({ id }) => id)).toEqual([first, second]);

    books.close(first, { accepted: true, ms: 1 });
    books.close(second, { problem: 'overloaded', ms: 1 });

    expect(books.acknowledged().map(({ id }) => id)).toEqual([first]);
    expect(books.acknowledgedIn('crash')).toBe(1);
    expect(books.underway()).toEqual([]);
  });

  it('call nothing sent unavailable, and do not accept an answer to nothing', () => {
    expect(new Books().availability('calm')).toBe(0);
    expect(() => new Books().close('x', {})).toThrow('never sent');
  });
});

describe('percentile', () => {
  it('is the value that this share lies below', () => {
    const values = Array.from({ length: 100 }, (_, n) => 100 - n);

    expect(percentile(values, 0.95)).toBe(96);
    expect(percentile([5], 0.95)).toBe(5);
    expect(percentile([], 0.95)).toBe(0);
  });
});
