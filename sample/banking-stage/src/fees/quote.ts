import type { Verdict } from '../transaction/order.js';
import type { Amount } from '../transaction/transaction.js';
import { UpstreamAnswerError } from './upstream-answer.error.js';

export interface Quote {
  readonly fee: Amount;
  /** `blocked` is an answer, not a failure: the service did its work. */
  readonly verdict: Verdict | 'blocked';
}

/** Garbage counts as a bad gateway: like any failure of the service it is worth another attempt. */
export function quoteFrom(text: string): Quote {
  const answer = json(text);
  if (!isQuote(answer)) throw new UpstreamAnswerError(502, 'not a quote');
  return { fee: answer.fee, verdict: answer.verdict };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isQuote(value: unknown): value is Quote {
  if (typeof value !== 'object' || value === null) return false;
  const { fee, verdict } = value as Partial<Quote>;
  return (
    typeof fee === 'number' &&
    Number.isSafeInteger(fee) &&
    fee >= 0 &&
    (verdict === 'cleared' || verdict === 'blocked')
  );
}
