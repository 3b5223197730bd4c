import {
  lint,
  LINT_CODES,
  type LintCode,
  type LintFinding,
  unsuppressed,
} from '../../../lib/pipeline/lint.js';
import { nearestNames } from '../../../lib/pipeline/nearest-names.js';
import type { MethodPolicySet, PolicySet } from '../../../lib/pipeline/policy-set.js';

const of = (policies: PolicySet, name = 'Client.call'): LintFinding[] =>
  lint([{ name, policies }], {});
const codes = (policies: PolicySet, name?: string): LintCode[] =>
  of(policies, name).map(({ code }) => code);
const problem = (policies: PolicySet): string => of(policies)[0]!.problem;

describe('TOTAL_TIMEOUT_TOO_SHORT', () => {
  const retry = { maxAttempts: 3, delay: 100, jitter: 'none' } as const;

  it('is said where attempts of full length and their delays take longer', () => {
    expect(codes({ retry: { ...retry, totalTimeout: 3_300 }, timeLimit: 1_000 })).toEqual([]);
    expect(codes({ retry: { ...retry, totalTimeout: 3_299 }, timeLimit: 1_000 })).toEqual([
      'TOTAL_TIMEOUT_TOO_SHORT',
    ]);
    expect(codes({ retry: { ...retry, totalTimeout: 3_299 }, timeLimit: { ms: 1_000 } })).toEqual([
      'TOTAL_TIMEOUT_TOO_SHORT',
    ]);
  });

  it('tells how many attempts start', () => {
    expect(problem({ retry: { ...retry, totalTimeout: 2_300 }, timeLimit: 1_000 })).toMatch(
      /^its 3 attempts of 1,000 ms and the delays between them may take 3,300 ms, and totalTimeout is 2,300 ms: then only 2 of them start/,
    );
    expect(problem({ retry: { ...retry, totalTimeout: 2_301 }, timeLimit: 1_000 })).toContain(
      'then the last one is cut short',
    );
  });

  it('counts the delays alone where an attempt has no limit, or its limit is a function', () => {
    expect(codes({ retry: { ...retry, totalTimeout: 300 } })).toEqual([]);
    expect(problem({ retry: { ...retry, totalTimeout: 299 } })).toMatch(
      /^the delays between its 3 attempts may take 300 ms/,
    );
    expect(codes({ retry: { ...retry, totalTimeout: 300 }, timeLimit: { ms: () => 900 } })).toEqual(
      [],
    );
  });

  it('counts the longest that the dice can make of a delay', () => {
    const total = (totalTimeout: number, jitter: 'full' | number | 'decorrelated'): LintCode[] =>
      codes({ retry: { maxAttempts: 3, delay: 100, jitter, totalTimeout } });

    expect([total(300, 'full'), total(299, 'full')]).toEqual([[], ['TOTAL_TIMEOUT_TOO_SHORT']]);
    expect([total(450, 0.5), total(449, 0.5)]).toEqual([[], ['TOTAL_TIMEOUT_TOO_SHORT']]);
    expect([total(1_200, 'decorrelated'), total(1_199, 'decorrelated')]).toEqual([
      [],
      ['TOTAL_TIMEOUT_TOO_SHORT'],
    ]);
  });

  it('does not ask a back-off function, and is silent without a totalTimeout', () => {
    const backoff = (): never => {
      throw new Error('asked');
    };

    expect(codes({ retry: { backoff, delay: 50, totalTimeout: 100 } })).toEqual([]);
    expect(codes({ retry, timeLimit: 1_000_000 })).toEqual([]);
  });

  it('ends with an enormous number of attempts', () => {
    expect(codes({ retry: { maxAttempts: 1_000_000, delay: 0, totalTimeout: 10 } })).toEqual([]);
    expect(codes({ retry: { maxAttempts: 1_000_000, delay: 5, totalTimeout: 10 } })).toEqual([
      'TOTAL_TIMEOUT_TOO_SHORT',
    ]);
  });
});

