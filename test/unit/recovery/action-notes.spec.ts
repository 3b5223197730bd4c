import { ActionNotes } from '../../../lib/recovery/action-notes.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { ActionBook } from './action-book.js';

const notes = () => {
  const clock = new FakeClock();
  const book = new ActionBook();
  const log = new ActionNotes(book, clock);
  const note = (subject: string, status: 'success' | 'failed' = 'failed', by?: string): void =>
    log.note(subject, { type: 'error_recovery', status, details: 'x', by });
  return { clock, book, note };
};

describe('actions that come in storms', () => {
  it('are noted once a minute, and then how many there were', async () => {
    const { clock, book, note } = notes();
    for (let i = 0; i < 5; i += 1) note('a');
    await clock.advance(59_999);
    note('a');
    expect(book.lines).toEqual(['error_recovery|failed|-|a: x']);
    await clock.advance(1);
    note('a');
    await clock.advance(60_000);
    note('a');
    expect(book.lines.slice(1)).toEqual([
      'error_recovery|failed|-|a: x (and 5 more since the last of these)',
      'error_recovery|failed|-|a: x',
    ]);
  });

  it('of another subject, outcome or person are others', () => {
    const { book, note } = notes();
    note('a');
    note('b');
    note('a', 'success');
    note('a', 'failed', 'ops');
    expect(book.lines).toHaveLength(4);
  });

  it('are told apart for the hundred subjects noted last', async () => {
    const { clock, book, note } = notes();
    note('first');
    note('second');
    await clock.advance(60_000);
    note('first');
    for (let i = 0; i < 98; i += 1) note(`other ${i}`);
    const { length } = book.lines;
    note('first');
    note('other 97');
    expect(book.lines).toHaveLength(length);

    note('one too many'); // the oldest is forgotten: that was `second`
    note('first');
    expect(book.lines).toHaveLength(length + 1);
    note('and one more');
    note('first');
    expect(book.lines.at(-1)).toBe('error_recovery|failed|-|first: x');
    expect(book.lines).toHaveLength(length + 3);
  });

  it('are redacted and bounded', () => {
    const { book, note } = notes();
    note(`postgres://me:hunter2secret@db ${'x'.repeat(5_000)}`);
    expect(book.entries[0]!.details).not.toContain('hunter2secret');
    expect(book.entries[0]!.details.length).toBeLessThanOrEqual(500);
  });
});
