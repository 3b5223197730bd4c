import { request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { text } from 'node:stream/consumers';
import { Integrity } from '../../sample/banking-stage/src/integrity/integrity.js';
import { MAX_BATCH } from '../../sample/banking-stage/src/rpc/json-rpc.js';
import { BODY_LIMIT } from '../../sample/banking-stage/src/rpc/read-body.js';
import { PATIENCE, ServedWorld } from '../unit/sample/served-world.js';

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Got {
  readonly status: number | undefined;
  readonly allow: string | undefined;
  readonly body: unknown;
}

const HEIGHT = '{"jsonrpc":"2.0","id":1,"method":"getBlock","params":[0]}';
const JSON_TYPE = { 'content-type': 'application/json' };

let world: ServedWorld;

beforeAll(async () => {
  world = await ServedWorld.open();
}, PATIENCE);

afterEach(async () => {
  expect(world.app.get(Integrity).all()).toEqual([]);
  expect(await world.rpc.call('getBlock', 0)).toMatchObject({ height: 0 });
  expect(Object.keys(Object.prototype)).toEqual([]);
});

afterAll(() => world.close());

/** Not fetch: it would tidy up what it is given. */
function send({
  method = 'POST',
  path = '/rpc',
  headers = JSON_TYPE,
  body = HEIGHT,
}: Sent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request(`${world.nodeUrl}/`, { method, path, headers }, (response) => {
      text(response)
        .then((answer) => {
          const { statusCode: status, headers: got } = response;
          resolve({ status, allow: got.allow, body: answer === '' ? '' : JSON.parse(answer) });
        })
        .catch(reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function problem(code: number, reason: string): unknown {
  return {
    jsonrpc: '2.0',
    id: null,
    error: { code, message: expect.any(String), data: { reason } },
  };
}

const INVALID = problem(-32_600, 'invalid-request');
const PARSE_ERROR = problem(-32_700, 'parse-error');

describe('JSON-RPC over HTTP', () => {
  it.each(['/rpc', '/rpc/', '/RPC', '/Rpc/', '/rpc?a=1', 'http://example.com/rpc'])(
    'is served at %s',
    async (path) => {
      expect(await send({ path })).toMatchObject({ status: 200, body: { id: 1, result: {} } });
      expect(await send({ path, body: '{' })).toMatchObject({ status: 200, body: PARSE_ERROR });
    },
  );

  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('is not spoken by %s', async (method) => {
    expect(await send({ method, body: '' })).toEqual({ status: 405, allow: 'POST', body: INVALID });
  });

  it.each([
    ['application/json'],
    ['Application/JSON; charset=UTF-8'],
    ['application/json;charset="utf-8"'],
  ])('takes %s', async (type) => {
    expect((await send({ headers: { 'content-type': type } })).status).toBe(200);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['no type', {}],
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['another charset', { 'content-type': 'application/json; charset=utf-16' }],
    ['an unknown charset', { 'content-type': 'application/json; charset=klingon' }],
    ['a type that only begins like it', { 'content-type': 'application/jsonp' }],
    ['an unknown encoding', { ...JSON_TYPE, 'content-encoding': 'zip' }],
  ])('refuses %s with 415', async (_, headers) => {
    expect(await send({ headers })).toMatchObject({ status: 415, body: INVALID });
  });

  it('refuses what is compressed with 415, and so never inflates a bomb', async () => {
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };

    const got = await send({ headers, body: gzipSync(' '.repeat(50_000_000)) });

    expect(got).toMatchObject({ status: 415, body: INVALID });
  });

  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['broken JSON', '{"jsonrpc":'],
    ['NaN', HEIGHT.replace('[0]', '[NaN]')],
    ['brackets 30,000 deep and not closed', '['.repeat(30_000)],
    ['bytes that are not UTF-8', Buffer.from(HEIGHT.replace('"id":1', '"id":"\xff"'), 'latin1')],
  ])('answers %s as a parse error', async (_, body) => {
    expect(await send({ body })).toMatchObject({ status: 200, body: PARSE_ERROR });
  });

  it.each<[string, string]>([
    ['null', 'null'],
    ['a number', '7'],
    ['text', '"getBlock"'],
    ['true', 'true'],
    ['an empty batch', '[]'],
    [
      'a batch that is too long',
      `[${Array(MAX_BATCH + 1)
        .fill(HEIGHT)
        .join(',')}]`,
    ],
    ['an id that JSON does not carry', HEIGHT.replace('"id":1', '"id":9007199254740993')],
    ['a request inside __proto__', `{"__proto__":${HEIGHT}}`],
    ['a request inside constructor', `{"constructor":{"prototype":${HEIGHT}}}`],
  ])('answers %s as an invalid request', async (_, body) => {
    expect(await send({ body })).toMatchObject({ status: 200, body: INVALID });
  });

  it('answers a batch item by item', async () => {
    const nested = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;

    const { body } = await send({ body: `[1,${HEIGHT},${nested},{"__proto__":{"id":5}}]` });

    expect(body).toEqual([
      INVALID,
      { jsonrpc: '2.0', id: 1, result: expect.objectContaining({ height: 0 }) },
      INVALID,
      INVALID,
    ]);
  });

  it.each([
    '{"__proto__":{"height":0}}',
    '{"constructor":{"prototype":{"height":0}}}',
    '{"height":{"__proto__":{"polluted":1}}}',
    '{"height":0,"__proto__":{"polluted":1}}',
    '[{"__proto__":{"polluted":1}}]',
  ])('refuses the params %s', async (params) => {
    const { body } = await send({ body: HEIGHT.replace('[0]', params) });

    expect(body).toMatchObject({ id: 1, error: { code: -32_602 } });
  });

  it('takes a body up to its limit and refuses one byte more with 413', async () => {
    const padded = (length: number): string => HEIGHT.padEnd(length);

    expect(await send({ body: padded(BODY_LIMIT) })).toMatchObject({ status: 200 });
    expect(await send({ body: padded(BODY_LIMIT + 1) })).toMatchObject({
      status: 413,
      body: INVALID,
    });
  });

  it.each(['content-length', 'transfer-encoding'])(
    'refuses ten megabytes with 413, announced by %s',
    async (header) => {
      const body = Buffer.alloc(10_000_000, ' ');
      const value = header === 'content-length' ? String(body.length) : 'chunked';

      const got = await send({ headers: { ...JSON_TYPE, [header]: value }, body });

      expect(got).toMatchObject({ status: 413, body: INVALID });
    },
  );

  it('does not wait for who sends its request drop by drop', () => {
    // Node itself looks for them every 30 seconds, which is too long for a test to watch.
    const { headersTimeout, requestTimeout } = world.app.getHttpServer();

    expect(headersTimeout).toBeLessThanOrEqual(5_000);
    expect(requestTimeout).toBeLessThanOrEqual(10_000);
  });

  it('goes on when a client hangs up in mid-sentence', async () => {
    const { port } = new URL(world.nodeUrl);
    const socket = connect(Number(port), '127.0.0.1');
    const head = `POST /rpc HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"js`;

    await new Promise<void>((resolve) => socket.write(head, () => resolve()));
    socket.destroy();

    expect(await send({})).toMatchObject({ status: 200 });
  });
});