it('NESTED_RETRY is said of retryNested that retries', () => {
  expect(codes({ retry: { retryNested: true } })).toEqual(['NESTED_RETRY']);
  expect(codes({ retry: { retryNested: false } })).toEqual([]);
  expect(codes({ retry: { retryNested: true, maxAttempts: 1, totalTimeout: 5 } })).toEqual([]);
  expect(problem({ retry: { retryNested: true } })).toBe(
    'retryNested: true tries again what a retry further in has used up: their attempts multiply',
  );
});

describe('WINDOW_CANNOT_FILL', () => {
  const rate = { failureRate: 0.5, minimumCalls: 20, window: 10_000 };

  it('is said where the rate limit keeps the window below minimumCalls', () => {
    // 5 at once, and 14.3 in the window and a tenth
    const at = (limit: number): LintCode[] =>
      codes({ circuitBreaker: rate, rateLimit: { limit, per: 10_000, burst: 5 } });

    expect([at(14), at(13)]).toEqual([[], ['WINDOW_CANNOT_FILL']]);
    expect(
      problem({ circuitBreaker: rate, rateLimit: { limit: 13, per: 10_000, burst: 5 } }),
    ).toContain(
      'lets at most 19 calls into the window of the circuit breaker, and minimumCalls is 20',
    );
  });

  it('knows the defaults of both', () => {
    expect(codes({ circuitBreaker: { failureRate: 1 }, rateLimit: { limit: 2 } })).toEqual([]);
    expect(
      codes({ circuitBreaker: { failureRate: 1 }, rateLimit: { limit: 1, per: 10_000 } }),
    ).toEqual(['WINDOW_CANNOT_FILL']);
    // enough for a run of failures, not for a rate of slow calls
    expect(
      codes({ circuitBreaker: { slowCallDuration: 5 }, rateLimit: { limit: 2, per: 10_000 } }),
    ).toEqual(['WINDOW_CANNOT_FILL']);
  });

  it('without a rule of its own asks for the run of failures that opens it', () => {
    expect(codes({ circuitBreaker: {}, rateLimit: { limit: 4, per: 33_000 } })).toEqual([]);
    expect(codes({ circuitBreaker: {}, rateLimit: { limit: 2, per: 33_000 } })).toEqual([
      'WINDOW_CANNOT_FILL',
    ]);
    expect(problem({ circuitBreaker: {}, rateLimit: { limit: 2, per: 33_000 } })).toContain(
      'into the window of the circuit breaker, and it takes 5 to open',
    );
  });

  it('knows that such a run has 30 s where no window is given', () => {
    const rateLimit = { limit: 2, per: 10_000 };
    expect(codes({ circuitBreaker: {}, rateLimit })).toEqual([]);
    expect(codes({ circuitBreaker: { window: 10_000 }, rateLimit })).toEqual([
      'WINDOW_CANNOT_FILL',
    ]);
  });

  it('is silent where calls may come from elsewhere, or the window is one of calls', () => {
    const rateLimit = { limit: 1, per: 60_000 };
    const key = (id: string): string => id;

    expect(codes({ circuitBreaker: { ...rate, name: 'shared' }, rateLimit })).toEqual([]);
    expect(codes({ circuitBreaker: rate, rateLimit: { ...rateLimit, key } })).toEqual([]);
    expect(codes({ circuitBreaker: { ...rate, key }, rateLimit: { ...rateLimit, key } })).toEqual([
      'WINDOW_CANNOT_FILL',
    ]);
    expect(codes({ circuitBreaker: { ...rate, window: { calls: 20 } }, rateLimit })).toEqual([]);
    expect(codes({ circuitBreaker: { failureThreshold: 5 }, rateLimit })).toEqual([]);
    expect(codes({ circuitBreaker: rate })).toEqual([]);
  });
});

