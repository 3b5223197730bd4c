import type { HealthIndicatorResult } from '@nestjs/terminus';
import { isOptionsObject } from '../../kernel/check.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';

type Check = (signal: AbortSignal) => unknown;

const TIMED_OUT = Symbol('timed out');

/**
 * Runs an indicator of the application with a deadline. Whatever it does, there is an answer: it
 * resolves, and the entry is `up`; it throws, rejects, hangs, or answers `false` or a status of
 * `down`, and the entry is `down`.
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
    return { [name]: { ...factsOf(answer), status: saysDown(answer) ? 'down' : 'up' } };
  } catch (error) {
    return { [name]: { status: 'down', message: messageOf(error) } };
  } finally {
    cancel();
  }
}

/** Indicators in the manner of Terminus answer `{ status: 'down' }` instead of throwing. */
function saysDown(answer: unknown): boolean {
  if (!isOptionsObject(answer)) return answer === false;
  return answer['status'] === 'down' || answer['status'] === 'error';
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
