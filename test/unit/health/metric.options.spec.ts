import { checkMetric } from '../../../lib/health/metric.options.js';

const problems = (name: unknown, options: unknown): string[] =>
  checkMetric('Node.peers @HealthMetric', name, options).map(
    ({ at, problem }) => `${at}: ${problem}`,
  );

describe('a metric', () => {
  it.each([
    [{ warn: 1, critical: 2 }],
    [{}],
    [{ unit: 's' }],
    [{ warn: 2, critical: 2 }],
    [{ warn: 2, critical: 1, direction: 'below' }],
    [{ warn: 1, critical: 1, direction: 'below' }],
    [{ warn: -2.5, critical: 0, direction: 'above', unit: 's', description: 'age' }],
    [{ warn: 1, critical: 2, direction: undefined, unit: undefined, description: undefined }],
  ])('with %j is good', (options) => {
    expect(problems('peers', options)).toEqual([]);
  });

  const AT = 'Node.peers @HealthMetric';
  it.each<[unknown, unknown, string[]]>([
    ['', { warn: 1, critical: 2 }, [`${AT} name: got "", expected a string that is not empty`]],
    [5, { warn: 1, critical: 2 }, [`${AT} name: got 5, expected a string that is not empty`]],
    ['a', undefined, [`${AT}: got undefined, expected an options object`]],
    ['a', { critical: 2 }, [`${AT} warn: got nothing, expected it beside critical`]],
    ['a', { warn: 2 }, [`${AT} critical: got nothing, expected it beside warn`]],
    [
      'a',
      { warn: Number.NaN, critical: Infinity },
      [
        `${AT} warn: got NaN, expected a finite number`,
        `${AT} critical: got Infinity, expected a finite number`,
      ],
    ],
    [
      'a',
      { warn: 2, critical: 1 },
      [`${AT} critical: got 1, expected at least warn, which is 2: values above are bad`],
    ],
    [
      'a',
      { warn: 1, critical: 2, direction: 'below' },
      [`${AT} critical: got 2, expected at most warn, which is 1: values below are bad`],
    ],
    [
      'a',
      { warn: 1, critical: 2, direction: 'up', unit: 3, max: 1 },
      [
        `${AT} direction: got "up", expected 'above' or 'below'`,
        `${AT} unit: got 3, expected a string that is not empty`,
        `${AT} max: unknown option; known are warn, critical, direction, unit, description`,
      ],
    ],
  ])('called %j with %j is not', (name, options, expected) => {
    expect(problems(name, options)).toEqual(expected);
  });
});