it('IMPLAUSIBLE_RATE is said above 100,000 a second, and of a burst of a hundred times the limit', () => {
  const at = (limit: number, per?: number, burst?: number): LintCode[] =>
    codes({ rateLimit: { limit, ...(per && { per }), ...(burst && { burst }) } });

  expect([at(100_000), at(100_001)]).toEqual([[], ['IMPLAUSIBLE_RATE']]);
  expect([at(100, 1), at(101, 1)]).toEqual([[], ['IMPLAUSIBLE_RATE']]);
  expect([at(10_000_000, 3_600_000)]).toEqual([[]]);
  expect([at(10, 1_000, 1_000), at(10, 1_000, 1_001)]).toEqual([[], ['IMPLAUSIBLE_RATE']]);
  expect(of({ rateLimit: { limit: 1_000, per: 1, burst: 200_000 } }).map((f) => f.problem)).toEqual(
    [
      '1,000 calls per 1 ms are 1,000,000 per second, more than one process can make; `per` is in milliseconds',
      'a burst of 200,000 calls is 200 times what 1 ms allow: after a rest the limit is none for long',
    ],
  );
});

describe('WRITE_WITHOUT_IDEMPOTENT', () => {
  it.each([
    'Orders.create',
    'Orders._create',
    'Orders.createOrder',
    'M/Orders.save#2',
    'orders.mint',
    'send-mail',
  ])('is said of a retry of %s', (name) => {
    expect(codes({ retry: {} }, name)).toEqual(['WRITE_WITHOUT_IDEMPOTENT']);
    expect(codes({ retry: { idempotent: true } }, name)).toEqual([]);
    expect(codes({ retry: { idempotent: false } }, name)).toEqual([]);
    expect(codes({ retry: { maxAttempts: 1, totalTimeout: 5 } }, name)).toEqual([]);
    expect(codes({ circuitBreaker: {} }, name)).toEqual([]);
  });

  it('says the word that sounds like a write', () => {
    expect(of({ retry: {} }, 'Orders.createOrder')[0]!.problem).toMatch(
      /^is retried, and "create" sounds like a write that must not happen twice; say `idempotent: true`/,
    );
  });

  it.each([
    'Orders.find',
    '',
    'Orders.',
    'Orders.listCreate',
    'Orders.created',
    'Orders.listOrders',
    'Payments.payments',
    'Create.read',
  ])('is not said of %s', (name) => {
    expect(codes({ retry: {} }, name)).toEqual([]);
  });
});

