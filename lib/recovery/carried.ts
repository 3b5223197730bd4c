import { askInTime } from '../health/ask-in-time.js';
import type { Clock } from '../kernel/clock.js';
import type { ParticipantHook } from './hooks.js';

/** How long a participant may take. */
const PATIENCE = 10_000;

/** What participants keep over a restore. */
export class Carried {
  readonly items = new Map<string, unknown>();
  /** What could not be carried or handed back, and why. */
  readonly problems: string[] = [];

  private constructor(
    private readonly participants: readonly ParticipantHook[],
    private readonly clock: Clock,
  ) {}

  /** Asks each for what it wants to keep. One that fails keeps nobody from recovering. */
  static async by(participants: readonly ParticipantHook[], clock: Clock): Promise<Carried> {
    const carried = new Carried(participants, clock);
    for (const { name, before } of participants) {
      const answer = await askInTime(`${name}.beforeRestore`, () => before(), PATIENCE, clock);
      if ('value' in answer) carried.items.set(name, answer.value);
      else carried.problems.push(`${name}.beforeRestore: ${answer.problem}`);
    }
    return carried;
  }

  /** Hands it back; answers what each says of it. */
  async handBack(): Promise<Record<string, unknown>> {
    const told: [string, unknown][] = [];
    for (const { name, after } of this.participants) {
      if (!this.items.has(name)) continue;
      const give = (): unknown => after(this.items.get(name));
      const answer = await askInTime(`${name}.afterRestore`, give, PATIENCE, this.clock);
      if ('value' in answer) told.push([name, answer.value]);
      else this.problems.push(`${name}.afterRestore: ${answer.problem}`);
    }
    return Object.fromEntries(told);
  }
}
