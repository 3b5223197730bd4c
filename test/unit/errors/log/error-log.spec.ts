import { ErrorLog, type RecordInput } from '../../../../lib/errors/log/error-log.js';
import {
  checkErrorLog,
  ERROR_LOG_DEFAULTS,
  type ErrorLogOptions,
} from '../../../../lib/errors/log/error-log.options.js';
import { FakeClock, seededRandom } from '../../../../lib/testing/index.js';

const INPUT: RecordInput = {
  error: new Error('down'),
  classification: { category: 'communication', rule: 'node-code ECONNRESET' },
  severity: 'medium',
  component: 'Fees.quote',
  attempt: 1,
};

function setUp(options: ErrorLogOptions = {}) {
  const clock = new FakeClock();
  const reports: string[] = [];
  const log = new ErrorLog(clock, { stacks: 'none', ...options }, (option) => reports.push(option));
  const fail = (message: string, more: Partial<RecordInput> = {}) =>
    log.record({ ...INPUT, error: new Error(message), ...more });
  return { clock, log, fail, reports };
}

/** `aaa`, `baa`, …: a word for each number, which no template takes for a number. */
const word = (i: number): string =>
  i.toString(26).replaceAll(/./g, (d) => String.fromCharCode(97 + Number.parseInt(d, 26)));

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