describe('POLICY_NEVER_ACTS', () => {
  const never: [string, PolicySet][] = [
    ['one attempt', { retry: { maxAttempts: 1 } }],
    ['one attempt of each category', { retry: { maxAttempts: 1, byCategory: { timeout: {} } } }],
    ['an empty retryOn', { retry: { retryOn: [] } }],
    ['a limit as long as the total', { retry: { totalTimeout: 500, delay: 1 }, timeLimit: 500 }],
    ['a queueTimeout as long as the limit', { bulkhead: { queueTimeout: 50 }, timeLimit: 50 }],
    ['a deadline of a retry that has none', { retry: { propagateDeadline: true } }],
    ['a deadline of nothing', { timeLimit: { propagateDeadline: true, idle: 5 } }],
    ['an empty failOn', { circuitBreaker: { failOn: [] } }],
    [
      'a run that cannot be that long',
      {
        circuitBreaker: { failureThreshold: 5, window: 1_000 },
        rateLimit: { limit: 1, per: 1_000 },
      },
    ],
    ['an empty on', { fallback: { value: 1, on: [] } }],
    ['a fallback behind a value', { fallback: [{ value: 1 }, { handler: () => 2 }] }],
  ];
  it.each(never)('is said of %s', (_, policies) => {
    expect(codes(policies)).toEqual(['POLICY_NEVER_ACTS']);
  });

  it('says which policy, and why', () => {
    expect(never.map(([, policies]) => problem(policies))).toEqual([
      'the retry never acts: maxAttempts is 1, the first attempt',
      'the retry never acts: maxAttempts is 1, the first attempt',
      'the retry never acts: retryOn is empty, and so lists no error',
      'the time limit of 500 ms never acts: totalTimeout ends the call after 500 ms',
      'the queueTimeout of 50 ms never acts: the time limit of 50 ms includes the wait in the queue',
      'propagateDeadline hands on no deadline: there is neither a time limit nor a totalTimeout',
      'propagateDeadline hands on no deadline: there is neither a time limit nor a totalTimeout',
      'the circuit breaker never opens: failOn is empty, and so lists no error',
      'the failureThreshold of 5 is never reached: the rate limit lets at most 2 calls into its window',
      'fallback 1 never acts: its `on` is empty, and so lists no error',
      'fallback 2 never acts: the value before it answers whatever it would',
    ]);
    expect(problem({ fallback: [() => 1, { value: 1, on: [] }] })).toContain(
      'fallback 2 never acts',
    );
    expect(problem({ fallback: [() => 1, { value: 1 }, () => 2] })).toContain(
      'fallback 3 never acts',
    );
  });

  const acting: [string, PolicySet][] = [
    ['one attempt of limited length', { retry: { maxAttempts: 1, totalTimeout: 50 } }],
    [
      'more attempts of a category',
      { retry: { maxAttempts: 1, byCategory: { timeout: { maxAttempts: 2 } } } },
    ],
    ['results that are not good enough', { retry: { retryOn: [], retryOnResult: () => true } }],
    [
      'a limit that a function knows',
      {
        retry: { totalTimeout: 500, delay: 1, jitter: 'none', maxAttempts: 2 },
        timeLimit: { ms: () => 900 },
      },
    ],
    ['a queueTimeout below the limit', { bulkhead: { queueTimeout: 49 }, timeLimit: 50 }],
    ['a deadline of a limit', { retry: { propagateDeadline: true }, timeLimit: 5 }],
    ['a deadline of a total', { retry: { propagateDeadline: true, totalTimeout: 5_000 } }],
    ['slow calls', { circuitBreaker: { failOn: [], slowCallDuration: 5 } }],
    ['our own timeouts', { circuitBreaker: { failOn: [] }, timeLimit: 5 }],
    [
      'a fallback behind a value for some',
      { fallback: [{ value: 1, on: RangeError }, { handler: () => 2 }] },
    ],
    [
      'a fallback behind a value, for others',
      { fallback: [{ value: 1 }, { handler: () => 2, on: TypeError }] },
    ],
    ['a value behind another', { fallback: [{ handler: () => 2 }, { value: 1 }] }],
    ['a handler behind a value for most', { fallback: [{ value: 1, except: 'X' }, () => 2] }],
    [
      'a retry that only hands on its deadline',
      { retry: { propagateDeadline: true, maxAttempts: 1 }, timeLimit: 5 },
    ],
    ['a deadline of a limit by options', { timeLimit: { propagateDeadline: true, ms: 5 } }],
    ['a retryOn that lists an error', { retry: { retryOn: ['X'] } }],
    ['a failOn that lists an error', { circuitBreaker: { failOn: ['X'] } }],
    ['an on that lists an error', { fallback: { value: 1, on: ['X'] } }],
    ['a deadline that is not handed on', { retry: { propagateDeadline: false } }],
    [
      'a queueTimeout beside a limit of each value',
      { bulkhead: { queueTimeout: 50 }, timeLimit: { idle: 5 } },
    ],
    [
      'a run as long as the window allows',
      {
        circuitBreaker: { failureThreshold: 2, window: 1_000 },
        rateLimit: { limit: 1, per: 1_000 },
      },
    ],
    [
      'a run that no window limits',
      {
        circuitBreaker: { failureThreshold: 5 },
        rateLimit: { limit: 1, per: 1_000_000 },
      },
    ],
  ];
  it.each(acting)('is not said of %s', (_, policies) => {
    expect(codes(policies)).toEqual([]);
  });
});

