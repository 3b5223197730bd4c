import { asItIs } from '../../../lib/pipeline/recorded-error.js';

describe('#84 a record of an error', () => {
  it('#84 says what the error said, whatever becomes of the error', () => {
    const cause = new Error('cause');
    const error = Object.assign(new RangeError('down', { cause }), { code: 'E1', status: 503 });
    const record = asItIs(error) as typeof error;

    Object.assign(error, { message: 'x', name: 'x', code: 'x', status: 1, cause: undefined });

    expect(record).toBeInstanceOf(RangeError);
    const { name, message, code, status } = record;
    expect({ name, message, code, status }).toEqual({
      name: 'RangeError',
      message: 'down',
      code: 'E1',
      status: 503,
    });
    expect(record.cause).toBe(cause);
    expect(String(record)).toBe('RangeError: down');
    expect(JSON.stringify(record)).toBe('{"code":"E1","status":503}');
  });

  it('#84 has no cause that the error gets later', () => {
    const error = new Error('down');
    const record = asItIs(error) as Error;

    expect('cause' in record).toBe(false);
    expect(record.stack).toBe(error.stack);
  });

  it.each<unknown>([undefined, null, 'text', 7])('%p is its own record', (error) => {
    expect(asItIs(error)).toBe(error);
  });

  it('a hostile error is left as it is', () => {
    const trap = (): never => {
      throw new Error('trap');
    };
    const error = new Proxy({}, { has: trap, get: trap });

    expect(asItIs(error)).toBe(error);
  });
});
