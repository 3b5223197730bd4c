import {
  type BreakerFacts,
  breakerHealth,
  bulkheadHealth,
  keyedBreakerHealth,
  worst,
} from '../../../lib/health/policy-health.js';

const breaker = (facts: Partial<BreakerFacts> = {}): BreakerFacts => ({
  state: 'closed',
  critical: false,
  mode: 'enforce',
  ...facts,
});

describe('a breaker', () => {
  it.each([
    ['closed', 'up', 'up'],
    ['disabled', 'up', 'up'],
    ['half-open', 'degraded', 'degraded'],
    ['recovering', 'degraded', 'degraded'],
    ['open', 'degraded', 'down'],
    ['isolated', 'degraded', 'down'],
  ] as const)('that is %s is %s, and %s where it is critical', (state, health, critical) => {
    expect(breakerHealth(breaker({ state }))).toBe(health);
    expect(breakerHealth(breaker({ state, critical: true }))).toBe(critical);
    expect(breakerHealth(breaker({ state, critical: true, mode: 'shadow' }))).toBe('up');
  });
});

describe('the breakers of all keys', () => {
  const open = breaker({ state: 'open' });
  const critical = breaker({ state: 'open', critical: true });

  it.each([
    ['none', [], 'up', 0],
    ['all closed', [breaker(), breaker()], 'up', 0],
    ['one open', [breaker(), open], 'degraded', 1],
    ['one on its way back', [breaker({ state: 'recovering' }), breaker()], 'degraded', 1],
    ['all open', [open, open], 'degraded', 2],
    ['one open and critical', [critical, breaker({ critical: true })], 'degraded', 1],
    ['all open and critical', [critical, critical], 'down', 2],
    ['all open in shadow mode', [breaker({ state: 'open', mode: 'shadow' })], 'up', 0],
  ] as const)('%s', (_what, breakers, status, count) => {
    expect(keyedBreakerHealth(breakers)).toEqual({
      status,
      keys: { total: breakers.length, open: count },
    });
  });
});

it('a bulkhead is degraded while slots and queue are full', () => {
  const full = { running: 2, queued: 1, maxConcurrent: 2, maxQueue: 1 };
  expect(bulkheadHealth(full)).toBe('degraded');
  expect(bulkheadHealth({ ...full, running: 1 })).toBe('up');
  expect(bulkheadHealth({ ...full, queued: 0 })).toBe('up');
});

it('the worst of several', () => {
  expect(worst([])).toBe('up');
  expect(worst(['up', 'degraded', 'up'])).toBe('degraded');
  expect(worst(['down', 'degraded', 'up'])).toBe('down');
});
