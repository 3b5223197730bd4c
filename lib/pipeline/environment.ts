import type { ErrorObserver } from '../errors/error-observer.js';
import type { Classifier } from '../kernel/classifier.js';
import type { Clock } from '../kernel/clock.js';
import type { EventBody, ResilienceEvent, Severity } from '../kernel/event.js';
import type { PredicateReport } from '../kernel/matcher.js';
import type { Random } from '../kernel/random.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import type { CallsInFlight } from './calls-in-flight.js';
import type { EventBus } from './event-bus.js';

/** What every pipeline of one application shares. */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly classifier: Classifier;
  readonly bus: EventBus;
  /** Whether rejections capture a stack trace. */
  readonly stack: boolean;
  /** Whether every decision on the way of a call is written down. */
  readonly trace: boolean;
  /** One of so many calls is timed; 0 for none. */
  readonly sample: number;
  readonly calls: CallsInFlight;
  /** Hears of failed attempts. Set once, before the first call. */
  errors?: ErrorObserver | undefined;
}

const SEVERITIES: { readonly [T in ResilienceEvent['type']]: Severity } = {
  'circuit-state-changed': 'warning',
  'call-rejected': 'debug',
  'retry-scheduled': 'debug',
  'retry-exhausted': 'info',
  'call-timed-out': 'info',
  'late-result': 'debug',
  'limit-overrun': 'warning',
  'fallback-used': 'info',
  'fallback-failed': 'warning',
  'probe-lost': 'warning',
  'predicate-failed': 'warning',
  'unbound-call': 'warning',
  'retry-declined': 'info',
  'bulkhead-reclaimed': 'warning',
  'policies-changed': 'info',
  'checkpoint-saved': 'debug',
  'checkpoint-failed': 'error',
  'checkpoint-recovered': 'info',
  'checkpoint-restored': 'warning',
  'store-fenced': 'error',
  'slow-checkpoint-call': 'warning',
  'error-pattern': 'warning',
  'poison-message': 'error',
  'recovery-action': 'info',
};

/** Stamps an event and sends it, if anybody listens. */
export function emit(env: Environment, body: EventBody): void {
  if (!env.bus.wants(body.type)) return;
  const severity = severityOf(body);
  env.bus.emit({ ...body, severity, at: env.clock.epoch() } as ResilienceEvent);
}

function severityOf(body: EventBody): Severity {
  if (body.type === 'recovery-action' && body.status === 'failed') return 'error';
  return isGood(body) ? 'info' : SEVERITIES[body.type];
}

/** Of two kinds the better half is good news. */
function isGood(body: EventBody): boolean {
  if (body.type === 'circuit-state-changed') return body.to === 'closed';
  return body.type === 'error-pattern' && body.ended;
}

/** One of our policies refused a call. */
export function emitRefusal(env: Environment, error: ResilienceRejection): void {
  if (!env.bus.wants('call-rejected')) return;
  const { policy, code, target, retryAfter } = error;
  const wait = retryAfter === undefined ? {} : { retryAfter };
  emit(env, { type: 'call-rejected', target, policy, code, ...wait });
}

/** Tells the bus of functions from the options of a target that threw. */
export function reportOf(env: Environment, target: string): PredicateReport {
  return (option, error) => emit(env, { type: 'predicate-failed', target, option, error });
}
