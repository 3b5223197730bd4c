import {
  BULKHEAD_DEFAULTS,
  type BulkheadOptions,
  checkBulkhead,
} from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { compilePriority } from '../../../../lib/policies/bulkhead/priority.js';

it('good options have no mistakes, and undefined is not given', () => {
  const options: BulkheadOptions = {
    maxConcurrent: 1,
    maxQueue: 0,
    queueTimeout: 1,
    priority: (order: { urgent: boolean }) => (order.urgent ? 9 : 0),
    maxHold: 1,
    name: 'db',
    key: (order: { tenant: string }) => order.tenant,
    maxKeys: 1,
    idleTtl: 1,
  };

  expect(checkBulkhead('A.b', options)).toEqual([]);
  expect(checkBulkhead('A.b', { maxHold: false })).toEqual([]);
  expect(checkBulkhead('A.b', { maxHold: undefined, key: undefined } as never)).toEqual([]);
  expect(BULKHEAD_DEFAULTS).toEqual({
    maxConcurrent: 10,
    maxQueue: 10,
    maxKeys: 1_000,
    idleTtl: 600_000,
  });
});

it.each([
  ['priority', 5, 'a function'],
  ['maxHold', 0, 'a number of milliseconds from 1 to 2147483647, or false'],
  ['maxHold', true, 'a number of milliseconds from 1 to 2147483647, or false'],
  ['key', 'tenant', 'a function'],
  ['maxKeys', 0, 'a whole number from 1 to 1000000'],
  ['maxKeys', 1.5, 'a whole number from 1 to 1000000'],
  ['idleTtl', 0, 'a number of milliseconds from 1 to 2147483647'],
])('#18 a bad %s, %p, is named', (option, value, expected) => {
  expect(checkBulkhead('A.b @Bulkhead', { [option]: value })).toEqual([
    {
      at: `A.b @Bulkhead ${option}`,
      problem: `got ${String(valueText(value))}, expected ${expected}`,
    },
  ]);
});

function valueText(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

describe('the priority of a call', () => {
  const silent = (): void => {
    throw new Error('reported');
  };

  it('is what the function says of the arguments', () => {
    const priorityOf = compilePriority((a: number, b: number) => a + b, silent)!;

    expect(priorityOf([4, 5])).toBe(9);
    expect(priorityOf([0, 0])).toBe(0);
  });

  it('without the option there is nothing to ask', () => {
    expect(compilePriority(undefined, silent)).toBeUndefined();
  });

  it.each([-1, 10, 0.5, Number.NaN, '3', undefined, null])(
    '#42 %p is none: that is reported and means 0',
    (answer) => {
      const reports: unknown[][] = [];
      const priorityOf = compilePriority(
        () => answer as number,
        (...report) => reports.push(report),
      )!;

      expect(priorityOf([])).toBe(0);
      expect(reports).toEqual([['priority', expect.any(RangeError)]]);
      expect((reports[0]![1] as Error).message).toMatch(
        /^got .+, expected a whole number from 0 to 9$/,
      );
    },
  );

  it('#42 a function that throws is reported and means 0', () => {
    const thrown = new Error('no');
    const reports: unknown[][] = [];
    const priorityOf = compilePriority(
      () => {
        throw thrown;
      },
      (...report) => reports.push(report),
    )!;

    expect(priorityOf([])).toBe(0);
    expect(reports).toEqual([['priority', thrown]]);
  });
});
