import { clean } from '../../errors/record/clean.js';
import { askInTime } from '../../health/ask-in-time.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { ShutdownHook } from '../hooks.js';

/** How long one hook may take. */
const DEADLINE: Milliseconds = 5_000;
/** Of a line of the log, in characters. */
const MAX_LINE = 2_048;

/**
 * Runs every hook when those that depend on it have ended, well or not, and answers what went
 * wrong. One that takes too long is left behind.
 */
export async function runShutdownHooks(
  hooks: readonly ShutdownHook[],
  reason: string,
  clock: Clock,
): Promise<string[]> {
  const problems: string[] = [];
  const ended = new Map<ShutdownHook, Promise<void>>();
  const run = async (hook: ShutdownHook, before: readonly Promise<void>[]): Promise<void> => {
    await Promise.all(before);
    const { name, from } = hook;
    const what = `shutdown hook ${name}`;
    const answer = await askInTime(what, (signal) => hook.run(reason, signal), DEADLINE, clock);
    if ('problem' in answer)
      problems.push(clean(`${what} of ${from} failed: ${answer.problem}`, MAX_LINE));
  };
  const endOf = (hook: ShutdownHook): Promise<void> => {
    const known = ended.get(hook);
    if (known !== undefined) return known;
    ended.set(hook, Promise.resolve()); // the boot refuses circles; one that came later is cut here
    const dependents = hooks.filter(({ dependsOn }) => dependsOn.includes(hook.name));
    const end = run(hook, dependents.map(endOf));
    ended.set(hook, end);
    return end;
  };
  await Promise.all(hooks.map(endOf));
  return problems;
}
