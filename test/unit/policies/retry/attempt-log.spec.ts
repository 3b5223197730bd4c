import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AttemptLog, type AttemptRecord } from '../../../../lib/policies/retry/attempt-log.js';

const logged = (error: unknown): AttemptRecord => {
  const log = new AttemptLog();
  log.add(1, error, 100);
  return log.records[0]!;
};

it('#58 keeps name, message, code, attempt and delay of each failed attempt', () => {
  const log = new AttemptLog();
  log.add(1, Object.assign(new TypeError('bad'), { code: 'EBAD' }), 100);
  log.add(2, new Error('worse'), 200);

  expect(log.records).toEqual([
    { attempt: 1, name: 'TypeError', message: 'bad', code: 'EBAD', delay: 100 },
    { attempt: 2, name: 'Error', message: 'worse', code: undefined, delay: 200 },
  ]);
});

it('#58 a code that is neither text nor a number is none', () => {
  for (const code of [['x'], {}, true, Symbol('s'), null])
    expect(logged(Object.assign(new Error('x'), { code })).code).toBeUndefined();
  expect(logged(Object.assign(new Error('x'), { code: 14 })).code).toBe('14');
});

it('#58 of 1,000 attempts it keeps ten: the first, and the nine newest', () => {
  const log = new AttemptLog();
  for (let i = 1; i <= 1_000; i += 1) log.add(i, new Error(`error ${i}`), i);

  expect(log.records.map(({ attempt }) => attempt)).toEqual([
    1, 992, 993, 994, 995, 996, 997, 998, 999, 1_000,
  ]);
});

it.each(['x', 'ж', '語', '🏦', '\u0000', '"', '\uD83C'])(
  '#58 an entry is at most 1 KB whatever it is made of: %j',
  (letter) => {
    const text = letter.repeat(100_000);
    const { name, message, code } = logged({ name: text, message: text, code: text });

    const bytes = [name, message, code!].map((part) => new TextEncoder().encode(part).length);
    expect(bytes.reduce((a, b) => a + b)).toBeLessThanOrEqual(1_024);
    expect([name.length, message.length, code!.length]).toEqual([40, 260, 40]);
    expect(message.startsWith(letter) && message.endsWith('…')).toBe(true);
  },
);

it('a text that just fits is not cut', () => {
  expect(logged(new Error('x'.repeat(260))).message).toBe('x'.repeat(260));
  expect(logged(new Error('x'.repeat(261))).message).toBe(`${'x'.repeat(259)}…`);
});

it.each([
  ['a string', 'down', { name: 'string', message: 'down' }],
  ['undefined', undefined, { name: 'undefined', message: 'undefined' }],
  ['null', null, { name: 'object', message: 'null' }],
  ['a number', 5, { name: 'number', message: '5' }],
  ['a symbol', Symbol('x'), { name: 'symbol', message: 'Symbol(x)' }],
  ['an object', { code: 5 }, { name: 'object', message: 'an object', code: '5' }],
  ['a message that is no text', { message: { deep: 1 } }, { message: 'an object' }],
  ['a code that is no text', { message: 'm', code: {} }, { message: 'm', code: undefined }],
])('%s is told in words', (_name, error, words) => {
  expect(logged(error)).toMatchObject(words);
});

it('errors that throw when looked at leave an empty entry', () => {
  const no = (): never => {
    throw new Error('no');
  };
  const bag = Object.defineProperties(new Error('x'), {
    name: { get: no },
    message: { get: no },
    code: { get: no },
  });
  const proxy = new Proxy({}, { get: no, getPrototypeOf: no });

  for (const error of [bag, proxy]) {
    const empty = { attempt: 1, name: 'object', message: '', code: undefined, delay: 100 };
    expect(logged(error)).toEqual(empty);
  }
});

it('#90 keeps neither the errors nor the long texts they came with', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const logs = Array.from({ length: 20 }, () => new AttemptLog());
  gc();
  const before = process.memoryUsage().heapUsed;

  for (const [i, log] of logs.entries()) {
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      // flat text of its own, as a parser or a socket gives it
      const message = Array.from({ length: 100_000 }, (_, n) => (n * 31 + i) % 10).join('');
      log.add(attempt, Object.assign(new Error(message), { stack: '', buffer: message }), 1);
    }
  }
  gc();

  expect(logs.every(({ records }) => records.length === 5)).toBe(true);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(3_000_000); // of 10 MB
});
