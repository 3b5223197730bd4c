import type { HealthIndicatorResult } from '@nestjs/terminus';
import { isOptionsObject } from '../../kernel/check.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';

type Check = (signal: AbortSignal) => unknown;

const TIMED_OUT = Symbol('timed out');

/**
 * Runs an indicator of the application with a deadline. Whatever it does, there is an answer: it
 * resolves, and the entry is `up`; it throws, rejects, hangs, or answers `false` or a status of
 * `down`, and the entry is `down`. What an indicator of Terminus answers is understood too.
 */
export async function runIndicator(
  name: string,
  check: Check,
  timeout: Milliseconds,
  clock: Clock,
): Promise<HealthIndicatorResult> {
  const controller = new AbortController();
  let cancel = (): void => {};
  const late = new Promise<typeof TIMED_OUT>((resolve) => {
    cancel = clock.schedule(() => resolve(TIMED_OUT), timeout);
  });
  try {
    const answer: unknown = await Promise.race([late, Promise.resolve(check(controller.signal))]);
    if (answer === TIMED_OUT) {
      controller.abort(new Error(`health indicator ${name} took longer than ${timeout} ms`));
      return { [name]: { status: 'down', message: `timeout of ${timeout} ms` } };
    }
    return { [name]: entryOf(answer) };
  } catch (error) {
    return { [name]: { status: 'down', message: messageOf(error) } };
  } finally {
    cancel();
  }
}

function entryOf(answer: unknown): HealthIndicatorResult[string] {
  const said = statusesIn(answer);
  const status = answer === false || said.some(isDown) ? 'down' : 'up';
  // not as a status: Terminus 11 drops one that it does not know
  const state = status === 'up' && said.includes('degraded') ? { state: 'degraded' } : {};
  return { ...factsOf(answer), ...state, status };
}

function isDown(status: unknown): boolean {
  return status === 'down' || status === 'error';
}

/** Some answer a status instead of throwing, and those of Terminus with a name around each: `{ db: { status: 'down' } }`. */
function statusesIn(answer: unknown): unknown[] {
  if (!isOptionsObject(answer)) return [];
  const entries = Object.values(answer);
  const named = entries.every((entry) => isOptionsObject(entry) && 'status' in entry);
  return named ? entries.map((entry) => (entry as { status: unknown }).status) : [answer['status']];
}

/** What an indicator tells, as far as it can be sent. */
function factsOf(answer: unknown): object {
  if (!isOptionsObject(answer)) return {};
  try {
    return JSON.parse(JSON.stringify(answer)) as object;
  } catch {
    return { details: 'cannot be written as JSON' };
  }
}

function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) return String(error.message);
  } catch {
    // an error that cannot even be read is no reason to answer nothing
  }
  return 'failed';
}
