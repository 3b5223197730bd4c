import { poll } from '../client/poll.js';
import { demoKeys } from '../demo/accounts.js';
import type { Ensemble } from './ensemble.js';

const DEADLINE_MS = 30_000;
const READERS = 4;
/** Between two reads of one reader, milliseconds. */
const PAUSE_MS = 5;

/** Reads that try the next node where one does not answer, as any client of several nodes does. */
class Readers {
  reads = 0;
  failed = 0;
  /** Of these, those that the first node that was asked did not answer. */
  moved = 0;
  private stopped = false;
  private readonly work: Promise<void>[];

  constructor(private readonly ensemble: Ensemble) {
    this.work = Array.from({ length: READERS }, (_, at) => this.read(at));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.work);
  }

  private async read(at: number): Promise<void> {
    for (let turn = at; !this.stopped; turn++) {
      this.reads++;
      if (!(await this.readAnywhere(turn))) this.failed++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  private async readAnywhere(turn: number): Promise<boolean> {
    const { names } = this.ensemble;
    for (let tried = 0; tried < names.length; tried++) {
      const name = names[(turn + tried) % names.length]!;
      if (await answers(this.ensemble, name)) return true;
      if (tried === 0) this.moved++;
    }
    return false;
  }
}

/** Each node ends in good order and comes back, one after the other; answers whether no read failed. */
export async function rollingRestart(
  ensemble: Ensemble,
  say: (line: string) => void,
): Promise<boolean> {
  const readers = new Readers(ensemble);
  for (const name of ensemble.names) {
    const began = performance.now();
    await ensemble.stop(name);
    const ended = performance.now();
    await ensemble.start(name);
    await poll(`an answer of ${name}`, DEADLINE_MS, async () =>
      (await answers(ensemble, name)) ? true : undefined,
    );
    const back = performance.now();
    // The next one ends only when all are in reach of each other: or two would be away at once.
    await ensemble.whole();
    say(
      `${name}: gap ${(back - began).toFixed(0)} ms (ended after ${(ended - began).toFixed(0)} ms, ` +
        `answered again ${(back - ended).toFixed(0)} ms later)`,
    );
  }
  await readers.stop();
  const { reads, failed, moved } = readers;
  say(`${reads} reads, ${moved} of them answered by the next node, ${failed} failed`);
  return failed === 0;
}

async function answers(ensemble: Ensemble, name: string): Promise<boolean> {
  return ensemble
    .rpc(name, 2_000)
    .call('getAccount', demoKeys('alice').address)
    .then(
      () => true,
      () => false,
    );
}
