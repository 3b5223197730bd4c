// What README and docs say of the code without running it: it compiles, and every table is the code's.
import { rmSync } from 'node:fs';
import * as bulwark from 'nestjs-bulwark';
import { FakeClock } from 'nestjs-bulwark/testing';
import { defaultClassifier } from '../../lib/errors/default-classifier.js';
import { RETRY_TABLE } from '../../lib/errors/retry-table.js';
import type { Mistake } from '../../lib/kernel/check.js';
import { emit } from '../../lib/pipeline/environment.js';
import { checkPolicies, type PolicySet } from '../../lib/pipeline/policy-set.js';
import {
  blocks,
  deadLinks,
  documents,
  section,
  table,
  Types,
  writeBlocks,
} from '../support/documents.js';

const { place, files } = writeBlocks();
const types = new Types(files);
afterAll(() => rmSync(place, { recursive: true, force: true }));

it('every block of code compiles in strict mode', () => {
  expect(blocks.length).toBeGreaterThan(12);
  expect(types.problems()).toEqual([]);
}, 60_000);

it.each([...documents.keys(), 'CHANGELOG.md', 'CONTRIBUTING.md', 'sample/banking-stage/README.md'])(
  'every link of %s to a file or a heading leads there',
  (path) => expect(deadLinks(path)).toEqual([]),
);

/** The page of a policy. */
const pageOf = (heading: string): string =>
  `docs/policies/${heading.toLowerCase().replaceAll(' ', '-')}.md`;

interface Policy {
  readonly heading: string;
  readonly type: string;
  readonly kind: keyof PolicySet;
  /** Options that have options of their own. */
  readonly nested?: readonly string[];
  readonly defaults: object;
  /** What must stand beside an option for it to be checked alone. */
  readonly beside?: object;
}

const TABLES: readonly Policy[] = [
  {
    heading: 'Fallback',
    type: 'FallbackOptions',
    kind: 'fallback',
    nested: ['cache'],
    defaults: { cache: bulwark.FALLBACK_CACHE_DEFAULTS },
  },
  {
    heading: 'Retry',
    type: 'RetryOptions',
    kind: 'retry',
    nested: ['budget'],
    defaults: { ...bulwark.RETRY_DEFAULTS, budget: bulwark.RETRY_BUDGET_DEFAULTS },
  },
  {
    heading: 'Circuit breaker',
    type: 'CircuitBreakerOptions',
    kind: 'circuitBreaker',
    nested: ['gradualClose'],
    defaults: {
      ...bulwark.CIRCUIT_BREAKER_DEFAULTS,
      'gradualClose.steps': bulwark.GRADUAL_CLOSE_DEFAULTS.steps,
      'gradualClose.calls': bulwark.GRADUAL_CLOSE_DEFAULTS.calls,
    },
    beside: { failureRate: 0.5, slowCallDuration: 100 },
  },
  {
    heading: 'Rate limit',
    type: 'RateLimitOptions',
    kind: 'rateLimit',
    defaults: bulwark.RATE_LIMIT_DEFAULTS,
    beside: { limit: 5 },
  },
  {
    heading: 'Time limit',
    type: 'TimeLimitOptions',
    kind: 'timeLimit',
    defaults: {},
    beside: { ms: 5 },
  },
  {
    heading: 'Bulkhead',
    type: 'BulkheadOptions',
    kind: 'bulkhead',
    defaults: bulwark.BULKHEAD_DEFAULTS,
  },
];

const rowsOf = (heading: string): Record<string, string>[] =>
  table(section(pageOf(heading), heading), 'Option');

/** `1 to 10`, `above 0 to 1`, `from 1`; what else is said of a range is prose. */
const RANGE = /^(above )?(?:from )?([\d,.⁹³¹ −]+?)(?: to ([\d,.⁹³¹ −]+))?$/;

