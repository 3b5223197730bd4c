import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadFullError,
  CircuitBreaker,
  currentCall,
  Fallback,
  isResilienceRejection,
  QueueTimeoutError,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { NodeSettings } from '../settings.js';
import { TransactionRefusedError } from '../transaction/transaction-refused.error.js';
import type { Payment } from '../transaction/transaction.js';
import { textOf } from './answer-text.js';
import { quoteFrom } from './quote.js';
import type { Quote } from './quote.js';
import { UpstreamAnswerError } from './upstream-answer.error.js';
import { upstreamIsAway } from './upstream-away.js';

/** What a payment may be worth and still be accepted without having asked compliance. */
export const PROVISIONAL_LIMIT = 1_000;
/** The dearest quote there is up to that limit: nobody gains by waiting for an outage. */
export const PROVISIONAL_FEE = 11;

@Injectable()
export class FeesClient {
  constructor(private readonly settings: NodeSettings) {}

  /**
   * Asking again does no harm (`idempotent`): a quote changes nothing over there. Attempts are fewer
   * than `failureThreshold`, so that no payment opens the breaker, and with it the way past
   * compliance, by its own attempts alone. Nor should a flood: 32 calls at once that share one stall,
   * ours or the service's, fail in a row, so the time limit is ten times what is slow, not twice.
   * The breaker stays open for longer than an attempt takes: who finds out that the service hangs is
   * not sent to probe it with the rest of its time.
   */
  @Fallback({ method: 'provisionalQuote', except: [BulkheadFullError, QueueTimeoutError] })
  @Retry({
    maxAttempts: 5,
    delay: 50,
    idempotent: true,
    totalTimeout: 3_000,
    // Every payment may find out by itself that the upstream is away; the breaker ends the storm.
    budget: { ratio: 1 },
  })
  @CircuitBreaker({ failureThreshold: 8, openFor: 2_000, maxOpenFor: 2_000, successThreshold: 2 })
  @TimeLimit(1_000)
  @Bulkhead({ maxConcurrent: 32, maxQueue: 256 })
  async quote(payment: Payment): Promise<Quote> {
    return this.ask(payment, currentCall().signal);
  }

  /** Asks once, whatever the breaker says. */
  async ask(
    { from, to, amount }: Pick<Payment, 'from' | 'to' | 'amount'>,
    signal: AbortSignal,
  ): Promise<Quote> {
    const answer = await fetch(`${this.settings.upstreamUrl}/quote`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ from, to, amount }),
      // Payments go to the service that was configured, not to where it sends us.
      redirect: 'error',
      signal,
    });
    const text = await textOf(answer);
    if (!answer.ok) throw new UpstreamAnswerError(answer.status, text.slice(0, 200));
    return quoteFrom(text);
  }

  /**
   * Degraded, not dead: while the service is known to be away, small payments go on at the dearest
   * fee and are marked, so that compliance can look at them afterwards. Large ones wait: there the
   * risk is worth more than the payment. And so does every payment that merely got no answer: were
   * that enough, whoever can slow us or the service down could walk past compliance.
   */
  async provisionalQuote(error: unknown, { amount }: Payment): Promise<Quote> {
    if (amount > PROVISIONAL_LIMIT) {
      throw unavailable(
        `payments above ${PROVISIONAL_LIMIT} wait until compliance can be asked again`,
        error,
      );
    }
    if (!upstreamIsAway(error)) {
      throw unavailable('compliance gave no verdict on this payment: send it again', error);
    }
    return { fee: PROVISIONAL_FEE, verdict: 'provisional' };
  }
}

function unavailable(problem: string, error: unknown): TransactionRefusedError {
  const retryAfter = isResilienceRejection(error) ? error.retryAfter : undefined;
  return new TransactionRefusedError('compliance-unavailable', problem, {
    limit: PROVISIONAL_LIMIT,
    ...(retryAfter === undefined ? {} : { retryAfter: Math.ceil(retryAfter) }),
  });
}
