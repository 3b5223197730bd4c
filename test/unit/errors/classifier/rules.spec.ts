import { makeClassifier } from '../../../../lib/errors/classifier/classifier.js';
import {
  checkClassify,
  type ClassifyRule,
} from '../../../../lib/errors/classifier/classify.options.js';
import { CATEGORY_DEFAULTS } from '../../../../lib/errors/classifier/error-classification.js';
import { defaultClassifier } from '../../../../lib/errors/default-classifier.js';
import { ERROR_CATEGORIES } from '../../../../lib/kernel/classifier.js';
import { CircuitOpenError } from '../../../../lib/policies/circuit-breaker/circuit-open.error.js';

class Declined extends Error {}
const coded = (code: string): Error => Object.assign(new Error('x'), { code });

function classifierOf(...classify: ClassifyRule[]) {
  const reports: [string, unknown][] = [];
  const report = (option: string, error: unknown): void => void reports.push([option, error]);
  return { ...makeClassifier({ classify, report }), reports };
}

it('a rule comes before the table, and the first that matches decides', () => {
  const { classify } = classifierOf(
    { match: Declined, category: 'validation' },
    { match: 'ECONNRESET', category: 'resource' },
    { match: ['ECONNRESET', 'EPIPE'], category: 'poison', name: 'pipes' },
  );

  expect(classify(new Declined())).toEqual({
    ...CATEGORY_DEFAULTS.validation,
    rule: 'user rule 1',
  });
  expect(classify(coded('ECONNRESET'))).toMatchObject({
    category: 'resource',
    rule: 'user rule 2',
  });
  expect(classify(coded('EPIPE'))).toMatchObject({ category: 'poison', rule: 'user rule pipes' });
  expect(classify(coded('ENOTFOUND'))).toBe(defaultClassifier.classify(coded('ENOTFOUND')));
});

it('what a rule leaves out is that of its category, what it says wins', () => {
  const { classify } = classifierOf({
    match: Declined,
    category: 'validation',
    severity: 'critical',
    retryable: true,
    outcome: 'failure',
    fallback: false,
    configuration: true,
  });

  expect(classify(new Declined())).toEqual({
    category: 'validation',
    severity: 'critical',
    retryable: true,
    outcome: 'failure',
    fallback: false,
    configuration: true,
    rule: 'user rule 1',
  });
});

it('an option that is undefined counts as not given', () => {
  const rule = { match: Declined, category: 'timeout', severity: undefined, retryable: undefined };
  const { classify } = classifierOf(rule as never);

  expect(checkClassify('classify', [rule])).toEqual([]);
  expect(classify(new Declined())).toEqual({ ...CATEGORY_DEFAULTS.timeout, rule: 'user rule 1' });
  expect(Object.isFrozen(classify(new Declined()))).toBe(true);
});

it.each(ERROR_CATEGORIES)('a function may answer just %s', (category) => {
  const { classify } = classifierOf(() => category);
  expect(classify(1)).toEqual({ ...CATEGORY_DEFAULTS[category], rule: 'user rule 1' });
  expect(classify(2)).toBe(classify(1));
});

it('a function may answer more, or that the error is not its own', () => {
  const own = (error: unknown): { category: 'poison'; severity: 'low' } | undefined =>
    error === 'mine' ? { category: 'poison', severity: 'low' } : undefined;
  const { classify } = classifierOf(own);

  expect(classify('mine')).toEqual({
    ...CATEGORY_DEFAULTS.poison,
    severity: 'low',
    rule: 'user rule own',
  });
  expect(classify('other').rule).toBe('unknown');
});

it('a rule may go by what the table says', () => {
  const { classify } = classifierOf({
    match: { category: 'communication' },
    category: 'communication',
    severity: 'critical',
  });

  expect(classify(coded('ECONNRESET')).severity).toBe('critical');
  expect(classify(new Error('x')).severity).toBe('medium');
});

it('our own refusals are not shown to the rules, what wraps them is', () => {
  const asked: unknown[] = [];
  const refusal = new CircuitOpenError('A.b', 'open');
  const wrapped = new Error('x', { cause: refusal });
  const { classify } = classifierOf((error) => void asked.push(error));

  expect(classify(refusal).outcome).toBe('rejected');
  expect(classify(wrapped).outcome).toBe('rejected');
  expect(asked).toEqual([wrapped]);
});

