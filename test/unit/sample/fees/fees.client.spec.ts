import { CallTimeoutError, CircuitOpenError } from 'nestjs-bulwark';
import {
  FeesClient,
  PROVISIONAL_FEE,
  PROVISIONAL_LIMIT,
} from '../../../../sample/banking-stage/src/fees/fees.client.js';
import { quoteFrom } from '../../../../sample/banking-stage/src/fees/quote.js';
import { UpstreamAnswerError } from '../../../../sample/banking-stage/src/fees/upstream-answer.error.js';
import { SETTINGS_DEFAULTS } from '../../../../sample/banking-stage/src/settings.js';
import { feeFor } from '../../../../sample/banking-stage/src/upstream/tariff.js';
import { alice, bob, pay } from '../people.js';

describe('a quote from upstream', () => {
  it('is taken with its fee and verdict and nothing else', () => {
    expect(quoteFrom('{"fee":3,"verdict":"blocked","more":1}')).toEqual({
      fee: 3,
      verdict: 'blocked',
    });
  });

  it.each([
    '',
    '<html>',
    'null',
    '[]',
    '{}',
    '{"fee":-1,"verdict":"cleared"}',
    '{"fee":1.5,"verdict":"cleared"}',
    '{"fee":"1","verdict":"cleared"}',
    '{"fee":1,"verdict":"perhaps"}',
    '{"fee":1,"verdict":"provisional"}',
  ])('is a bad gateway, worth another attempt, where it is %j', (text) => {
    expect(() => quoteFrom(text)).toThrow(expect.objectContaining({ status: 502 }));
  });
});

describe('a provisional quote', () => {
  const client = new FeesClient({
    ...SETTINGS_DEFAULTS,
    upstreamUrl: 'http://127.0.0.1:1',
    dataDirectory: 'unused',
    allocations: [],
    validator: alice.address,
  });

  const broken = (code: string): Error =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
  const away = new CircuitOpenError('FeesClient.quote', 'open', 700.5);

  it.each([
    ['the breaker is open', away],
    ['the connection is refused', broken('ECONNREFUSED')],
    ['the connection is cut', broken('UND_ERR_SOCKET')],
  ])('is given up to the limit where %s', async (_, error) => {
    const quote = await client.provisionalQuote(error, pay(alice, bob, PROVISIONAL_LIMIT));

    expect(quote).toEqual({ fee: PROVISIONAL_FEE, verdict: 'provisional' });
  });

  it.each([
    ['we stopped waiting', new CallTimeoutError('time-limit', 'FeesClient.quote', 300, true)],
    ['we ran out of time in a queue', new CallTimeoutError('time-limit', 'quote', 300, false)],
    ['all attempts took too long', new CallTimeoutError('retry', 'quote', 2_000, true)],
    ['it failed on this request', new UpstreamAnswerError(500, 'boom')],
    ['it did not like this request', new UpstreamAnswerError(400, 'what?')],
    ['it answered garbage', new UpstreamAnswerError(502, 'not a quote')],
    ['we have no sockets left', broken('EMFILE')],
    ['nobody knows why', new Error()],
    ['something that is no error was thrown', undefined],
  ])('is not given where %s', async (_, error) => {
    await expect(client.provisionalQuote(error, pay(alice, bob, 1))).rejects.toMatchObject({
      reason: 'compliance-unavailable',
    });
  });

  it('is refused above the limit', async () => {
    const large = pay(alice, bob, PROVISIONAL_LIMIT + 1);

    await expect(client.provisionalQuote(away, large)).rejects.toMatchObject({
      reason: 'compliance-unavailable',
      facts: { limit: PROVISIONAL_LIMIT, retryAfter: 701 },
    });
  });

  it('is never cheaper than the real one', () => {
    for (let amount = 1; amount <= PROVISIONAL_LIMIT; amount++) {
      expect(feeFor(amount)).toBeLessThanOrEqual(PROVISIONAL_FEE);
    }
  });
});
