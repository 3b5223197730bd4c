import { factsOf, headline } from '../errors/record/facts.js';
import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';

/** What became of a hook; `problem` says in words why there is no answer. They may be anybody's: clean them. */
export type Answer = { readonly value: unknown } | { readonly problem: string };

/** How long a hook is waited for. */
export interface Patience {
  readonly timeout: Milliseconds;
  readonly schedule: Clock['schedule'];
  /** Aborts when the application ends. */
  readonly ending?: AbortSignal;
}

/** Runs code of the application. Whatever that does, there is an answer; its signal aborts when nobody waits any more. */
export function askHook(
  ask: (signal: AbortSignal) => unknown,
  { timeout, schedule, ending }: Patience,
): Promise<Answer> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    let cancel: CancelTimer = () => {};
    const end = (): void => giveUp('the application ends');
    const settle = (answer: Answer): void => {
      cancel();
      ending?.removeEventListener('abort', end);
      resolve(answer);
    };
    const giveUp = (problem: string): void => {
      settle({ problem });
      controller.abort(new Error(problem));
    };
    if (ending?.aborted === true) {
      end();
      return;
    }
    ending?.addEventListener('abort', end);
    cancel = schedule(() => giveUp(`took longer than ${timeout} ms`), timeout);
    (async () => ask(controller.signal))().then(
      (value) => settle({ value }),
      (error: unknown) => settle({ problem: headline(factsOf(error)) }),
    );
  });
}

/** Why a hook did not do what it is for: it failed, or says so by `false`. Undefined if it did. */
export function problemOf(answer: Answer): string | undefined {
  if ('problem' in answer) return answer.problem;
  return answer.value === false ? 'answered false' : undefined;
}

/** Lets time pass, until the application ends. */
export function pause(
  delay: Milliseconds,
  { schedule, ending }: Omit<Patience, 'timeout'>,
): Promise<void> {
  return new Promise((resolve) => {
    if (ending?.aborted === true) {
      resolve();
      return;
    }
    const end = (): void => {
      cancel();
      resolve();
    };
    const cancel = schedule(() => {
      ending?.removeEventListener('abort', end);
      resolve();
    }, delay);
    ending?.addEventListener('abort', end, { once: true });
  });
}
