import { fingerprint } from '../../../../lib/errors/log/fingerprint.js';
import { factsOf } from '../../../../lib/errors/record/facts.js';
import { KINDS } from './corpus.js';

const facts = { name: 'Error', message: 'row 5 is gone', code: 'E1', status: 404 };
const of = fingerprint(facts, 'A.b');

describe('a fingerprint', () => {
  it('names its algorithm, and is the same in every process', () => {
    expect(of).toBe('v1:c2cef019bcb6f4e0');
  });

  it('is the same with another number in the message, and with a stack', () => {
    expect(fingerprint({ ...facts, message: 'row 77 is gone' }, 'A.b')).toBe(of);
    const error = new Error('x');
    expect(fingerprint(factsOf(error, { stack: true }), 'A')).toBe(
      fingerprint(factsOf(error), 'A'),
    );
  });

  it.each([
    ['component', fingerprint(facts, 'A.c')],
    ['name', fingerprint({ ...facts, name: 'TypeError' }, 'A.b')],
    ['message', fingerprint({ ...facts, message: 'row 5 is there' }, 'A.b')],
    ['code', fingerprint({ ...facts, code: 'E2' }, 'A.b')],
    ['status', fingerprint({ ...facts, status: 503 }, 'A.b')],
    ['cause', fingerprint({ ...facts, cause: facts }, 'A.b')],
    ['code of a cause', fingerprint({ ...facts, cause: { ...facts, code: 'E2' } }, 'A.b')],
    ['cut between its texts', fingerprint({ ...facts, name: 'ErrorE', code: '1' }, 'A.b')],
  ])('is another with another %s', (_, other) => {
    expect(other).not.toBe(of);
    expect(other).toMatch(/^v1:[\da-f]{16}$/);
  });

  it('is the same whatever the message of a cause, which says with whom it happened', () => {
    const one = { ...facts, cause: { ...facts, message: 'x' } };
    const two = { ...facts, cause: { ...facts, message: 'y' } };
    expect(fingerprint(one, 'A.b')).toBe(fingerprint(two, 'A.b'));
  });

  it('parts 20,000 kinds from each other', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i += 1) seen.add(fingerprint({ ...facts, code: `E${i}` }, 'A.b'));
    expect(seen.size).toBe(20_000);
  });

  it('is one for each kind of a corpus of real messages, but for names that stand without quotes', () => {
    const groups = KINDS.map(({ messages }) =>
      messages.map((message) => fingerprint({ name: 'Error', message }, 'A.b')),
    );
    const split = KINDS.filter((_, i) => new Set(groups[i]).size > 1).map(({ kind }) => kind);
    const all = groups.map((group) => group[0]!);

    expect(new Set(all).size).toBe(KINDS.length); // nothing that differs is taken for one
    expect(split).toEqual(['a bare name']);
  });
});