describe('a rule that fails is reported and passed over', () => {
  const gotcha = new Error('gotcha');

  it.each<[string, ClassifyRule]>([
    [
      'throws',
      () => {
        throw gotcha;
      },
    ],
    [
      'has a predicate that throws',
      {
        match: () => {
          throw gotcha;
        },
        category: 'poison',
      },
    ],
  ])('that %s', (_what, rule) => {
    const { classify, reports } = classifierOf(rule, () => 'timeout');

    expect(classify(new Error('x'))).toMatchObject({ category: 'timeout', rule: 'user rule 2' });
    expect(reports).toEqual([['errors.classify user rule 1', gotcha]]);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'a word that is no category',
      'timeuot',
      /got "timeuot", expected 'transient' or .* or 'dependency', or { category }$/,
    ],
    ['null', null, /got null/],
    ['true', true, /got true/],
    ['a promise', Promise.resolve('timeout'), /got a Promise/],
    ['a category that is none', { category: 'x' }, /category got "x", expected 'transient' or/],
    ['no category', { severity: 'low' }, /category got undefined, expected 'transient'/],
    ['a severity that is none', { category: 'timeout', severity: 'bad' }, /severity got "bad"/],
    ['our own outcome', { category: 'timeout', outcome: 'rejected' }, /outcome got "rejected"/],
    ['something unknown', { category: 'timeout', retry: true }, /retry unknown option/],
  ])('that answers %s', (_what, answer, says) => {
    const { classify, reports } = classifierOf((() => answer) as never);

    expect(classify(new Error('x')).rule).toBe('unknown');
    expect(reports).toEqual([
      [
        'errors.classify user rule 1',
        expect.objectContaining({ message: expect.stringMatching(says) }),
      ],
    ]);
  });

  it('that answers a promise which rejects does not end the process', async () => {
    const { classify } = classifierOf((async () => {
      throw gotcha;
    }) as never);

    expect(classify(new Error('x')).rule).toBe('unknown');
    await new Promise(setImmediate);
  });
});

it('without anyone to report to it is passed over all the same', () => {
  const { classify } = makeClassifier({ classify: [() => 'x' as never] });
  expect(classify(1).rule).toBe('unknown');
});

describe('the check', () => {
  it('finds nothing in good rules', () => {
    expect(
      checkClassify('errors classify', [
        { match: Declined, category: 'poison', name: 'x' },
        { match: ['A', { category: 'timeout' }], category: 'timeout', outcome: 'cancelled' },
        () => undefined,
      ]),
    ).toEqual([]);
    expect(checkClassify('errors classify', [])).toEqual([]);
  });

  it.each<[unknown, string, RegExp]>([
    ['x', 'at', /^got "x", expected a list of rules$/],
    [new Array(1), 'at [0]', /^got undefined, expected an options object$/],
    [['poison'], 'at [0]', /^got "poison", expected an options object$/],
    [[new Map()], 'at [0]', /^got a Map, expected an options object$/],
    [
      [() => 'x', { match: 'X', category: 'timeuot' }],
      'at [1] category',
      /^got "timeuot", expected 'transient' or 'permanent' or 'poison'/,
    ],
    [[{ match: 'X' }], 'at [0] category', /^got undefined, expected 'transient'/],
    [[{ category: 'poison' }], 'at [0] match', /^got undefined, expected an error class/],
    [[{ match: 5, category: 'poison' }], 'at [0] match', /^got 5, expected an error class/],
    [
      [{ match: { category: 'x' }, category: 'poison' }],
      'at [0] match',
      /^got an object, expected { category } with one or a list of transient, permanent/,
    ],
    [
      [{ match: 'X', category: 'poison', outcome: 'rejected' }],
      'at [0] outcome',
      /expected 'failure' or 'ignored' or 'cancelled'$/,
    ],
    [[{ match: 'X', category: 'poison', severity: 5 }], 'at [0] severity', /'critical' or 'high'/],
    [[{ match: 'X', category: 'poison', name: '' }], 'at [0] name', /a string that is not empty/],
    [[{ match: 'X', category: 'poison', retry: 1 }], 'at [0] retry', /^unknown option; known are/],
  ])('of %j finds the one mistake', (rules, at, problem) => {
    expect(checkClassify('at', rules)).toEqual([{ at, problem: expect.stringMatching(problem) }]);
  });

  it('finds every mistake of a rule', () => {
    expect(checkClassify('at', [{ retryable: 1 }]).map(({ at }) => at)).toEqual([
      'at [0] retryable',
      'at [0] match',
      'at [0] category',
    ]);
  });
});

it('the defaults of the categories are these', () => {
  const said = Object.entries(CATEGORY_DEFAULTS).map(
    ([category, { severity, retryable, outcome, fallback, configuration }]) =>
      [category, severity, retryable, outcome, fallback, configuration] as const,
  );
  expect(said).toEqual([
    ['transient', 'medium', true, 'failure', true, false],
    ['permanent', 'high', false, 'failure', true, false],
    ['poison', 'high', false, 'ignored', true, false],
    ['resource', 'medium', true, 'failure', true, false],
    ['timeout', 'medium', true, 'failure', true, false],
    ['validation', 'low', false, 'ignored', true, false],
    ['communication', 'medium', true, 'failure', true, false],
    ['dependency', 'medium', true, 'failure', true, false],
  ]);
  for (const [category, of] of Object.entries(CATEGORY_DEFAULTS))
    expect(of.category).toBe(category);
});
