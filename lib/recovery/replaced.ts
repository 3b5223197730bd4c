import { CheckpointError } from '../checkpoint/checkpoint.error.js';
import type { CheckpointEngine } from '../checkpoint/engine/checkpoint-engine.js';
import type { Replacing } from '../checkpoint/engine/recovering.js';

/** Nobody knows yet which of two states stands. */
export class UnsettledError extends CheckpointError {
  constructor(cause: unknown) {
    const message =
      'the store failed while another state was put in place; which of the two stands is seen when it is open again, and what was carried over is in the backup made before';
    super('CHECKPOINT_FENCED', message, { cause });
  }
}

/**
 * Puts another state in place. A store that fails just then may have the new one on the disk all the
 * same: so it is looked at what it has when it is open again, for whoever is told that the state
 * before stands does not hand back what was carried over, nor miss a call.
 *
 * @param work says what it will answer before the state is put in place
 * @throws what `work` throws: then the state before stands
 * @throws UnsettledError if that is not known
 */
export async function replaced<T>(
  engine: CheckpointEngine,
  work: (hands: Replacing, planned: (result: T) => void) => Promise<T>,
): Promise<T> {
  let plan: { readonly result: T } | undefined;
  let before: string | undefined;
  try {
    return await engine.replace(async (hands) => {
      before = await newestOf(engine);
      return work(hands, (result) => (plan = { result }));
    });
  } catch (error) {
    // a failed write is known to the store only when all before it has ended
    await engine.flush().catch(() => {});
    if (plan === undefined || engine.state !== 'fenced') throw error;
    await engine.reopening;
    if ((engine.state as string) !== 'open') throw new UnsettledError(error);
    if ((await newestOf(engine)) === before) throw error;
    return plan.result;
  }
}

/** The newest of the states that the store goes on from by itself. */
async function newestOf(engine: CheckpointEngine): Promise<string | undefined> {
  const generations = (await engine.list()).filter(({ named }) => !named);
  return generations.toSorted((a, b) => Number(b.id) - Number(a.id))[0]?.id;
}
