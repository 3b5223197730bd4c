import { HttpException } from '@nestjs/common';
import { retryAfterOf } from '../../../lib/errors/retry-after.js';
import { CircuitOpenError } from '../../../lib/policies/circuit-breaker/circuit-open.error.js';

const NOW = Date.UTC(2030, 0, 1);
const after = (error: unknown): number | undefined => retryAfterOf(error, NOW);
const withHeaders = (headers: unknown): Error => Object.assign(new Error('x'), { headers });
const saying = (value: unknown): Error => withHeaders({ 'retry-after': value });

/** As axios has it: an object with a case-insensitive `get`. */
class AxiosHeaders {
  constructor(readonly values: Record<string, string>) {}

  get(name: string): string | undefined {
    return this.values[name.toLowerCase()];
  }
}

it.each<[string, unknown]>([
  [
    'fetch, an error with the response',
    { response: new Response('', { headers: { 'Retry-After': '7' } }) },
  ],
  ['fetch, the response itself thrown', new Response('', { headers: { 'Retry-After': '7' } })],
  ['undici and http-errors, headers of the error', saying('7')],
  ['axios, plain headers', { response: { status: 503, headers: { 'retry-after': '7' } } }],
  ['axios, AxiosHeaders', { response: { headers: new AxiosHeaders({ 'retry-after': '7' }) } }],
  ['got', { response: { statusCode: 503, headers: { 'retry-after': '7' } } }],
  ['headers as they are written', withHeaders({ 'Retry-After': 7 })],
  ['a header that came twice', withHeaders({ 'retry-after': ['7', '9'] })],
  ['a Map', withHeaders(new Map([['retry-after', '7']]))],
  ['the AWS SDK', { $response: { headers: { 'retry-after': '7' } } }],
  ['HttpException', new HttpException({ message: 'x', headers: { 'Retry-After': '7' } }, 429)],
  ['our own refusal', new CircuitOpenError('X', 'open', 7_000)],
  ['milliseconds', withHeaders({ 'retry-after-ms': '7000', 'retry-after': '9' })],
  ['milliseconds by fetch', { headers: new Headers({ 'Retry-After-Ms': '6999.5' }) }],
  [
    'google-gax',
    { code: 14, statusDetails: [{ reason: 'x' }, { retryDelay: { seconds: '6', nanos: 1e9 } }] },
  ],
  [
    'google-gax with a Long',
    { statusDetails: [{ retryDelay: { seconds: { valueOf: () => 7 } } }] },
  ],
  ['JSON of a Google API', { details: [{ '@type': 'x' }, { retryDelay: '7s' }] }],
  ['JSON with a fraction', { details: [{ retryDelay: '6.9995s' }] }],
  ['a cause', new Error('wrapped', { cause: new Error('again', { cause: saying('7') }) })],
])('reads %s', (_name, error) => {
  expect(after(error)).toBe(7_000);
});

it.each<[string, number]>([
  ['Tue, 01 Jan 2030 00:00:07 GMT', 7_000],
  ['Wed, 02 Jan 2030 00:00:00 GMT', 86_400_000],
  ['Tuesday, 01-Jan-30 00:00:07 GMT', 7_000],
  ['Tue Jan  1 00:00:07 2030', 7_000],
  ['Tue Jan 11 00:00:00 2030', 864_000_000],
  ['Mon, 31 Dec 2029 23:59:60 GMT', 0],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['Thursday, 01-Jan-70 00:00:00 GMT', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59) - NOW],
])('#48 the date %s is %d ms away', (date, ms) => {
  expect(after(saying(date))).toBe(ms);
});

it('dates are those of the calendar, leap years and all', () => {
  for (let day = 0; day < 60_000; day += 13) {
    const at = NOW + day * 86_400_000 + 12_345_000;
    expect(retryAfterOf(saying(new Date(at).toUTCString()), NOW)).toBe(at - NOW);
    expect(retryAfterOf(saying(new Date(at).toUTCString()), at - 1)).toBe(1);
  }
});

it.each<[string, number]>([
  ['0', 0],
  ['5', 5_000],
  [' 5 ', 5_000],
  ['0.25', 250],
  ['0.0001', 1],
  ['99999999999', 99_999_999_999_000],
  ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
])('#48 %j seconds are %d ms', (value, ms) => {
  expect(after(saying(value))).toBe(ms);
});

