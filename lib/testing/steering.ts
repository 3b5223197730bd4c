import { show } from '../kernel/check.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { CircuitState } from '../kernel/event.js';
import { type CircuitBreakerControl, ResilienceRegistry } from '../pipeline/registry.js';
import { ApplicationRuntime } from '../nest/application-runtime.js';

/** An application or a testing module of Nest, as far as it is needed here. */
export interface Application {
  get<T>(token: abstract new (...args: never[]) => T): T;
}

/**
 * Makes an application begin anew between two tests: breakers are closed, and let go of by every
 * hand; rate limits have their whole burst; last good answers and what fallbacks did are forgotten;
 * the kill switch is off. What runs or waits in a bulkhead is not touched, policies stay as they are,
 * and counters of breakers go on.
 */
export function resetAll(app: Application): void {
  const runtime = app.get(ApplicationRuntime);
  runtime.setEnabled(true);
  runtime.reset();
}

/** How to force a state. */
export interface ForceOptions {
  /** Which one, where each key has its own. It must have been used before. */
  key?: string;
  /** For `open`: milliseconds until a probe may pass. Default 1 min. */
  forMs?: Milliseconds;
}

const FOR_MS: Milliseconds = 60_000;

/** So short that it has passed at once. */
const NO_TIME = Number.MIN_VALUE;

/**
 * Brings a circuit breaker into a state, whatever state it is in: `half-open` without a probe on its
 * way, `recovering` at its first step.
 *
 * @param name `Class.method`, or the name given to the breaker
 * @throws Error for a name or a key that has no breaker, and for `recovering` without `gradualClose`
 */
export function forceState(
  app: Application,
  name: string,
  state: CircuitState,
  { key, forMs = FOR_MS }: ForceOptions = {},
): void {
  const control = controlOf(app, name, key);
  const reason = 'forced by a test';
  while (control.release(reason)); // every hand on it
  control.reset(reason);
  switch (state) {
    case 'closed':
      break;
    case 'open':
      control.open(forMs, reason);
      break;
    case 'half-open':
      halfOpen(control, reason);
      break;
    case 'recovering':
      halfOpen(control, reason);
      succeedUntil(app, control, key);
      break;
    case 'isolated':
      control.isolate(reason);
      break;
    case 'disabled':
      control.disable(reason);
      break;
    default:
      state satisfies never;
      throw new Error(`got ${show(state)}, expected a state of a circuit breaker`);
  }
}

function halfOpen(control: CircuitBreakerControl, reason: string): void {
  control.open(NO_TIME, reason);
  control.acquire()?.release();
}

/** Its probes succeed until it leaves the half-open state. */
function succeedUntil(app: Application, control: CircuitBreakerControl, key?: string): void {
  const { breakers } = app.get(ResilienceRegistry);
  const { name } = control;
  const reader =
    key === undefined ? breakers.reader(name) : breakers.keyedReader(name)?.reader(key);
  const state = (): CircuitState | undefined => reader?.state;
  while (state() === 'half-open') control.acquire()!.success(0);
  if (state() !== 'recovering')
    throw new Error(`circuit breaker ${show(name)} has no gradualClose, so it never recovers`);
}

function controlOf(app: Application, name: string, key?: string): CircuitBreakerControl {
  const { breakers } = app.get(ResilienceRegistry);
  const control = breakers.control(name, key);
  if (control !== undefined) return control;
  const keyed = breakers.keyedReader(name);
  if (keyed !== undefined) {
    const keys = keyed.list().map(([known]) => show(known));
    const wanted = key === undefined ? 'a key' : `one of its keys instead of ${show(key)}`;
    throw new Error(
      `circuit breaker ${show(name)} has one for each key, expected ${wanted}; used were ${keys.join(', ') || 'none'}`,
    );
  }
  const names = [...breakers.list(), ...breakers.keyedList()].map((known) => show(known.name));
  throw new Error(
    `got ${show(name)}, expected the name of a circuit breaker; known are ${names.join(', ') || 'none'}`,
  );
}
