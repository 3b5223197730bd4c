import fc from 'fast-check';
import type {
  HealthInputs,
  MetricValue,
  NamedBreaker,
  NamedBulkhead,
} from '../../../lib/health/inputs.js';
import { levelOf, scoreOf } from '../../../lib/health/score.js';
import { bandOf, HEALTH_LIMITS, HEALTH_WEIGHTS } from '../../../lib/health/weights.js';

const breaker = (name: string, facts: object = {}): NamedBreaker => ({
  name,
  state: 'open',
  critical: false,
  mode: 'enforce',
  ...facts,
});

const metric = (value: unknown, facts: Partial<MetricValue> = {}): MetricValue => ({
  name: 'mempool',
  warn: 10,
  critical: 20,
  value: value as number,
  ...facts,
});

const points = (inputs: HealthInputs): number => 100 - scoreOf(inputs).score;

describe('the score', () => {
  it.each([
    [100, 'healthy'],
    [80, 'healthy'],
    [79, 'degraded'],
    [60, 'degraded'],
    [59, 'warning'],
    [40, 'warning'],
    [39, 'critical'],
    [0, 'critical'],
  ] as const)('of %i is %s', (score, band) => {
    expect(bandOf(score)).toBe(band);
  });

  it('of an application in which all is well is 100, and there is nothing to explain', () => {
    const process = { loopDelay: 3, loopUtilisation: 0.4, heapUsed: 5, heapLimit: 100 };
    const well: HealthInputs = {
      breakers: [breaker('a', { state: 'closed' }), breaker('b', { mode: 'shadow' })],
      bulkheads: [{ name: 'c', total: 1, full: 0 }],
      store: 'open',
      calls: { calls: 100, failures: 1 },
      process,
      metrics: [metric(3)],
    };
    expect(scoreOf(well)).toEqual({ score: 100, status: 'healthy', explanation: [] });
    expect(scoreOf({})).toEqual({ score: 100, status: 'healthy', explanation: [] });
  });

  it('says what took how much off, the worst first', () => {
    const { score, status, explanation } = scoreOf({
      breakers: [breaker('Fees.quote'), breaker('Node.sync', { state: 'half-open' })],
      metrics: [metric(25, { unit: 'transactions' })],
      bulkheads: [{ name: 'Rpc.call', total: 1, full: 1 }],
    });

    expect(explanation).toEqual([
      { what: 'metric mempool', value: 25, limit: 20, points: 30 },
      { what: 'circuit breaker Fees.quote', value: 'open', limit: 'closed', points: 25 },
      { what: 'bulkhead Rpc.call', value: 'full', limit: 'room', points: 10 },
      { what: 'circuit breaker Node.sync', value: 'half-open', limit: 'closed', points: 10 },
    ]);
    expect([score, status]).toEqual([25, 'critical']);
  });

  it('never goes below 0, and the points still sum', () => {
    const critical = { state: 'open', critical: true };
    const { score, explanation } = scoreOf({
      breakers: [breaker('a', critical), breaker('b', critical), breaker('c')],
    });

    expect(score).toBe(0);
    expect(explanation.map((item) => item.points)).toEqual([61, 39, 0]);
  });

  it('lists twenty things as they are', () => {
    const many = Array.from({ length: 20 }, (_, i) => breaker(`b${i}`));
    expect(scoreOf({ breakers: many }).explanation).toHaveLength(20);
  });

  it('names the limit that was reached', () => {
    const limits = [10, 19, 20, 21].map(
      (value) => scoreOf({ metrics: [metric(value)] }).explanation[0]!.limit,
    );
    expect(limits).toEqual([10, 10, 20, 20]);
  });

  it('lists twenty things and the rest in one', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => breaker(`b${i}`));
    const { explanation, score } = scoreOf({ breakers: many });

    expect(explanation).toHaveLength(21);
    expect(explanation.at(-1)).toMatchObject({ what: 'more of these', value: 980 });
    expect([score, bandOf(score)]).toEqual([40, 'warning']);
  });

  const alone: [string, HealthInputs, string][] = [
    [
      'a critical breaker that is open',
      { breakers: [breaker('a', { critical: true })] },
      'critical',
    ],
    [
      'a critical breaker that is isolated',
      { breakers: [breaker('a', { critical: true, state: 'isolated' })] },
      'critical',
    ],
    ['one that is open', { breakers: [breaker('a')] }, 'degraded'],
    ['two that are open', { breakers: [breaker('a'), breaker('b')] }, 'warning'],
    ['one on its way back', { breakers: [breaker('a', { state: 'recovering' })] }, 'healthy'],
    [
      'a critical one on its way back',
      { breakers: [breaker('a', { state: 'half-open', critical: true })] },
      'healthy',
    ],
    ['any number of full bulkheads', { bulkheads: bulkheads(100) }, 'degraded'],
    ['a store that keeps nothing', { store: 'fenced' }, 'degraded'],
    ['one critical metric', { metrics: [metric(20)] }, 'degraded'],
    ['two critical metrics', { metrics: [metric(20), metric(20)] }, 'warning'],
    ['three critical metrics', { metrics: [metric(20), metric(20), metric(20)] }, 'critical'],
    ['half of all calls failing', { calls: { calls: 100, failures: 50 } }, 'degraded'],
  ];
  it.each(alone)('with %s alone', (_, inputs, band) => {
    expect(scoreOf(inputs).status).toBe(band);
  });

  function bulkheads(count: number): NamedBulkhead[] {
    return Array.from({ length: count }, (_, i) => ({ name: `b${i}`, total: 1, full: 1 }));
  }

  it.each([
    [1, 100, 1],
    [50, 100, 13],
    [100, 100, 25],
  ])('of %i open breakers of %i keys of one name takes %i off', (open, total, expected) => {
    const keyed = { name: 'a', status: 'degraded', keys: { total, open } } as const;
    expect(points({ breakers: [keyed] })).toBe(expected);
    expect(points({ breakers: [{ ...keyed, status: 'up' }] })).toBe(0);
    expect(points({ breakers: [{ ...keyed, status: 'down' }] })).toBe(61);
    expect(scoreOf({ breakers: [keyed] }).explanation[0]!.value).toBe(
      `${open} of ${total} keys open`,
    );
  });

  it('of full bulkheads of keys goes by their share', () => {
    expect(points({ bulkheads: [{ name: 'a', total: 10, full: 3 }] })).toBe(3);
    expect(scoreOf({ bulkheads: [{ name: 'a', total: 10, full: 3 }] }).explanation[0]!.value).toBe(
      '3 of 10 keys full',
    );
  });

  it('does not speak of an error rate below twenty calls', () => {
    expect(points({ calls: { calls: 19, failures: 19 } })).toBe(0);
    expect(points({ calls: { calls: 20, failures: 20 } })).toBe(40);
    expect(points({ calls: { calls: 0, failures: 0 } })).toBe(0);
  });

  it.each([
    ['loopDelay', 'event loop delay'],
    ['loopUtilisation', 'event loop utilisation'],
  ] as const)('takes the points of the table for %s', (name, what) => {
    const { warn, critical } = HEALTH_LIMITS[name];
    const at = (value: number): unknown => scoreOf({ process: { [name]: value } }).explanation;

    expect(at(warn * 0.99)).toEqual([]);
    expect(at(warn)).toEqual([
      { what, value: warn, limit: warn, points: HEALTH_WEIGHTS[name].warn },
    ]);
    expect(at(critical)).toEqual([
      { what, value: critical, limit: critical, points: HEALTH_WEIGHTS[name].critical },
    ]);
  });

  it('takes the points of the table for what is left in the heap', () => {
    const at = (heapUsed: number): number => points({ process: { heapUsed, heapLimit: 1_000 } });
    expect([790, 800, 875, 949, 950, 2_000].map(at)).toEqual([0, 10, 25, 39, 40, 40]);
  });

  it.each([
    ['above', [9.9, 10, 15, 19.9, 20, Infinity, -Infinity], [0, 10, 20, 29, 30, 30, 0]],
    ['below', [20.1, 20, 15, 10.1, 10, -Infinity, Infinity], [0, 10, 20, 29, 30, 30, 0]],
  ] as const)('of a metric that is bad %s its limits', (direction, values, expected) => {
    const limits = direction === 'above' ? { warn: 10, critical: 20 } : { warn: 20, critical: 10 };
    const found = values.map((value) =>
      points({ metrics: [metric(value, { ...limits, direction })] }),
    );
    expect(found).toEqual(expected);
  });

  it('of a metric with one limit for both', () => {
    const at = (value: number): number => points({ metrics: [metric(value, { critical: 10 })] });
    expect([9, 10, 11].map(at)).toEqual([0, 30, 30]);
  });

  it('of a metric with limits further apart than a number can say', () => {
    const far = { warn: -1e308, critical: 1e308 };
    const at = (value: number): number => points({ metrics: [metric(value, far)] });
    expect([-1.1e308, -1e308, 0, 1e308].map(at)).toEqual([0, 10, 10, 30]);
  });

  it('of a metric without limits takes nothing', () => {
    const shown = { warn: undefined, critical: undefined };
    for (const value of [Infinity, 'unknown'])
      expect(points({ metrics: [metric(value, shown as object)] })).toBe(0);
    expect(levelOf(metric(Infinity, shown as object))).toBe('ok');
  });

  it('of a metric that cannot be read takes less than a bad value', () => {
    for (const value of ['unknown', Number.NaN, undefined, null, '12', {}]) {
      const { score, explanation } = scoreOf({ metrics: [metric(value)] });
      expect([score, explanation]).toEqual([
        95,
        [{ what: 'metric mempool', value: 'unknown', limit: 10, points: 5 }],
      ]);
    }
  });

  it('of figures of ours that are no numbers says so, and takes nothing', () => {
    const { score, explanation } = scoreOf({
      calls: { calls: 100, failures: Number.NaN },
      process: {
        loopDelay: Number.NaN,
        loopUtilisation: Number.NaN,
        heapUsed: 5,
        heapLimit: undefined,
      },
    });

    expect(score).toBe(100);
    expect(explanation.map(({ what, value, points }) => [what, value, points])).toEqual([
      ['error rate', 'unknown', 0],
      ['event loop delay', 'unknown', 0],
      ['event loop utilisation', 'unknown', 0],
      ['heap after garbage collection', 'unknown', 0],
    ]);
  });
});

