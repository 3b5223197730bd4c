// What is measured. A shape says how the calls of a batch are made, and what the bare method costs that is taken off.
import { lastValueFrom } from 'rxjs';

/** Calls of a batch that are made one after another. */
const CALLS = 200;

const inTurn = (call) => async () => {
  for (let i = 0; i < CALLS; i += 1) await call(i);
};

/** A call that rejects costs the catch as well, in every contender alike. */
const caught = (call) => async () => {
  for (let i = 0; i < CALLS; i += 1) {
    try {
      await call(i);
    } catch {
      // that is what is measured
    }
  }
};

const atOnce = (count) => (call) => async () => {
  const calls = new Array(count);
  for (let i = 0; i < count; i += 1) calls[i] = call(i);
  await Promise.all(calls);
};

const streamed = (call) => async () => {
  for (let i = 0; i < CALLS; i += 1) await lastValueFrom(call(i));
};

/**
 * Settings are the same in effect wherever a contender has them: a breaker opens at 5 failures in a
 * row (by share, 50 %, where it cannot count runs), 3 attempts, 10 calls at once with a queue of 10,
 * 1 s of time, 10⁹ calls per second.
 *
 * `bare` names what the plain method does: answers, or throws a new error. `heavy`: made when it is
 * measured and last, so that its weight on the heap is no other case's. `litters`: makes so much garbage that a short
 * turn has now more and now less of it to collect.
 */
export const CASES = {
  breaker: { batch: inTurn, what: 'circuit breaker, closed: the call succeeds' },
  'breaker-rate': { batch: inTurn, what: 'the same with a failure rate over a time window' },
  'breaker-failing': {
    batch: caught,
    litters: true,
    bare: 'fails',
    what: 'the call fails, the breaker stays',
  },
  retry: { batch: inTurn, what: 'retry, not needed' },
  bulkhead: { batch: inTurn, what: 'bulkhead with room' },
  'time-limit': { batch: inTurn, what: 'time limit, kept' },
  'rate-limit': { batch: inTurn, what: 'rate limit, not reached' },
  fallback: { batch: inTurn, what: 'fallback, not needed' },
  'fallback-used': {
    batch: caught,
    litters: true,
    bare: 'fails',
    what: 'the call fails, the fallback answers',
  },
  'stack-4': { batch: inTurn, what: 'fallback, retry, breaker, bulkhead: the call succeeds' },
  'stack-5': { batch: inTurn, what: 'the same four and a time limit' },
  success: { batch: inTurn, what: 'breaker, time limit, bulkhead: the call succeeds' },
  failure: {
    batch: caught,
    litters: true,
    bare: 'fails',
    what: 'breaker, time limit, bulkhead: the call fails',
  },
  'open-rejected': { batch: caught, litters: true, what: 'refused by an open breaker' },
  'breaker-1000': { batch: atOnce(1_000), calls: 1_000, what: 'breaker, 1,000 calls at once' },
  'stack-4-1000': {
    batch: atOnce(1_000),
    calls: 1_000,
    what: 'the four, 1,000 calls at once in a bulkhead of 1,000',
  },
  queued: {
    batch: atOnce(100),
    calls: 100,
    litters: true,
    what: 'bulkhead of one, 100 calls at once: 99 wait in its queue',
  },
  observable: {
    batch: streamed,
    bare: 'streams',
    what: 'Observable face: fallback, retry, time limit',
  },
  'observable-breaker': {
    batch: streamed,
    bare: 'streams',
    what: 'Observable face: circuit breaker',
  },
  keyed: { batch: inTurn, heavy: true, what: 'circuit breaker per key, 10,000 keys in turn' },
};

export const callsOf = (title) => CASES[title].calls ?? CALLS;

export const KEYS = Array.from({ length: 10_000 }, (_, i) => `account-${i}`);

/** DESIGN 12: the most that our cost may be of a peer's, and what we aim at. */
export const BARS = {
  breaker: { cockatiel: { must: 0.9, aim: 0.5 }, opossum: { must: 0.4, aim: 0.2 } },
  'stack-4': { cockatiel: { must: 0.4, aim: 0.25 } },
  'stack-5': { cockatiel: { must: 0.2, aim: 0.1 } },
  'open-rejected': {
    cockatiel: { must: 0.5, aim: 0.25 },
    opossum: { must: 0.5, aim: 0.25 },
  },
};
