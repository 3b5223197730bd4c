import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  currentCall,
  Fallback,
  isResilienceRejection,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { NodeSettings } from '../settings.js';
import { TransactionRefusedError } from '../transaction/transaction-refused.error.js';
import type { Payment } from '../transaction/transaction.js';
import { quoteFrom } from './quote.js';
import type { Quote } from './quote.js';
import { UpstreamAnswerError } from './upstream-answer.error.js';

/** What a payment may be worth and still be accepted without having asked compliance. */
export const PROVISIONAL_LIMIT = 1_000;
/** The dearest quote there is up to that limit: nobody gains by waiting for an outage. */
export const PROVISIONAL_FEE = 11;

@Injectable()
export class FeesClient {
  constructor(private readonly settings: NodeSettings) {}

  /** Asking twice does no harm (`idempotent`): a quote changes nothing over there. */
  @Fallback({ method: 'provisionalQuote' })
  @Retry({ maxAttempts: 3, delay: 50, idempotent: true, totalTimeout: 2_000 })
  @CircuitBreaker({ failureThreshold: 5, openFor: 1_000, maxOpenFor: 2_000, successThreshold: 2 })
  @TimeLimit(300)
  @Bulkhead({ maxConcurrent: 32, maxQueue: 256 })
  async quote({ from, to, amount }: Payment): Promise<Quote> {
    const { signal } = currentCall();
    const answer = await fetch(`${this.settings.upstreamUrl}/quote`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ from, to, amount }),
      signal,
    });
    const text = await answer.text();
    if (!answer.ok) throw new UpstreamAnswerError(answer.status, text.slice(0, 200));
    return quoteFrom(text);
  }

  /**
   * Degraded, not dead: small payments go on at the standard fee and are marked, so that compliance
   * can look at them afterwards. Large ones wait: there the risk is worth more than the payment.
   */
  async provisionalQuote(error: unknown, { amount }: Payment): Promise<Quote> {
    if (amount <= PROVISIONAL_LIMIT) return { fee: PROVISIONAL_FEE, verdict: 'provisional' };
    const retryAfter = isResilienceRejection(error) ? error.retryAfter : undefined;
    throw new TransactionRefusedError(
      'compliance-unavailable',
      `payments above ${PROVISIONAL_LIMIT} wait until compliance can be asked again`,
      {
        limit: PROVISIONAL_LIMIT,
        ...(retryAfter === undefined ? {} : { retryAfter: Math.ceil(retryAfter) }),
      },
    );
  }
}
