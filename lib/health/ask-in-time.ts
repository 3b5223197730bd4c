import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';

/** What became of a question; `problem` says in words why there is no answer. */
export type Answer = { readonly value: unknown } | { readonly problem: string };

const TIMED_OUT = Symbol('timed out');

/**
 * Asks code of the application with a deadline. Whatever it does, there is an answer; its signal
 * aborts at the deadline.
 *
 * @param name for the reason of the abort
 */
export async function askInTime(
  name: string,
  ask: (signal: AbortSignal) => unknown,
  deadline: Milliseconds,
  clock: Clock,
): Promise<Answer> {
  const controller = new AbortController();
  let cancel = (): void => {};
  try {
    const answer = ask(controller.signal);
    if (typeof answer === 'number') return { value: answer }; // no timer for who need not wait
    const late = new Promise<typeof TIMED_OUT>((resolve) => {
      cancel = clock.schedule(() => resolve(TIMED_OUT), deadline);
    });
    const value: unknown = await Promise.race([late, answer]);
    if (value !== TIMED_OUT) return { value };
    controller.abort(new Error(`${name} took longer than ${deadline} ms`));
    return { problem: `timeout of ${deadline} ms` };
  } catch (error) {
    return { problem: messageOf(error) };
  } finally {
    cancel();
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
