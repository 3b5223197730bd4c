import {
  checkRateLimit,
  RATE_LIMIT_DEFAULTS,
  type RateLimitOptions,
} from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimitedError } from '../../../../lib/policies/rate-limit/rate-limited.error.js';
import { isResilienceRejection } from '../../../../lib/kernel/rejection.js';

it('good options have no mistakes, and undefined is not given', () => {
  const key = (account: { id: string }): string => account.id;
  const all: RateLimitOptions = {
    limit: 1_000_000_000,
    per: 86_400_000,
    burst: 1,
    maxWait: 0,
    name: 'payments',
    key,
    maxKeys: 1,
    idleTtl: 1,
  };

  expect(checkRateLimit('A.b', all)).toEqual([]);
  expect(checkRateLimit('A.b', { limit: 1 })).toEqual([]);
  expect(checkRateLimit('A.b', { limit: 1, per: undefined } as never)).toEqual([]);
  expect(RATE_LIMIT_DEFAULTS).toEqual({
    per: 1_000,
    maxWait: 0,
    maxKeys: 1_000,
    idleTtl: 600_000,
  });
});

it.each([
  ['limit', {}],
  ['limit', { limit: undefined, burst: 2 }],
  ['limit', { limit: 0 }],
  ['limit', { limit: 0.5 }],
  ['limit', { limit: Number.POSITIVE_INFINITY }],
  ['limit', { limit: 1_000_000_001 }],
  ['limit', { limit: '10' }],
  ['per', { limit: 1, per: 0 }],
  ['per', { limit: 1, per: 2 ** 31 }],
  ['per', { limit: 1, per: null }],
  ['burst', { limit: 1, burst: 0 }],
  ['burst', { limit: 1, burst: 1.5 }],
  ['maxWait', { limit: 1, maxWait: -1 }],
  ['maxWait', { limit: 1, maxWait: Number.NaN }],
  ['name', { limit: 1, name: '' }],
  ['key', { limit: 1, key: 'id' }],
  ['maxKeys', { limit: 1, maxKeys: 0 }],
  ['idleTtl', { limit: 1, idleTtl: 0 }],
  ['rate', { limit: 1, rate: 5 }],
])('#18 a bad %s is named: %j', (option, options) => {
  const mistakes = checkRateLimit('A.b @RateLimit', options as never);

  expect(mistakes).toEqual([
    { at: `A.b @RateLimit ${option}`, problem: expect.stringMatching(/expected|unknown/) },
  ]);
});

it('what is no options object is a mistake', () => {
  expect(checkRateLimit('A.b', undefined as never)).toHaveLength(1);
});

it('a missing limit is said like any other mistake', () => {
  expect(checkRateLimit('A.b', {} as never)).toEqual([
    { at: 'A.b limit', problem: 'got nothing, expected a whole number from 1 to 1000000000' },
  ]);
});

it('the refusal says who refused, that it is 429, and when to come back', () => {
  const error = new RateLimitedError('Fees.quote', 250);

  expect(isResilienceRejection(error)).toBe(true);
  expect(error).toMatchObject({
    name: 'RateLimitedError',
    message: 'rate limit Fees.quote is used up: come back in 250 ms',
    code: 'RATE_LIMITED',
    policy: 'rate-limit',
    target: 'Fees.quote',
    status: 429,
    statusCode: 429,
    expose: false,
    retryAfter: 250,
  });
  expect(error.stack).not.toContain('    at ');
  expect(new RateLimitedError('Fees.quote', 250, true).stack).toContain('    at ');
});