it.each<unknown>([
  '-1',
  '1e400',
  'NaN',
  'Infinity',
  '0x10',
  '<script>',
  '',
  ' ',
  '5 s',
  '5, 6',
  '1_000',
  '5.',
  '.5',
  'Tue, 32 Jan 2030 00:00:07 GMT',
  'Tue, 00 Jan 2030 00:00:07 GMT',
  'Tue, 01 Foo 2030 00:00:07 GMT',
  'Tue, 01 anF 2030 00:00:07 GMT',
  'Tue, 01 Jan 2030 24:00:07 GMT',
  'Tue, 01 Jan 2030 00:00:07 CET',
  'Tue, 01 Jan 2030 00:00:07 GMT, 5',
  '2030-01-01T00:00:07Z',
  'soon 12',
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e308,
  true,
  null,
  {},
  [],
  5n,
  Symbol('5'),
  () => '5',
])('#48 %p says nothing', (value) => {
  expect(after(saying(value))).toBeUndefined();
});

it('nonsense in one place does not hide sense in another', () => {
  expect(after(withHeaders({ 'retry-after-ms': '-5', 'retry-after': '7' }))).toBe(7_000);
  const error = Object.assign(saying('soon'), { response: { headers: { 'retry-after': '7' } } });
  expect(after(error)).toBe(7_000);
  expect(after(new Error('x', { cause: saying('7') }))).toBe(7_000);
});

it('a refusal of ours says when, else what caused it may', () => {
  const refusal = Object.assign(new CircuitOpenError('X', 'isolated'), { cause: saying('7') });

  expect(after(refusal)).toBe(7_000);
  expect(after(new Error('x', { cause: new CircuitOpenError('X', 'open', 1.5) }))).toBe(2);
});

it('retryAfter of others has no unit that we know', () => {
  expect(after({ retryAfter: 7 })).toBeUndefined();
});

it('follows causes five deep and no circle', () => {
  const chain = (depth: number): unknown =>
    depth === 0 ? saying('7') : new Error('x', { cause: chain(depth - 1) });
  const round: { cause?: unknown } = {};
  round.cause = { cause: round };

  expect([4, 5].map((depth) => after(chain(depth)))).toEqual([7_000, undefined]);
  expect(after(round)).toBeUndefined();
});

it.each<[string, unknown]>([
  ['an empty list', []],
  ['no list', 'RetryInfo'],
  ['nothing of use', [null, 5, 'x', {}, { retryDelay: 5 }, { retryDelay: '5m' }]],
  ['a delay below zero', [{ retryDelay: { seconds: -5 } }]],
  ['a delay that is no number', [{ retryDelay: { seconds: 'x' } }]],
  ['a delay of text below zero', [{ retryDelay: '-5s' }]],
  ['too many details', [...Array.from({ length: 20 }, () => ({})), { retryDelay: '7s' }]],
])('details of gRPC with %s say nothing', (_name, details) => {
  expect(after({ details })).toBeUndefined();
});

const no = (): never => {
  throw new Error('no');
};

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a string', 'Retry-After: 5'],
  ['a number', 5],
  ['headers that throw', Object.defineProperty(new Error('x'), 'headers', { get: no })],
  ['a header that throws', withHeaders(Object.defineProperty({}, 'retry-after', { get: no }))],
  ['a get that throws', withHeaders({ get: no })],
  [
    'a response that throws',
    {
      get response() {
        return no();
      },
    },
  ],
  [
    'a cause that throws',
    {
      get cause() {
        return no();
      },
    },
  ],
  ['a delay that throws', { details: [{ retryDelay: { seconds: { valueOf: no } } }] }],
  ['a proxy', new Proxy({}, { get: no, has: no, getPrototypeOf: no, ownKeys: no })],
  ['headers that are a proxy', withHeaders(new Proxy({}, { get: no }))],
  ['headers that are no object', withHeaders('retry-after: 5')],
  ['headers of null', withHeaders(null)],
  ['a response of text', { response: 'retry-after: 5' }],
  ['a list with a hostile length', { details: new Proxy([], { get: no }) }],
  ['__proto__ polluted by JSON', JSON.parse('{"headers":{"__proto__":{"retry-after":"5"}}}')],
])('#48 %s does no harm', (_name, error) => {
  expect(() => after(error)).not.toThrow();
  expect(after(error)).toBeUndefined();
});