describe('RESULT_KEPT_TWICE', () => {
  const retryOnResult = (): boolean => true;

  it('is said of answers that are kept before they are looked at', () => {
    const policies = { checkpoint: {}, retry: { retryOnResult } } as PolicySet;
    expect(codes(policies)).toEqual(['RESULT_KEPT_TWICE']);
  });

  it.each<[string, MethodPolicySet]>([
    ['a method that keeps nothing', { retry: { retryOnResult } }],
    ['a retry of errors', { checkpoint: {}, retry: {} }],
    ['no retry at all', { checkpoint: {} }],
  ])('is not said of %s', (_what, policies) => {
    expect(codes(policies)).toEqual([]);
  });

  it('is not said where there is no second attempt', () => {
    const policies = { checkpoint: {}, retry: { retryOnResult, maxAttempts: 1 } } as PolicySet;
    expect(codes(policies)).not.toContain('RESULT_KEPT_TWICE');
  });
});

describe('QUEUE_WITHOUT_LIMIT', () => {
  it('is said of a queue whose calls may wait for ever', () => {
    expect(codes({ bulkhead: {} })).toEqual(['QUEUE_WITHOUT_LIMIT']);
    expect(problem({ bulkhead: { maxQueue: 5 } })).toContain('up to 5 calls wait');
    expect(codes({ bulkhead: {}, timeLimit: { idle: 5 } })).toEqual(['QUEUE_WITHOUT_LIMIT']);
  });

  it.each<PolicySet>([
    { bulkhead: { maxQueue: 0 } },
    { bulkhead: { queueTimeout: 5 } },
    { bulkhead: {}, timeLimit: 5 },
    { bulkhead: {}, timeLimit: { ms: () => 5 } },
    { bulkhead: {}, retry: { totalTimeout: 1_000 } },
  ])('is not said of %j', (policies) => {
    expect(codes(policies)).toEqual([]);
  });

  it('is not said where another interceptor of the handler has the limit', () => {
    const targets = [
      { name: 'Pages.a', policies: { timeLimit: 5 } },
      { name: 'Pages.a#2', policies: { bulkhead: {} } },
      { name: 'Pages.b', policies: { bulkhead: {} } },
    ];

    expect(lint(targets, {})).toEqual([
      expect.objectContaining({ code: 'QUEUE_WITHOUT_LIMIT', target: 'Pages.b' }),
    ]);
  });
});

describe('what the configuration names', () => {
  const targets = [
    { name: 'Client.call', policies: { retry: {} } },
    { name: 'One/Orders.find', policies: { retry: {} } },
    { name: 'Two/Orders.find', policies: { retry: {} } },
  ];

  it('UNUSED_OVERRIDE tells of a name that nothing has, with those near to it', () => {
    const overrides = { 'Client.cal': {}, 'Orders.find': {}, nothing: {}, 'Client.call': {} };

    const found = lint(targets, { overrides });

    expect(found.map(({ code, target }) => [code, target])).toEqual(
      ['Client.cal', 'Orders.find', 'nothing'].map((name) => ['UNUSED_OVERRIDE', name]),
    );
    expect(found.map((f) => f.problem.split('; ')[1])).toEqual([
      'near to it are "Client.call"',
      'near to it are "One/Orders.find", "Two/Orders.find"',
      undefined,
    ]);
  });

  it('UNUSED_OVERRIDE tells of a policy that no interceptor of the handler has', () => {
    const overrides = {
      'Client.call': { retry: { delay: 1 }, bulkhead: {}, timeLimit: false, rateLimit: undefined },
    } as const;

    expect(lint(targets, { overrides: overrides as never })).toEqual([
      {
        code: 'UNUSED_OVERRIDE',
        target: 'Client.call',
        problem: expect.stringContaining('add a BulkheadInterceptor'),
      },
    ]);
  });

  it('UNUSED_OVERRIDE is silent where one of several interceptors has the policy', () => {
    const beside = [
      { name: 'Pages.a', policies: { retry: {} } },
      { name: 'Pages.a', policies: { circuitBreaker: {} } },
    ];

    expect(lint(beside, { overrides: { 'Pages.a': { circuitBreaker: { openFor: 5 } } } })).toEqual(
      [],
    );
    expect(lint(beside, { overrides: { 'Pages.z': {} } })[0]!.problem).toMatch(
      /near to it are "Pages.a"$/,
    );
    expect(lint(beside, { overrides: { other: {} } })[0]!.problem).toMatch(/has no effect$/);
  });

  it('UNUSED_PRESET tells of a preset that nobody asked for', () => {
    const presets = { rpc: {}, db: {} };

    expect(lint([], { presets, usedPresets: new Set(['rpc']) })).toEqual([
      {
        code: 'UNUSED_PRESET',
        target: 'db',
        problem:
          'nothing has asked for this preset yet: no decorator, no interceptor, no execute()',
      },
    ]);
  });
});