describe('an entry of the error log', () => {
  it('says what is known of an error', () => {
    const { log, clock } = setUp();
    const error = Object.assign(new TypeError('down', { cause: 'deep' }), {
      code: 'E',
      status: 503,
    });
    const entry = log.record({
      ...INPUT,
      error,
      port: 'fees',
      messageId: 'm-1',
      correlationId: 'c-1',
      traceId: 't-1',
      sessionId: 's-1',
      attempt: 3,
      args: ['secret'],
    });

    expect(entry).toEqual({
      id: 'e1',
      fingerprint: expect.stringMatching(/^v1:[\da-f]{16}$/) as string,
      severity: 'medium',
      category: 'communication',
      rule: 'node-code ECONNRESET',
      component: 'Fees.quote',
      port: 'fees',
      method: 'quote',
      messageId: 'm-1',
      correlationId: 'c-1',
      traceId: 't-1',
      sessionId: 's-1',
      error: {
        name: 'TypeError',
        message: 'down',
        code: 'E',
        status: 503,
        cause: { name: 'string', message: 'deep' },
      },
      occurrences: 1,
      firstOccurrence: clock.epoch(),
      lastOccurrence: clock.epoch(),
      recoveryAttempts: 2,
    });
    expect(log.list()).toEqual([entry]);
    expect(log.get('e1')).toEqual(entry);
  });

  it('has a rule even if the classifier does not say which, and no attempts below none', () => {
    const { fail } = setUp();
    const entry = fail('x', { classification: { category: 'transient' }, attempt: 0 });

    expect([entry.rule, entry.recoveryAttempts]).toEqual(['unknown', 0]);
  });

  it('#162 has nothing of the arguments', () => {
    const { log, fail } = setUp();
    fail('x', { args: ['CANARY'] });

    expect(JSON.stringify([log.list(), log.groups()])).not.toContain('CANARY');
  });

  it('#162 has of the arguments what a function from the options made of them, redacted and bounded', () => {
    const capture = (args: readonly unknown[]): Record<string, string> => ({
      id: String(args[0]),
      url: 'redis://:s3cret@h',
      password: 's3cret',
      long: 'x'.repeat(9_000),
      odd: 5 as unknown as string,
      'line\n': 'a\nb',
    });
    const { log, fail } = setUp({ capture });
    fail('x', { args: [7] });

    expect(log.list()[0]!.metadata).toEqual({
      id: '7',
      url: 'redis://[redacted]@h',
      password: '[redacted]',
      long: `${'x'.repeat(253)}...`,
      'line\\u000a': 'a\\u000ab',
    });
  });

  it('#164 has at most 16 captured texts, of 2 KB together', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${word(i)}`, 'v']));
    const long = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [`k${word(i)}`, 'v'.repeat(300)]),
    );
    const { fail } = setUp({ capture: ([given]) => given as Record<string, string> });

    expect(Object.keys(fail('x', { args: [many] }).metadata!)).toHaveLength(16);
    expect(sizeOf(fail('x', { args: [long] }).metadata)).toBeLessThan(2_200);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('bad');
      },
    ],
    ['answers nothing', () => undefined],
    ['answers a promise that rejects', () => Promise.reject(new Error('bad'))],
    ['answers a list', () => ['x']],
    [
      'answers what cannot be read',
      () =>
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('trap');
            },
          },
        ),
    ],
  ])('#162 has none where that function %s, which is said once', (_, capture) => {
    const { fail, reports } = setUp({ capture: capture as () => Record<string, string> });
    fail('x', { args: [] });

    expect(fail('x', { args: [] })).not.toHaveProperty('metadata');
    expect(reports).toEqual(['capture']);
  });

  it('#164 has at most 16 KB', () => {
    const { fail } = setUp({
      stacks: 'all',
      capture: () => Object.fromEntries([...'abcdefghijklmnop'].map((k) => [k, 'v'.repeat(999)])),
    });
    const huge = 'h'.repeat(20_000);
    let error: Error | undefined;
    for (let i = 0; i < 9; i += 1)
      error = Object.assign(new Error(huge, { cause: error }), { code: huge });
    error!.stack = `\n    at ${huge}`;
    const ids = { messageId: huge, correlationId: huge, traceId: huge, sessionId: huge };
    const names = { component: huge, port: huge };
    const rule = { category: 'transient', rule: huge } as const;
    const entry = fail('x', { error, ...ids, ...names, classification: rule, args: [] });
    const texts = JSON.stringify(entry)
      .match(/"[^"]*"/g)!
      .join('').length;

    expect(texts).toBeLessThanOrEqual(16_384 + 300); // the names of the fields are no part of it
  });

  it.each([
    ['Fees.quote', 'quote'],
    ['run', 'run'],
    ['billing.Fees.quote', 'quote'],
    ['Fees.', 'Fees.'],
    [`Fees.${'q'.repeat(300)}`, `${'q'.repeat(192)}...`],
    ['Fees.token=abc.defghijklm', 'token=[redacted]'],
  ])('says of the component %s that its method is %s', (component, method) => {
    const { fail } = setUp();

    expect(fail('down', { component }).method).toBe(method);
  });

  it('#166 has a method that went through the function of the application', () => {
    const { fail } = setUp({ redact: (text) => text.replace(/^quote$/, '***') });

    expect(fail('down').method).toBe('***');
  });

  it('#167 is on one line, whatever its names say', () => {
    const { fail } = setUp();
    const bad = 'a\n{"level":"fatal"}\u2028\u202e\u001b[2J';
    const ids = { messageId: bad, correlationId: bad, traceId: bad, sessionId: bad };
    const entry = fail(bad, { component: bad, port: bad, ...ids });

    for (const text of Object.values({ ...entry, ...entry.error }))
      // oxlint-disable-next-line no-control-regex -- that is what must not be there
      if (typeof text === 'string') expect(text).not.toMatch(/[\u0000-\u001f\u2028\u202e]/);
  });

  it('#90 does not keep the error, nor anything of it alive', () => {
    const { log } = setUp();
    const big = Object.assign(new Error('m'.repeat(5_000_000)), { buffer: Buffer.alloc(10) });
    const entry = log.record({ ...INPUT, error: big });

    expect(entry.error).toEqual({ name: 'Error', message: `${'m'.repeat(2_045)}...` });
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a symbol', Symbol('x')],
    [
      'nothing but traps',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('trap');
          },
        },
      ),
    ],
    ['without a prototype', Object.create(null)],
  ])('#163 is made of an error that is %s', (_, error) => {
    const { log } = setUp({ stacks: 'all' });
    log.record({ ...INPUT, error });

    expect(log.list()).toHaveLength(1);
  });
});

describe('the stacks of the error log', () => {
  function reader() {
    let reads = 0;
    const error = (message: string): Error =>
      Object.defineProperty(new Error(message), 'stack', {
        get: () => {
          reads += 1;
          return '\n    at x (y)';
        },
      });
    return { error, reads: () => reads };
  }

  it('are read of the first error of each kind', () => {
    const { fail } = setUp({ stacks: 'first' });
    const { error, reads } = reader();

    expect(fail('', { error: error('a') }).error.stack).toBe('at x (y)');
    expect(fail('', { error: error('a') }).error).not.toHaveProperty('stack');
    expect(fail('', { error: error('b') }).error).toHaveProperty('stack');
    expect(reads()).toBe(2);
  });

  it('are read of at most 60 a minute, however many kinds there are', () => {
    const { fail, clock } = setUp({ stacks: 'first' });
    const { error, reads } = reader();
    for (let i = 0; i < 200; i += 1) fail('', { error: error(word(i)) });
    expect(reads()).toBe(60);

    clock.jump(59_999);
    fail('', { error: error('soon') });
    expect(reads()).toBe(60);

    clock.jump(1);
    fail('', { error: error('later') });
    expect(reads()).toBe(61);
  });

  it('are read of all or of none if told so', () => {
    const { error, reads } = reader();
    const all = setUp({ stacks: 'all' });
    const none = setUp({ stacks: 'none' });
    for (let i = 0; i < 100; i += 1) all.fail('', { error: error('a') });
    expect(reads()).toBe(100);
    none.fail('', { error: error('a') });
    expect(reads()).toBe(100);
  });
});

describe('the groups of the error log', () => {
  it('count the errors of one kind', async () => {
    const { log, fail, clock } = setUp();
    const began = clock.epoch();
    fail('row 1', { severity: 'low', classification: { category: 'timeout' } });
    await clock.advance(1_000);
    const second = fail('row 2', { severity: 'high' });
    fail('other');
    await clock.advance(500);

    expect(second).toMatchObject({
      occurrences: 2,
      firstOccurrence: began,
      lastOccurrence: began + 1_000,
    });
    const [other, row] = log.groups();
    expect(other).toMatchObject({ template: 'other', count: 1 });
    expect(row).toMatchObject({
      fingerprint: second.fingerprint,
      component: 'Fees.quote',
      category: 'communication',
      severity: 'high',
      name: 'Error',
      template: 'row <n>',
      count: 2,
      kept: 2,
      firstSeen: began,
      lastSeen: began + 1_000,
    });
    expect(row!.sample.error.message).toBe('row 1');
    expect(log.totals()).toEqual({
      recorded: 3,
      kept: 3,
      groups: 2,
      other: { groups: 0, count: 0 },
    });
  });

  it('are of one component each', () => {
    const { log, fail } = setUp();
    fail('x');
    fail('x', { component: 'B.c' });
    fail('x');

    expect(log.groups().map(({ component, count }) => [component, count])).toEqual([
      ['Fees.quote', 2],
      ['B.c', 1],
    ]);
  });

  it('tell errors apart that differ in one field only, also one right after the other', () => {
    const { log } = setUp();
    const error = (more: object): Error => Object.assign(new Error('m'), more);
    const kinds = [
      {},
      { name: 'N' },
      { code: 'c' },
      { status: 5 },
      { status: 6 },
      { cause: 'x' },
      { cause: { code: 'y' } },
    ];
    for (const more of [...kinds, ...kinds]) {
      log.record({ ...INPUT, error: error(more) });
      log.record({ ...INPUT, error: error(more) });
    }

    expect(log.groups().map(({ count }) => count)).toEqual([4, 4, 4, 4, 4, 4, 4]);
  });

  it('know how many a minute there are of late', async () => {
    const { log, fail, clock } = setUp();
    for (let i = 0; i < 600; i += 1) {
      fail('x');
      await clock.advance(1_000);
    }
    expect(log.groups()[0]!.perMinute).toBeCloseTo(59.5, 0);

    clock.jump(60_000);
    expect(log.groups()[0]!.perMinute).toBeCloseTo(59.5 / Math.E, 0);
  });

  it('#170 survive a step of the wall clock', () => {
    const { log, fail, clock } = setUp();
    for (let i = 0; i < 60; i += 1) {
      fail('x');
      clock.jump(1_000);
    }
    clock.stepWallClock(-3_600_000);
    const entry = fail('x');
    const [group] = log.groups();

    expect(entry.lastOccurrence).toBe(clock.epoch());
    expect(entry.firstOccurrence).toBe(clock.epoch() - 60_000);
    expect(group!.lastSeen).toBe(clock.epoch());
    expect(group!.firstSeen).toBe(clock.epoch() - 60_000);
    expect(group!.perMinute).toBeGreaterThan(30);
    expect(log.list()[0]!.id).toBe(entry.id); // newest first, whatever the clock says
  });

  it('#168 are at most 500, and the errors of those given up are still counted', () => {
    const { log, fail } = setUp();
    for (let i = 0; i < 5_000; i += 1) fail(word(i), { component: `C${i % 2_000}` });
    const { recorded, groups, other } = log.totals();
    const counted = log.groups().reduce((sum, { count }) => sum + count, 0);

    expect([recorded, groups, other.groups]).toEqual([5_000, 500, 4_500]);
    expect(counted + other.count).toBe(5_000);
  });

  it('give up first those that were not seen for longest', () => {
    const { log, fail } = setUp();
    fail('kept');
    for (let i = 0; i < 900; i += 1) {
      fail(`x${word(i)}`);
      if (i % 100 === 0) fail('kept');
    }

    expect(log.groups().find(({ template }) => template === 'kept')?.count).toBe(10);
    expect(log.groups().map(({ template }) => template)).not.toContain('xa');
  });

  it('of a component are not driven out by ever new ones of another', () => {
    const { log, fail } = setUp();
    for (let i = 0; i < 100; i += 1) fail(word(i), { component: 'Quiet.one' });
    for (let i = 0; i < 10_000; i += 1) fail(word(i), { component: 'Loud.one' });
    for (let i = 100; i < 150; i += 1) fail(word(i), { component: 'Quiet.one' });

    const quiet = log.groups().filter(({ component }) => component === 'Quiet.one');
    expect(quiet).toHaveLength(150);
  });
});

describe('what the error log keeps', () => {
  it('is the newest, up to the limit', () => {
    const { log, fail } = setUp({ limit: 10, perGroup: 100 });
    for (let i = 0; i < 50; i += 1) fail('x', { messageId: `m${i}` });

    const ids = log.list().map(({ messageId }) => messageId);
    // the first of a group is its sample
    expect(ids).toEqual(['m49', 'm48', 'm47', 'm46', 'm45', 'm44', 'm43', 'm42', 'm41', 'm0']);
    expect(log.totals()).toMatchObject({ recorded: 50, kept: 10 });
    expect(log.get('e2')).toBeUndefined();
    expect(log.get('e1')).toMatchObject({ messageId: 'm0' });
  });

  it('is 1,000 of those that came, unless told otherwise', () => {
    const { log, fail } = setUp();
    for (let i = 0; i < 3_000; i += 1) fail(word(i % 100));

    expect(log.totals().kept).toBe(1_000);
    expect(log.list({ limit: Infinity })).toHaveLength(1_000);
    expect(log.list()).toHaveLength(100);
  });

  it.each([1, 2, 3])('is one entry where the limit is one, and so on: %p', (limit) => {
    const { log, fail } = setUp({ limit });
    for (let i = 0; i < 9; i += 1) fail(word(i % 5));

    expect(log.totals().kept).toBe(limit);
    expect(log.list()[0]!.error.message).toBe('d');
  });

  it.each([1, 2, 20])('is at most so many of each kind: %p', (perGroup) => {
    const { log, fail } = setUp({ perGroup });
    for (let i = 0; i < 50; i += 1) fail('x');
    const [group] = log.groups();

    expect([group!.count, group!.kept, log.totals().kept]).toEqual([50, perGroup, perGroup]);
  });

  it('of others is not driven out by a storm of one kind', () => {
    const { log, fail } = setUp();
    for (let i = 0; i < 40; i += 1) for (let n = 0; n < 10; n += 1) fail(word(i));
    for (let i = 0; i < 20_000; i += 1) fail('storm');

    const others = log.groups().filter(({ template }) => template !== 'storm');
    expect(others.map(({ kept }) => kept)).toEqual(Array(40).fill(10));
    expect(log.groups()[0]).toMatchObject({ template: 'storm', count: 20_000, kept: 20 });
  });

  it('can be asked for by component, category and number', () => {
    const { log, fail } = setUp();
    fail('a');
    fail('b', { component: 'B.b' });
    fail('c', { component: 'B.b', classification: { category: 'timeout' } });
    const said = (...given: Parameters<ErrorLog['list']>): string[] =>
      log.list(...given).map(({ error }) => error.message);

    expect(said()).toEqual(['c', 'b', 'a']);
    expect(said({ component: 'B.b' })).toEqual(['c', 'b']);
    expect(said({ category: 'timeout' })).toEqual(['c']);
    expect(said({ component: 'B.b', category: 'communication' })).toEqual(['b']);
    expect(said({ limit: 1 })).toEqual(['c']);
    expect(said({ limit: 0 })).toEqual([]);
  });

  it('is found by its id and by no other', () => {
    const { log, fail } = setUp();
    fail('a');
    fail('a');

    expect(log.get('e2')?.occurrences).toBe(2);
    for (const id of ['e3', 'x2', '2', 'e02', 'e2 ', '']) expect(log.get(id)).toBeUndefined();
  });

  it('is nothing after a reset, and ids are not given again', () => {
    const { log, fail } = setUp({ limit: 3 });
    for (let i = 0; i < 9; i += 1) fail(word(i));
    log.reset();

    expect([log.list(), log.groups()]).toEqual([[], []]);
    expect(log.totals()).toEqual({
      recorded: 0,
      kept: 0,
      groups: 0,
      other: { groups: 0, count: 0 },
    });
    const entry = fail('a');
    expect(entry).toMatchObject({ id: 'ea', occurrences: 1 });
    expect(log.list()).toEqual([entry]);
  });

  it('cannot be changed by whoever was shown it', () => {
    const { log, fail } = setUp();
    fail('a');
    Object.assign(log.list()[0]!, { component: 'changed' });
    Object.assign(log.groups()[0]!.sample.error, { message: 'changed' });

    expect(JSON.stringify([log.list(), log.groups()])).not.toContain('changed');
  });

  it('#166 is redacted again when it is shown', () => {
    let strict = false;
    const redact = (text: string): string => (strict ? text.replaceAll('CANARY', '') : text);
    const { log, fail } = setUp({ redact, capture: () => ({ k: 'CANARY' }), stacks: 'all' });
    const error = new Error('CANARY', { cause: new Error('CANARY') });
    Object.assign(error, { name: 'CANARY', code: 'CANARY', stack: '\n    at CANARY' });
    const ids = {
      messageId: 'CANARY',
      correlationId: 'CANARY',
      traceId: 'CANARY',
      sessionId: 'CANARY',
    };
    const names = { component: 'CANARY', port: 'CANARY' };
    fail('', {
      error,
      ...ids,
      ...names,
      classification: { category: 'poison', rule: 'CANARY' },
      args: [],
    });
    expect(JSON.stringify(log.list()).match(/CANARY/g)!.length).toBeGreaterThan(12);

    strict = true;
    expect(JSON.stringify([log.list(), log.groups(), log.get('e1')])).not.toContain('CANARY');
  });
});

describe('a storm', () => {
  const characters = (log: ErrorLog): number =>
    sizeOf(log.list({ limit: Infinity })) + sizeOf(log.groups());

  it('#90 of errors with messages of 1 MB leaves less than 1 MB', () => {
    const { log } = setUp({ limit: 10_000, perGroup: 10_000 });
    const tail = 'x'.repeat(1_000_000);
    for (let i = 0; i < 300; i += 1)
      log.record({ ...INPUT, error: { message: `${word(i)} ${tail}` } });

    expect(log.totals().recorded).toBe(300);
    expect(characters(log)).toBeLessThan(1_000_000);
  });

  it('#90 of the largest entries there can be leaves less than 1 MB of them', () => {
    const random = seededRandom(7);
    const { log } = setUp({ limit: 10_000, perGroup: 10_000, stacks: 'all' });
    for (let i = 0; i < 500; i += 1) {
      const size = Math.floor(random() * 20_000);
      let error: unknown;
      for (let depth = 0; depth < 6; depth += 1)
        error = { message: `${word(i % 97)} ${'漢'.repeat(size)}`, cause: error, stack: '' };
      log.record({ ...INPUT, error, traceId: 't'.repeat(size), component: `C${i % 13}` });
    }
    const kept = log.list({ limit: Infinity });

    expect(2 * sizeOf(kept)).toBeLessThan(1_000_000);
    expect(kept.length).toBeGreaterThan(20);
  });

  it('#90 leaves the weight of nothing where nothing is kept any more', () => {
    const { log, fail } = setUp({ limit: 1 });
    for (let i = 0; i < 2_000; i += 1) fail(`${word(i)} ${'x'.repeat(i)}`);
    const narrow = setUp({ limit: 1_000 });
    for (let i = 0; i < 50_000; i += 1)
      narrow.fail(word(i % 700), { traceId: 'x'.repeat(i % 100) });

    expect((log as unknown as { weight: number }).weight).toBeLessThan(10_000);
    narrow.log.reset();
    for (let i = 0; i < 400; i += 1) narrow.fail(word(i));
    expect(narrow.log.totals().kept).toBe(400);
  });
});

describe('the options of the error log', () => {
  it.each<[ErrorLogOptions | undefined]>([
    [{}],
    [{ limit: undefined } as never],
    [{ ...ERROR_LOG_DEFAULTS, redact: (t) => t, capture: () => ({}) }],
  ])('are good: %p', (options) => {
    expect(checkErrorLog('errors log', options)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['limit', 0, 'got 0, expected a whole number from 1 to 10000'],
    ['limit', 10_001, 'got 10001, expected a whole number from 1 to 10000'],
    ['perGroup', 1.5, 'got 1.5, expected a whole number from 1 to 10000'],
    ['stacks', 'some', `got "some", expected 'first' or 'all' or 'none'`],
    ['redact', /x/, 'got a RegExp, expected a function'],
    ['capture', true, 'got true, expected a function'],
    ['limits', 5, 'unknown option; known are limit, perGroup, stacks, redact, capture'],
  ])('are bad: %s %p', (option, value, problem) => {
    expect(checkErrorLog('errors log', { [option]: value })).toEqual([
      { at: `errors log ${option}`, problem },
    ]);
  });
});
