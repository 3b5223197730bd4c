import type { Milliseconds } from '../kernel/duration.js';
import { emit, type Environment } from './environment.js';

/**
 * Tells of an answer that came after the limit and was given all the same: the method blocked the
 * event loop, and the timer with it. Nothing can interrupt it.
 *
 * @param ends when the limit ended, by the monotonic clock; undefined without one
 */
export function noteOverrun(
  { name, env }: { readonly name: string; readonly env: Environment },
  limit: Milliseconds | undefined,
  ends: Milliseconds | undefined,
): void {
  if (limit === undefined || ends === undefined || !env.bus.wants('limit-overrun')) return;
  const late = env.clock.now() - ends;
  if (late > 0) emit(env, { type: 'limit-overrun', target: name, limit, took: limit + late });
}
