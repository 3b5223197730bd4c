import {
  checkCircuitBreaker,
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';

const mistakes = (options: unknown): string[] =>
  checkCircuitBreaker('here', options as CircuitBreakerOptions).map(
    ({ at, problem }) => `${at}: ${problem}`,
  );

describe('the options of a circuit breaker', () => {
  it.each<CircuitBreakerOptions>([
    {},
    { slowCallDuration: 100 },
    { slowCallDuration: 100, slowCallRate: 1 },
    { failureThreshold: 3, slowCallDuration: 100, minimumCalls: 5 },
    { openFor: ({ openings, rate }) => openings * rate * 1_000, maxOpenFor: 1 },
    { maxRetryAfter: 0 },
    { gradualClose: true },
    { gradualClose: false },
    { gradualClose: {} },
    { gradualClose: { steps: [0.001, 1], calls: 1 } },
    { isFailure: (settled) => settled.ok && settled.value === null, ignore: 'ENOENT' },
    { key: (tenant: string) => tenant, maxKeys: 1, idleTtl: 1 },
    { mode: 'shadow' },
    { openFor: undefined, failureThreshold: 1, slowCallRate: undefined },
    { openFor: 8_000, maxOpenFor: 8_000 },
    { window: { calls: 5 }, minimumCalls: 5 },
    { window: 1_000, minimumCalls: 5_000 },
    { failureThreshold: 2, failureRate: 0.5, minimumCalls: 5 },
    { failOn: 'EPIPE' },
    { gradualClose: { steps: Array.from({ length: 20 }, (_, i) => (i + 1) / 20) } },
  ])('%p are good', (options) => {
    expect(mistakes(options)).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ slowCallDuration: 0 }, 'slowCallDuration: got 0, expected a number of milliseconds from 1'],
    [{ slowCallDuration: 9, slowCallRate: 0 }, 'slowCallRate: got 0, expected a number above 0'],
    [{ slowCallDuration: 9, slowCallRate: 1.1 }, 'slowCallRate: got 1.1, expected a number above'],
    [{ slowCallRate: 0.5 }, 'slowCallRate: got 0.5, expected slowCallDuration beside it'],
    [{ openFor: '5s' }, 'openFor: got "5s", expected a number of milliseconds'],
    [
      { openFor: 0 },
      'openFor: got 0, expected a number of milliseconds from 1 to 2147483647, or a function',
    ],
    [{ maxRetryAfter: -1 }, 'maxRetryAfter: got -1, expected a number of milliseconds from 0'],
    [{ maxRetryAfter: Number.NaN }, 'maxRetryAfter: got NaN, expected'],
    [{ gradualClose: 'yes' }, 'gradualClose: got "yes", expected true, false or { steps, calls }'],
    [
      { gradualClose: { steps: [] } },
      'steps: got an array of 0, expected a rising list of 1 to 20',
    ],
    [{ gradualClose: { steps: [0.5, 0.5] } }, 'expected a rising list'],
    [{ gradualClose: { steps: [0, 0.5] } }, 'expected a rising list'],
    [{ gradualClose: { steps: [0.5, 1.5] } }, 'expected a rising list'],
    [{ gradualClose: { steps: 0.5 } }, 'expected a rising list'],
    [
      { gradualClose: { steps: Array.from({ length: 21 }, (_, i) => (i + 1) / 100) } },
      'expected a rising list',
    ],
    [{ gradualClose: { calls: 0 } }, 'calls: got 0, expected a whole number from 1'],
    [{ gradualClose: { step: [1] } }, 'step: unknown option; known are steps, calls'],
    [{ isFailure: true }, 'isFailure: got true, expected a function'],
    [
      { isFailure: () => true, failOn: 'EPIPE' },
      'isFailure: got function isFailure, expected no failOn beside it',
    ],
    [{ key: 'tenant' }, 'key: got "tenant", expected a function'],
    [{ maxKeys: 0 }, 'maxKeys: got 0, expected a whole number from 1'],
    [{ idleTtl: 0 }, 'idleTtl: got 0, expected a number of milliseconds from 1'],
    [{ mode: 'dry' }, "mode: got \"dry\", expected 'enforce' or 'shadow'"],
    [
      { failureThreshold: 2, minimumCalls: 5 },
      'minimumCalls: got 5, expected failureRate beside it',
    ],
    [
      { openFor: 9_000, maxOpenFor: 8_000 },
      'maxOpenFor: got 8000, expected at least openFor, 9000',
    ],
    [{ maxOpenFor: 4_000 }, 'maxOpenFor: got 4000, expected at least openFor, 5000'],
    [
      { window: { calls: 5 }, minimumCalls: 6 },
      'minimumCalls: got 6, expected at most the 5 calls of the window',
    ],
    [{ window: { calls: 0 } }, 'window: got an object, expected a number of milliseconds from 10'],
    [{ window: { calls: 0 } }, 'or { calls: a whole number from 1 to 1000000 }'],
    [{ window: { calls: 5, size: 5 } }, 'window: got an object, expected'],
    [{ window: null }, 'window: got null, expected'],
    [{ window: null, minimumCalls: 5 }, 'window: got null, expected'],
    [{ halfOpenCalls: 0 }, 'halfOpenCalls: got 0, expected a whole number from 1'],
    [{ gradualClose: { calls: 0 } }, 'without mistakes, but calls: got 0'],
    [{ halfOpenCalls: 1 }, 'halfOpenCalls: got 1, expected at least successThreshold, 2'],
  ])('%p are a mistake', (options, problem) => {
    const found = mistakes(options);

    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
    expect(found[0]).toMatch(/^here \w+: /);
  });

  it('have defaults that pass their own checks', () => {
    const { minimumCalls: _calls, ...rest } = CIRCUIT_BREAKER_DEFAULTS;

    expect(mistakes({ ...rest, slowCallDuration: 1 })).toEqual([]);
  });
});
