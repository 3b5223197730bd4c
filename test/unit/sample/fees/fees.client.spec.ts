import {
  FeesClient,
  PROVISIONAL_FEE,
  PROVISIONAL_LIMIT,
} from '../../../../sample/banking-stage/src/fees/fees.client.js';
import { quoteFrom } from '../../../../sample/banking-stage/src/fees/quote.js';
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
    allocations: [],
    validator: alice.address,
  });

  it('is given up to the limit', async () => {
    const quote = await client.provisionalQuote(new Error(), pay(alice, bob, PROVISIONAL_LIMIT));

    expect(quote).toEqual({ fee: PROVISIONAL_FEE, verdict: 'provisional' });
  });

  it('is refused above the limit', async () => {
    const large = pay(alice, bob, PROVISIONAL_LIMIT + 1);

    await expect(client.provisionalQuote(new Error(), large)).rejects.toMatchObject({
      reason: 'compliance-unavailable',
      facts: { limit: PROVISIONAL_LIMIT },
    });
  });

  it('is never cheaper than the real one', () => {
    for (let amount = 1; amount <= PROVISIONAL_LIMIT; amount++) {
      expect(feeFor(amount)).toBeLessThanOrEqual(PROVISIONAL_FEE);
    }
  });
});