it('the codes are known by name, for who wants to suppress one', () => {
  expect(LINT_CODES.toSorted()).toEqual([
    'IMPLAUSIBLE_RATE',
    'NESTED_RETRY',
    'POLICY_NEVER_ACTS',
    'QUEUE_WITHOUT_LIMIT',
    'RESULT_KEPT_TWICE',
    'TOTAL_TIMEOUT_TOO_SHORT',
    'UNUSED_OVERRIDE',
    'UNUSED_PRESET',
    'WINDOW_CANNOT_FILL',
    'WRITE_WITHOUT_IDEMPOTENT',
  ]);
});

it('what is said to be meant is left out, by code and by target', () => {
  const found = lint(
    [
      { name: 'A.a', policies: { bulkhead: {} } },
      { name: 'A.b', policies: { bulkhead: {} } },
      { name: 'A.a', policies: { retry: { maxAttempts: 1 } } },
    ],
    {},
  );
  const left = (...suppress: Parameters<typeof unsuppressed>[1]): string[] =>
    unsuppressed(found, suppress).map(({ code, target }) => `${code} ${target}`);
  const reason = 'meant';

  expect(left()).toHaveLength(3);
  expect(left({ code: 'QUEUE_WITHOUT_LIMIT', reason })).toEqual(['POLICY_NEVER_ACTS A.a']);
  expect(left({ code: 'QUEUE_WITHOUT_LIMIT', target: 'A.a', reason })).toEqual([
    'QUEUE_WITHOUT_LIMIT A.b',
    'POLICY_NEVER_ACTS A.a',
  ]);
});

it('policies as most applications have them are not complained of', () => {
  expect(
    codes({
      fallback: [{ method: 'lastKnown', on: RangeError }, { value: 0 }],
      retry: { maxAttempts: 4, totalTimeout: 10_000 },
      circuitBreaker: { failureRate: 0.5, name: 'bank' },
      rateLimit: { limit: 50, maxWait: 100 },
      timeLimit: 1_000,
      bulkhead: {},
    }),
  ).toEqual([]);
  expect(codes({})).toEqual([]);
});

it('names are near by a third of their letters, whatever their case, the nearest first', () => {
  const names = ['rates', 'rate', 'Rates', 'stars', 'unrelated', 'x'];

  expect(nearestNames('RATES', names)).toEqual(['rates', 'Rates', 'rate']);
  expect(nearestNames('xy', names)).toEqual(['x']);
  expect(nearestNames('zz', names)).toEqual([]);
  expect(nearestNames('unrelatedly', ['unrelated'])).toEqual(['unrelated']);
  expect(nearestNames('completely', ['different'])).toEqual([]);
  expect(nearestNames('name', ['name1', 'name2', 'name3', 'name4'])).toHaveLength(3);
  expect(nearestNames('LongModule/A.b', ['A.b', 'A.c'])).toEqual(['A.b']);
});
