import {
  checkErrorPatterns,
  ERROR_PATTERNS_DEFAULTS,
  type ErrorPatternsOptions,
  errorPatternsTerms,
} from '../../../../lib/errors/patterns/patterns.options.js';
import { section, table } from '../../../support/documents.js';

const problems = (options: unknown): string[] =>
  checkErrorPatterns('errors.patterns', options as ErrorPatternsOptions).map(
    ({ at, problem }) => `${at}: ${problem}`,
  );

it('the defaults, and none at all, are good options', () => {
  expect(problems(ERROR_PATTERNS_DEFAULTS)).toEqual([]);
  expect(problems({})).toEqual([]);
  expect(problems({ window: undefined, spike: undefined, recurrence: undefined })).toEqual([]);
});

it.each([
  [{ window: 999 }, 'window: got 999, expected a number of milliseconds from 1000 to 3600000'],
  [{ window: 3_600_001 }, 'window: got 3600001'],
  [{ highRate: 0 }, 'highRate: got 0, expected a number above 0'],
  [{ highRate: Number.POSITIVE_INFINITY }, 'highRate: got Infinity'],
  [{ share: 0 }, 'share: got 0, expected a number above 0 and at most 1'],
  [{ minimumErrors: 0 }, 'minimumErrors: got 0'],
  [{ persistentFailures: 1 }, 'persistentFailures: got 1, expected a whole number from 2 to 1000'],
  [{ persistentFailures: 1_001 }, 'persistentFailures: got 1001'],
  [{ configurationErrors: 0 }, 'configurationErrors: got 0'],
  [{ bootTime: -1 }, 'bootTime: got -1'],
  [{ spike: true }, 'spike: got true, expected an options object'],
  [{ recurrence: 5 }, 'recurrence: got 5, expected an options object'],
  [{ maxSeries: 10_001 }, 'maxSeries: got 10001, expected a whole number from 1 to 10000'],
  [{ spikes: {} }, 'spikes: unknown option'],
  [{ spike: { threshold: 4.9 } }, 'spike threshold: got 4.9, expected a number from 5 to 50'],
  [{ spike: { warmUp: 0 } }, 'spike warmUp: got 0'],
  [{ spike: { minimumRise: 0.3 } }, 'spike minimumRise: got 0.3'],
  [{ spike: { halfLife: 999 } }, 'spike halfLife: got 999'],
  [{ spike: { relearnAfter: 999 } }, 'spike relearnAfter: got 999'],
  [{ recurrence: { minimumPeriod: 999 } }, 'recurrence minimumPeriod: got 999'],
  [{ recurrence: { episodes: 3 } }, 'recurrence episodes: got 3'],
  [{ recurrence: { variation: 0 } }, 'recurrence variation: got 0'],
  [{ recurrence: { variation: 0.6 } }, 'recurrence variation: got 0.6'],
])('%j is a mistake', (options, problem) => {
  const found = problems(options);

  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`errors.patterns ${problem}`);
});

it('an option that is undefined counts as not given', () => {
  const spike = { threshold: 12, warmUp: undefined };
  const terms = errorPatternsTerms({ window: undefined, share: 0.7, spike } as never);

  expect(terms).toEqual({
    ...ERROR_PATTERNS_DEFAULTS,
    share: 0.7,
    spike: { ...ERROR_PATTERNS_DEFAULTS.spike, threshold: 12 },
  });
});

describe('the table of the options in docs/errors-and-events.md', () => {
  const rows = table(section('docs/errors-and-events.md', 'Patterns'), 'Option');
  const flat = Object.entries(ERROR_PATTERNS_DEFAULTS).flatMap(([option, value]) =>
    typeof value === 'object'
      ? Object.entries(value).map(([inner, v]): [string, number] => [`${option}.${inner}`, v])
      : [[option, value] as [string, number]],
  );
  const number = (text: string): number =>
    text === '2³¹ − 1' ? 2 ** 31 - 1 : Number(text.replaceAll(',', ''));
  const set = (option: string, value: number): object => {
    const [outer, inner] = option.split('.');
    return { [outer!]: inner === undefined ? value : { [inner]: value } };
  };

  it('has every option with its default', () => {
    expect(rows.map((row) => [row['Option'], number(row['Default']!)])).toEqual(flat);
  });

  it.each(rows.map((row) => [row['Option']!, row['Range']!]))('%s: %s', (option, range) => {
    const [, above, least, most] = /^(above )?([\d,.]+)(?: to (.+))?$/.exec(range)!;
    const [low, high] = [number(least!), most === undefined ? 10 ** 9 : number(most)];

    expect(problems(set(option, above === undefined ? low : low + 1e-9))).toEqual([]);
    expect(problems(set(option, above === undefined ? low - 0.001 : low))).toHaveLength(1);
    expect(problems(set(option, high))).toEqual([]);
    if (most !== undefined) expect(problems(set(option, high + 0.001))).toHaveLength(1);
  });
});
