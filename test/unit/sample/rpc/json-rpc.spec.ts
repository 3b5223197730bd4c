import {
  arrangeParams,
  errorAnswer,
  idOf,
  parseBody,
  parseRequest,
  resultAnswer,
} from '../../../../sample/banking-stage/src/rpc/json-rpc.js';
import { RPC_CODES, RpcError } from '../../../../sample/banking-stage/src/rpc/rpc.error.js';

const request = { jsonrpc: '2.0', id: 1, method: 'getHealth' };

function reasonOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RpcError) return error.reason;
  }
  return 'none';
}

describe('JSON-RPC request', () => {
  it('has no params unless it brings some', () => {
    expect(parseRequest(request)).toEqual({ id: 1, method: 'getHealth', params: [] });
    expect(parseRequest({ ...request, params: { a: 1 } }).params).toEqual({ a: 1 });
  });

  it('is a notification without an id, but not with null for an id', () => {
    expect('id' in parseRequest({ jsonrpc: '2.0', method: 'm' })).toBe(false);
    expect(parseRequest({ ...request, id: null }).id).toBeNull();
  });

  it.each(['', '{', 'undefined', '{"a":1}}'])('is a parse error where the body is %j', (text) => {
    expect(reasonOf(() => parseBody(text))).toBe('parse-error');
  });

  it.each([
    ['null', null],
    ['a string', 'getHealth'],
    ['a number', 7],
    ['a batch', [request]],
    ['an empty batch', []],
    ['no version', { id: 1, method: 'm' }],
    ['another version', { ...request, jsonrpc: '1.0' }],
    ['no method', { jsonrpc: '2.0', id: 1 }],
    ['a method that is a number', { ...request, method: 1 }],
    ['params that are text', { ...request, params: 'x' }],
    ['params that are null', { ...request, params: null }],
    ['an id that is an object', { ...request, id: {} }],
    [
      'an id too large to be repeated',
      JSON.parse('{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}'),
    ],
    ['an id beyond numbers', JSON.parse('{"jsonrpc":"2.0","id":1e999,"method":"m"}')],
    [
      'all that it is in __proto__',
      JSON.parse('{"__proto__":{"jsonrpc":"2.0","id":1,"method":"m"}}'),
    ],
    ['an id that is true', { ...request, id: true }],
  ])('is invalid where it is %s', (_, body) => {
    expect(reasonOf(() => parseRequest(body))).toBe('invalid-request');
  });

  it('is answered under its id even where it is invalid, and else under null', () => {
    expect(idOf({ id: 'a', method: 1 })).toBe('a');
    expect(idOf({ id: {} })).toBeNull();
    expect(idOf('x')).toBeNull();
  });
});

describe('JSON-RPC params', () => {
  it('come by position or by name', () => {
    expect(arrangeParams(['a', 'b?'], [1])).toEqual([1, undefined]);
    expect(arrangeParams(['a', 'b?'], { b: 2, a: 1 })).toEqual([1, 2]);
  });

  it.each([
    ['one is missing', ['a'], []],
    ['one is missing by name', ['a'], {}],
    ['there are too many', ['a'], [1, 2]],
    ['one has a name nobody knows', ['a'], { a: 1, c: 2 }],
    ['one is called __proto__', ['a?'], JSON.parse('{"__proto__":1}')],
  ])('are refused where %s', (_, names, params) => {
    expect(reasonOf(() => arrangeParams(names, params))).toBe('invalid-params');
  });

  it("repeat no more of a stranger's name than can be read", () => {
    const name = 'x'.repeat(60_000);

    expect(() => arrangeParams(['a'], { [name]: 1 })).toThrow(/^takes \(a\), not "x{60}…"$/);
  });

  it('do not take what every object inherits for an argument', () => {
    expect(arrangeParams(['constructor?'], {})).toEqual([undefined]);
  });
});

describe('JSON-RPC answer', () => {
  it('carries a result, null where there is none', () => {
    expect(resultAnswer(1, 0)).toEqual({ jsonrpc: '2.0', id: 1, result: 0 });
    expect(resultAnswer(1, undefined)).toEqual({ jsonrpc: '2.0', id: 1, result: null });
  });

  it('carries an error with a code, and its reason beside the facts', () => {
    const error = new RpcError('insufficient-funds', 'no', { available: 1, reason: 'forged' });

    expect(errorAnswer('x', error)).toEqual({
      jsonrpc: '2.0',
      id: 'x',
      error: {
        code: -32_005,
        message: 'no',
        data: { available: 1, reason: 'insufficient-funds' },
      },
    });
  });

  it('has a code of its own for each reason', () => {
    const codes = Object.values(RPC_CODES);

    expect(new Set(codes).size).toBe(codes.length);
  });
});