it.each([
  ['above', [9, 10, 19, 20, Number.NaN], ['ok', 'warn', 'warn', 'critical', 'unknown']],
  ['below', [21, 20, 11, 10, 'unknown'], ['ok', 'warn', 'warn', 'critical', 'unknown']],
] as const)('the level of a value %s', (direction, values, expected) => {
  const limits = direction === 'above' ? { warn: 10, critical: 20 } : { warn: 20, critical: 10 };
  expect(values.map((value) => levelOf(metric(value, { ...limits, direction })))).toEqual(expected);
});

describe('whatever comes in', () => {
  const STATES = ['closed', 'disabled', 'half-open', 'recovering', 'open', 'isolated'] as const;
  const BADNESS = { closed: 0, disabled: 0, 'half-open': 1, recovering: 1, open: 2, isolated: 2 };
  const figure = fc.oneof(
    fc.double({ min: 0, max: 2 }),
    fc.double(),
    fc.constantFrom(undefined, Number.NaN),
  );
  const anyMetric = fc
    .record({
      value: fc.oneof(fc.double(), fc.integer({ min: -30, max: 30 }), fc.constant('unknown')),
      a: fc.integer({ min: -20, max: 20 }),
      b: fc.integer({ min: -20, max: 20 }),
      direction: fc.constantFrom('above', 'below'),
    })
    .map(({ value, a, b, direction }) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const limits =
        direction === 'above' ? { warn: low, critical: high } : { warn: high, critical: low };
      return metric(value, { ...limits, direction: direction as 'above' | 'below' });
    });
  const anyBreaker = fc.record({
    name: fc.string(),
    state: fc.constantFrom(...STATES),
    critical: fc.boolean(),
    mode: fc.constantFrom('enforce', 'shadow'),
  });
  const anything = fc.record({
    breakers: fc.array(anyBreaker, { maxLength: 30 }),
    bulkheads: fc.array(
      fc
        .record({ name: fc.string(), total: fc.nat(9), full: fc.nat(9) })
        .map((b) => ({ ...b, full: Math.min(b.full, b.total) })),
    ),
    store: fc.constantFrom(undefined, 'open', 'fenced', 'closing'),
    calls: fc.option(fc.record({ calls: fc.nat(100), failures: fc.nat(100) }), { nil: undefined }),
    process: fc.record({
      loopDelay: figure,
      loopUtilisation: figure,
      heapUsed: figure,
      heapLimit: figure,
    }),
    metrics: fc.array(anyMetric, { maxLength: 30 }),
  }) as fc.Arbitrary<Required<HealthInputs>>;

  it('the points are whole and sum to what is missing, the most first, at most 21 of them', () => {
    fc.assert(
      fc.property(anything, (inputs) => {
        const { score, status, explanation } = scoreOf(inputs);
        const each = explanation.map((item) => item.points);
        expect(each.every((n) => Number.isInteger(n) && n >= 0)).toBe(true);
        expect(each.reduce((a, b) => a + b, 0)).toBe(100 - score);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(status).toBe(bandOf(score));
        const listed = each.slice(0, 20);
        expect(listed).toEqual(listed.toSorted((a, b) => b - a));
        expect(each.length).toBeLessThanOrEqual(21);
      }),
    );
  });

  const worse: [string, (inputs: Required<HealthInputs>, by: number) => HealthInputs][] = [
    [
      'a breaker in a worse state',
      (inputs, by) => {
        const [first, ...rest] = inputs.breakers as (NamedBreaker & { state: 'open' })[];
        if (first === undefined) return inputs;
        const worse = STATES.filter((state) => BADNESS[state] >= BADNESS[first.state]);
        return { ...inputs, breakers: [{ ...first, state: worse[by % worse.length]! }, ...rest] };
      },
    ],
    ['one more open breaker', (i) => ({ ...i, breakers: [...i.breakers, breaker('more')] })],
    [
      'one more full bulkhead',
      (i) => ({ ...i, bulkheads: [...i.bulkheads, { name: 'more', total: 1, full: 1 }] }),
    ],
    ['a store that keeps nothing', (i) => ({ ...i, store: 'fenced' })],
    [
      'more failures',
      ({ calls, ...i }, by) => {
        const more = calls && { ...calls, failures: calls.failures + by };
        return { ...i, calls: more };
      },
    ],
    [
      'figures of the process that grow',
      ({ process, ...i }, by) => {
        const more = (n: number | undefined): number | undefined => n && n + by / 100;
        const { loopDelay, loopUtilisation, heapUsed, heapLimit } = process;
        const grown = {
          loopDelay: more(loopDelay),
          loopUtilisation: more(loopUtilisation),
          heapUsed: heapLimit! > 0 ? more(heapUsed) : heapUsed,
          heapLimit,
        };
        return { ...i, process: finite(process) ? grown : process };
      },
    ],
    [
      'metrics further on their bad side',
      ({ metrics, ...i }, by) => ({
        ...i,
        metrics: metrics.map((m) => {
          const step = m.direction === 'below' ? -by : by;
          return { ...m, value: m.value === 'unknown' ? m.value : m.value + step };
        }),
      }),
    ],
    ['one more metric', (i, by) => ({ ...i, metrics: [...i.metrics, metric(by)] })],
  ];

  function finite(process: object): boolean {
    return Object.values(process).every((n) => n === undefined || Number.isFinite(n));
  }

  it.each(worse)('%s never gives a better score', (_, change) => {
    fc.assert(
      fc.property(anything, fc.nat(50), (inputs, by) => {
        expect(scoreOf(change(inputs, by)).score).toBeLessThanOrEqual(scoreOf(inputs).score);
      }),
    );
  });
});
