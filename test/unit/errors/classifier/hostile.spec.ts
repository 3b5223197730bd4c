import { defaultClassifier } from '../../../../lib/errors/default-classifier.js';
import { makeClassifier } from '../../../../lib/errors/classifier/classifier.js';
import { HOSTILE } from '../../../support/hostile-errors.js';
import { system } from './driver-errors.js';

const classify = (error: unknown): string => defaultClassifier.classify(error).rule;

const throwing = (): never => {
  throw new Error('gotcha');
};

/** An error that counts what is read of it. */
function counted(error: object): { error: object; reads: Map<string, number> } {
  const reads = new Map<string, number>();
  const proxy = new Proxy(error, {
    get(target, key, receiver): unknown {
      reads.set(String(key), (reads.get(String(key)) ?? 0) + 1);
      return Reflect.get(target, key, receiver);
    },
  });
  return { error: proxy, reads };
}

it.each(HOSTILE)('#163 %s is classified, and by nothing worse than not at all', (_name, make) => {
  expect(() => defaultClassifier.classify(make())).not.toThrow();
  expect(defaultClassifier.classify(make()).outcome).toBe('failure');
});

it('#163 a getter that throws hides itself and no more', () => {
  const half = Object.defineProperties(new Error('x'), {
    code: { get: throwing },
    response: { get: throwing },
    status: { value: 403 },
  });
  const deep = Object.defineProperty(new Error('x'), 'cause', { get: throwing });
  const asked = Object.assign(new Error('x'), { getStatus: throwing, status: 503 });

  expect(classify(half)).toBe('http-status 403');
  expect(classify(deep)).toBe('unknown');
  expect(classify(asked)).toBe('http-status 503');
});

it.each([
  ['a plain error', new Error('x')],
  ['a gRPC error', Object.assign(new Error('x'), { code: 14, details: 'x', metadata: {} })],
  ['an error of Mongo', Object.assign(new Error('x'), { name: 'MongoServerError' })],
  ['an error of Kafka', Object.assign(new Error('x'), { name: 'KafkaJSProtocolError', type: 'x' })],
  ['an error of Redis', Object.assign(new Error('x y'), { name: 'ReplyError' })],
  ['an error of AWS', Object.assign(new Error('x'), { $metadata: {}, $fault: 'server' })],
  ['an error of axios', Object.assign(new Error('x'), { code: 'ECONNABORTED' })],
  ['an AggregateError', new AggregateError([new Error('x'), 'y'])],
  ['a RangeError', new RangeError('x', { cause: 'y' })],
  ['an error of MySQL', Object.assign(new Error('x'), { sqlState: 'HY000', errno: 1 })],
])('#163 of %s no property is read twice', (_name, original) => {
  const { error, reads } = counted(original);

  defaultClassifier.classify(error);

  expect([...reads].filter(([, times]) => times > 1)).toEqual([]);
  expect(reads.size).toBeGreaterThan(2);
});

it('#163 of a cycle of causes nothing is read that was not read of five errors', () => {
  const { error, reads } = counted(new Error('x'));
  Object.assign(error, { cause: error });

  expect(classify(error)).toBe('unknown');
  expect(Math.max(...reads.values())).toBe(5);
});

it('a cause is followed to the fifth error and no further', () => {
  const under = (depth: number): Error =>
    depth === 0 ? system('ECONNRESET') : new Error('x', { cause: under(depth - 1) });

  expect(classify(under(4))).toBe('node-code ECONNRESET');
  expect(classify(under(5))).toBe('unknown');
});

it('the outermost error that says something wins', () => {
  const forbidden = Object.assign(new Error('x'), { status: 403 });

  expect(classify(Object.assign(new Error('x', { cause: forbidden }), { status: 503 }))).toBe(
    'http-status 503',
  );
  expect(classify(new Error('x', { cause: forbidden }))).toBe('http-status 403');
});

describe('of an AggregateError', () => {
  const status = (code: number): Error => Object.assign(new Error('x'), { status: code });
  const aborted = new DOMException('x', 'AbortError');

  it.each<[string, unknown[], string]>([
    [
      'all that may be asked again: the first',
      [status(503), system('ECONNRESET')],
      'http-status 503',
    ],
    ['one that may not', [status(503), status(404), status(422)], 'http-status 4xx'],
    [
      'one that may not, and is to blame',
      [status(503), status(404), status(501)],
      'http-status 501',
    ],
    [
      'a refusal of access',
      [new TypeError('x'), aborted, status(501), status(401)],
      'http-status 401',
    ],
    ['a mistake in a program', [status(501), aborted, new TypeError('x')], 'name TypeError'],
    ['a cancellation', [status(501), aborted, status(503)], 'name AbortError'],
    ['one that is known among others', [new Error('x'), 'y'], 'unknown'],
    ['none', [], 'unknown'],
    ['one within another', [new AggregateError([status(403)])], 'http-status 403'],
    [
      'its tenth',
      [...Array.from({ length: 9 }, () => status(503)), status(403)],
      'http-status 403',
    ],
    [
      'but not its eleventh',
      [...Array.from({ length: 10 }, () => status(503)), status(403)],
      'http-status 503',
    ],
  ])('%s decides', (_name, errors, rule) => {
    expect(classify(new AggregateError(errors))).toBe(rule);
  });

  it('what it says itself comes before its members, and these before its cause', () => {
    const members = [status(404)];
    expect(classify(Object.assign(new AggregateError(members), { code: 'ECONNREFUSED' }))).toBe(
      'node-code ECONNREFUSED',
    );
    const cause = status(403);
    expect(classify(Object.assign(new AggregateError(members), { cause }))).toBe('http-status 4xx');
    expect(classify(Object.assign(new AggregateError([new Error('x')]), { cause }))).toBe(
      'http-status 403',
    );
  });

  it('a class of its own with a name of its own is one too, and what is only called so', () => {
    class AllFailed extends AggregateError {
      override readonly name = 'AllFailed';
    }
    const alike = Object.assign(new Error('x'), { name: 'AggregateError', errors: [status(403)] });

    expect(classify(new AllFailed([status(403)]))).toBe('http-status 403');
    expect(classify(alike)).toBe('http-status 403');
    expect(classify(Object.assign(new Error('x'), { errors: [status(403)] }))).toBe('unknown');
  });

  it('all members together are ten, however they are nested', () => {
    let read = 0;
    const member = (): object => ({
      get name(): string {
        read += 1;
        return 'x';
      },
    });
    const nest = (): AggregateError => new AggregateError([member(), member(), member(), member()]);

    classify(new AggregateError([nest(), nest(), nest(), nest(), nest(), nest()]));

    expect(read).toBeLessThanOrEqual(10);
  });
});

it.each(HOSTILE)('#163 rules that cannot cope with %s are passed over', (_name, make) => {
  const reports: unknown[] = [];
  const { classify } = makeClassifier({
    classify: [
      (error) => ((error as { message: string }).message.length > 1e9 ? 'poison' : undefined),
      { match: 'NO_SUCH_CODE', category: 'poison' },
    ],
    report: (...heard) => reports.push(heard),
  });

  expect(() => classify(make())).not.toThrow();
  expect(classify(make()).category).not.toBe('poison');
});
