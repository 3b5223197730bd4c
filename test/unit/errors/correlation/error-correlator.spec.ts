import { ErrorCorrelator } from '../../../../lib/errors/correlation/error-correlator.js';
import type { ErrorContext } from '../../../../lib/errors/error-context.js';
import { entry } from './entries.js';

const correlator = (entries: readonly ErrorContext[], near?: number): ErrorCorrelator =>
  new ErrorCorrelator({ entries: () => entries, ...(near !== undefined && { near }) });

/** What is related to the first. */
const related = (entries: readonly ErrorContext[], near?: number) =>
  correlator(entries, near).related(entries[0]!.id);

describe('related errors', () => {
  it('are those of the same request, however far apart: certainly', () => {
    const [a, b, c] = [
      entry('A', 1, { correlationId: 'r1', traceId: 't1' }),
      entry('B', 5_000, { correlationId: 'r1', traceId: 't1' }),
      entry('C', 1, { correlationId: 'r2', traceId: 't2' }),
    ];

    expect(related([a, b, c])).toEqual([
      {
        entry: b,
        strength: 1,
        reasons: [
          { kind: 'correlation', correlationId: 'r1' },
          { kind: 'trace', traceId: 't1' },
        ],
      },
    ]);
  });

  it('are not those that belong to no request either', () => {
    expect(related([entry('A', 1), entry('B', 1)])).toEqual([]);
  });

  it('are those of the same dependency at about the same time, the nearer the surer', () => {
    const port = 'db';
    const [subject, near, far, late, other] = [
      entry('A', 100, { port }),
      entry('B', 100, { port }),
      entry('C', 70, { port }),
      entry('D', 130.001, { port }),
      entry('E', 100, { port: 'mail' }),
    ];
    const found = related([subject, far, late, other, near]);

    expect(found.map(({ entry, strength }) => [entry.component, strength])).toEqual([
      ['B', 0.8],
      ['C', 0.4],
    ]);
    expect(found[1]!.reasons).toEqual([{ kind: 'dependency', port, apart: 30_000 }]);
    expect(related([subject, far], 10_000)).toEqual([]);
  });

  it('are those of kinds that come together again and again', () => {
    const again = [200, 300, 400].flatMap((s) => [entry('Cause', s), entry('Effect', s + 1)]);
    const [, effect] = again.slice(-2);
    const found = correlator(again).related(effect!.id);

    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      entry: { component: 'Cause', lastOccurrence: 400_000 },
      strength: 0.6,
      reasons: [{ kind: 'co-occurrence', overlap: 1, leads: 1 }],
    });
  });

  it('come with all reasons, the strongest first', () => {
    const port = 'db';
    const again = [200, 300, 400].flatMap((s) => [
      entry('Cause', s, { port }),
      entry('Effect', s + 1, { port, correlationId: `r${s}` }),
    ]);
    again.push(entry('Other', 401, { correlationId: 'r400' }));
    const found = correlator(again).related(again[5]!.id);

    expect(found.map(({ reasons }) => reasons.map(({ kind }) => kind))).toEqual([
      ['correlation'],
      ['dependency', 'co-occurrence'],
    ]);
  });

  it('are at most 50, the surest and nearest', () => {
    const port = 'db';
    const many = Array.from({ length: 80 }, (_, i) => entry(`C${i}`, 100 + i / 10, { port }));
    const found = related(many);

    expect(found).toHaveLength(50);
    expect(found[0]!.entry.component).toBe('C1');
    expect(found[49]!.entry.component).toBe('C50');
  });

  it('are none of an error that is not there', () => {
    expect(correlator([entry('A', 1)]).related('nobody')).toEqual([]);
    expect(correlator([]).related('nobody')).toEqual([]);
  });

  it('are looked for among the newest 1,000', () => {
    const old = entry('Old', 0, { correlationId: 'r' });
    const newer = Array.from({ length: 999 }, (_, i) => entry('New', 1 + i));
    const subject = entry('A', 2_000, { correlationId: 'r' });

    expect(correlator([old, subject, ...newer]).related(subject.id)).toEqual([]);
    expect(correlator([subject, old, ...newer.slice(1)]).related(subject.id)).toHaveLength(1);
  });
});

describe('incidents', () => {
  it('are made of the errors of the last minute, in whatever order they come', () => {
    const port = 'db';
    const entries = [
      entry('A', 161, { port }),
      entry('B', 101, { port }),
      entry('C', 100.9, { port }),
    ];
    const [incident, ...others] = correlator(entries).incidents();

    expect(others).toEqual([]);
    expect(incident?.symptoms.map(({ component }) => component)).toEqual(['B', 'A']);
  });

  it('follow the graph that is given, and the time', () => {
    const entries = [entry('top', 200), entry('bottom', 100)];
    const given = new ErrorCorrelator({
      entries: () => entries,
      dependsOn: (name) => (name === 'top' ? ['bottom'] : []),
      recent: 100_000,
    });

    expect(given.incidents()).toMatchObject([{ root: 'bottom', symptoms: [{ component: 'top' }] }]);
    expect(correlator([]).incidents()).toEqual([]);
  });
});