/** `{ a: { b: 1 } }` as `a.b` and 1. */
function flat(defaults: object): [string, unknown][] {
  return Object.entries(defaults).flatMap(([option, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flat(value).map(([inner, v]): [string, unknown] => [`${option}.${inner}`, v])
      : [[option, value]],
  );
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}

describe.each(TABLES)(
  'the options of $heading',
  ({ heading, type, kind, nested = [], defaults, beside = {} }) => {
    const docs = new Map([
      ...types.properties(type),
      ...nested.flatMap((option) =>
        [...types.nested(type, option)].map(([inner, doc]) => [`${option}.${inner}`, doc] as const),
      ),
    ]);
    const rows = rowsOf(heading);

    it('are those of the code, each in one row', () => {
      expect(rows.map((row) => row['Option']!).toSorted()).toEqual([...docs.keys()].toSorted());
    });

    it('are documented in the code', () => {
      expect(
        [...docs].filter(([option, doc]) => doc === '' && !option.startsWith('budget.')),
      ).toEqual([]);
    });

    it('have the defaults of the code', () => {
      const told = new Map(rows.map((row) => [row['Option']!, row['Default']!]));
      for (const [option, value] of flat(defaults)) {
        const start = new RegExp(`^${shown(value).replaceAll('.', '\\.')}(?:$|[,:] )`);
        expect([option, told.get(option)]).toEqual([option, expect.stringMatching(start)]);
        told.delete(option);
      }
      // what has no constant in the code must not look as if it had
      const others = [...told].filter(([, text]) => /^[\d']/.test(text) && text !== '0');
      expect(others).toEqual(
        kind === 'bulkhead' ? [['maxHold', expect.stringMatching(/^5 × /)]] : [],
      );
    });

    it('have the defaults of the code in its own documentation too', () => {
      for (const [option, value] of flat(defaults)) {
        const doc = docs.get(option) ?? '';
        if (option === 'gradualClose' || typeof value === 'object' || doc === '') continue;
        expect([option, doc]).toEqual([option, expect.stringMatching(inWords(value))]);
      }
    });

    it.each(rows.filter((row) => RANGE.test(row['Range']!)))(
      '$Option has the range $Range',
      (row) => {
        const [, above, low, high] = RANGE.exec(row['Range']!)!;
        const option = row['Option']!;
        const [from, to] = [numberOf(low!), high === undefined ? undefined : numberOf(high)];
        const isShare = row['Unit'] === 'share';
        const step = isShare ? 0.001 : 1;

        const good = above === undefined ? from : from + step;
        const bad = above === undefined ? from - step : from;
        expect(mistakesAt(kind, option, good, beside)).toEqual([]);
        expect(mistakesAt(kind, option, bad, beside)).not.toEqual([]);
        if (to === undefined) return;
        expect(mistakesAt(kind, option, to, beside)).toEqual([]);
        expect(mistakesAt(kind, option, to + step, beside)).not.toEqual([]);
      },
    );
  },
);

function numberOf(text: string): number {
  if (text === '2³¹ − 1') return 2 ** 31 - 1;
  if (text === '10⁹') return 1e9;
  return Number(text.replaceAll(',', ''));
}

function mistakesAt(kind: string, option: string, value: unknown, beside: object): Mistake[] {
  const [outer, inner] = option.split('.') as [string, string | undefined];
  const cache = { ttl: 1, key: () => 'all' };
  const nested = outer === 'cache' ? { ...cache, [inner!]: value } : { [inner!]: value };
  const options = { ...beside, [outer]: inner === undefined ? value : nested };
  return checkPolicies('at', { [kind]: options });
}

/** A default as a docstring says it. */
function inWords(value: unknown): RegExp {
  const ways = [shown(value)];
  if (typeof value === 'number' && value >= 1_000) ways.push(`${value / 1_000} s`);
  if (typeof value === 'number' && value >= 60_000) ways.push(`${value / 60_000} min`);
  return new RegExp(`[Dd]efault[^.]*\\b(?:${ways.join('|').replaceAll('.', '\\.')})\\b`);
}

it('the plans of retry by category are those of the code', () => {
  const D = bulwark.RETRY_DEFAULTS;
  const classes = table(section(pageOf('Retry'), 'Retry'), 'Category');
  const told: Record<string, string>[] = classes.flatMap((row) =>
    row['Category']!.split(', ').map((category) => ({ ...row, Category: category })),
  );
  expect(told).toHaveLength(8);
  for (const row of told) {
    const plan = { ...D, ...RETRY_TABLE[row['Category'] as keyof typeof RETRY_TABLE] };
    for (const option of ['maxAttempts', 'delay', 'backoff', 'maxDelay'] as const)
      expect([row['Category'], option, row[option]]).toEqual([
        row['Category'],
        option,
        shown(plan[option]),
      ]);
  }
});

const make = {
  CircuitOpenError: () => new bulwark.CircuitOpenError('A.b', 'open', 1),
  RateLimitedError: () => new bulwark.RateLimitedError('A.b', 1),
  CallTimeoutError: () => new bulwark.CallTimeoutError('time-limit', 'A.b', 1, true),
  BulkheadFullError: () => new bulwark.BulkheadFullError('A.b', 1, 1),
  QueueTimeoutError: () => new bulwark.QueueTimeoutError('A.b', 1),
  BulkheadReentrancyError: () => new bulwark.BulkheadReentrancyError('A.b'),
  ComponentBusyError: () => new bulwark.ComponentBusyError('A.b', 'a', 1),
  ComponentDeadlockError: () => new bulwark.ComponentDeadlockError('A.b', 'a'),
  CheckpointUnavailableError: () => new bulwark.CheckpointUnavailableError('A.b', 'why'),
  ShuttingDownError: () => new bulwark.ShuttingDownError('A.b'),
  CommitUnknownError: () => new bulwark.CommitUnknownError('A.b', new Error('EIO')),
};

it('the errors are those of the code', () => {
  const rows = table(section('docs/errors-and-events.md', 'Errors we throw'), 'Error');
  const classes = Object.values(bulwark).filter(
    (value) =>
      typeof value === 'function' &&
      Object.prototype.isPrototypeOf.call(bulwark.ResilienceRejection.prototype, value.prototype),
  ) as { name: string }[];

  expect(rows.map((row) => row['Error']).toSorted()).toEqual(
    classes.map(({ name }) => name).toSorted(),
  );
  for (const row of rows) {
    const error = make[row['Error'] as keyof typeof make]();
    expect([row['code'], row['status']]).toEqual([error.code, String(error.status)]);
    expect([row['Error'], row['retryAfter'] === 'none']).toEqual([
      row['Error'],
      error.retryAfter === undefined,
    ]);
  }
});

it('the events are those of the code, with their severity and their facts', () => {
  const rows = table(section('docs/errors-and-events.md', 'Events'), 'Event');
  const variants = types.variants('ResilienceEvent', 'type');

  expect(rows.map((row) => row['Event']!).toSorted()).toEqual([...variants.keys()].toSorted());
  for (const row of rows) {
    const type = row['Event']!;
    const facts = variants
      .get(type)!
      .filter((name) => !['type', 'severity', 'target', 'at'].includes(name));
    const told = row['Besides'] === '' ? [] : row['Besides']!.split(', ');
    expect([type, told.toSorted()]).toEqual([type, facts.toSorted()]);
    const seen: { severity: string }[] = [];
    const env = {
      clock: new FakeClock(),
      bus: { wants: () => true, emit: (e: never) => seen.push(e) },
    };
    emit(env as never, { type } as never);
    expect([type, row['Severity']!.split(',')[0]]).toEqual([type, seen[0]!.severity]);
  }
});

const http = (...statuses: number[]): unknown[] =>
  statuses.map((status) => Object.assign(new Error('x'), { status }));
const coded = (...codes: string[]): unknown[] =>
  codes.map((code) => Object.assign(new Error('x'), { code }));
const named = (...names: string[]): unknown[] =>
  names.map((name) => Object.assign(new Error('x'), { name }));
const late = (blocked: boolean): unknown[] => [
  new bulwark.CallTimeoutError('time-limit', 'A.b', 1, true, false, { blocked }),
];

/** Errors that each row means, in the order of the table. */
const MEANT: readonly unknown[][] = [
  [new Error('x'), ...http(425)],
  [
    ...coded('ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND'),
    ...http(502),
    new TypeError('fetch failed', { cause: new Error('x') }),
  ],
  http(500, 503, 507, 599),
  [...coded('ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT'), ...named('TimeoutError'), ...http(408, 504)],
  [...coded('EMFILE', 'ENFILE', 'ENOMEM'), ...http(429)],
  http(501, 505),
  http(400, 404, 409, 422, 499),
  http(401, 403, 407),
  [TypeError, ReferenceError, SyntaxError, RangeError, EvalError, URIError].map((E) => new E('x')),
  named('AbortError'),
  (Object.keys(make) as (keyof typeof make)[])
    .filter((name) => name !== 'CallTimeoutError')
    .map((name) => make[name]()),
  late(false),
  late(true),
];

it('what an error means is what the classifier says', () => {
  const rows = table(section('docs/errors-and-events.md', 'What an error means'), 'Error');
  expect(rows).toHaveLength(MEANT.length);
  for (const [i, row] of rows.entries()) {
    for (const error of MEANT[i]!) {
      const { category, retryable, outcome, fallback } = defaultClassifier.classify(error);
      const what = `${row['Error']}: ${String(error)}`;
      const hides = outcome === 'cancelled' ? 'never' : fallback ? 'yes' : 'only if on lists it';
      expect([what, row['Category'], row['For the breaker'], row['A fallback may answer']]).toEqual(
        [what, category, outcome, hides],
      );
      expect([what, row['Retried'] === 'yes']).toEqual([what, retryable]);
    }
  }
});

it('what a category means is what it means by default', () => {
  const rows = table(section('docs/errors-and-events.md', 'Categories'), 'Category');
  const told = rows.map((row) => [
    row['Category'],
    row['Severity'],
    row['Retried'] === 'yes',
    row['For the breaker'],
  ]);
  const meant = Object.values(bulwark.CATEGORY_DEFAULTS).map(
    ({ category, severity, retryable, outcome }) => [category, severity, retryable, outcome],
  );
  expect(told.toSorted()).toEqual(meant.toSorted());
});

it('the table of the families has each that a rule may name', () => {
  const rows = table(section('docs/errors-and-events.md', 'Families of errors'), 'Family');
  const families = [
    ...['own', 'node-code', 'dns', 'tls', 'undici', 'fetch', 'axios', 'http-status', 'grpc'],
    ...['sqlstate', 'mysql', 'sqlite', 'mongodb', 'prisma', 'redis', 'kafka', 'aws', 'name'],
    'message',
  ];
  expect(rows.map((row) => row['Family'])).toEqual(families);
});

it('the table of a rule has each of its options', () => {
  const rows = table(section('docs/errors-and-events.md', 'Rules of your own'), 'Option');
  const options = [...types.properties('ClassifyMatch').keys()];
  expect(rows.map((row) => row['Option']!).toSorted()).toEqual(options.toSorted());
});

it.each([
  ['ResilienceConfig', 'Configuration'],
  ['HealthConfig', 'Health'],
])('the table of %s has each of its options, with its documented default', (type, heading) => {
  const rows = table(section('README.md', heading), 'Option');
  const docs = types.properties(type);

  expect(rows.map((row) => row['Option']!).toSorted()).toEqual([...docs.keys()].toSorted());
  for (const row of rows) {
    const told = row['Default']!;
    if (told === 'none' || told === '{}') continue;
    const value = /^[\d,]+/.test(told) ? numberOf(told.replace(' ms', '')) : told;
    expect([row['Option'], docs.get(row['Option']!)]).toEqual([
      row['Option'],
      expect.stringMatching(inWords(value)),
    ]);
  }
});

it.each([
  ['Component options', ['CheckpointComponentOptions', 'SnapshotOptions']],
  ['Method options', ['CheckpointOptions']],
  ['Module options', ['CheckpointConfig']],
])('the %s of docs/checkpoint.md are those of the code', (heading, [type, snapshot]) => {
  const rows = table(section('docs/checkpoint.md', heading), 'Option');
  const options = [...types.properties(type!).keys()].filter((option) => option !== 'snapshot');
  const nested = snapshot === undefined ? [] : [...types.properties(snapshot).keys()];
  expect(rows.map((row) => row['Option']!).toSorted()).toEqual(
    [...options, ...nested.map((option) => `snapshot.${option}`)].toSorted(),
  );
});

it('the options of docs/recovery.md are those of the code, with the same defaults', () => {
  const rows = table(section('docs/recovery.md', 'Options'), 'Option');
  const options = [...types.properties('RecoveryConfig').keys()].filter((o) => o !== 'shutdown');
  const shutdown = [...types.properties('ShutdownOptions').keys()].map((o) => `shutdown.${o}`);
  expect(rows.map((row) => row['Option']!).toSorted()).toEqual(
    [...options, ...shutdown].toSorted(),
  );
  const reconnect = table(section('docs/recovery.md', 'Connections'), 'Option');
  expect(reconnect.map((row) => row['Option']!).toSorted()).toEqual(
    [...types.properties('ReconnectOptions').keys()].toSorted(),
  );
  expect(reconnect.find((row) => row['Option'] === 'attempts')!['Default']).toBe(
    shown(bulwark.RECONNECT_DEFAULTS.attempts),
  );
});

describe.each([
  ['ErrorsConfig', '`errors: { … }`', {}],
  ['ErrorLogOptions', '`errors: { log: { … } }`', bulwark.ERROR_LOG_DEFAULTS],
] as const)('the options of the log of errors: %s', (type, from, defaults) => {
  const text = section('docs/errors-and-events.md', 'The log of errors');
  const rows = table(text.slice(text.indexOf(from)), 'Option');

  it('are those of the code, each in one row, with the same defaults', () => {
    const docs = types.properties(type);
    expect(rows.map((row) => row['Option']!).toSorted()).toEqual([...docs.keys()].toSorted());
    for (const [option, value] of Object.entries(defaults))
      expect(rows.find((row) => row['Option'] === option)!['Default']).toBe(shown(value));
  });
});
