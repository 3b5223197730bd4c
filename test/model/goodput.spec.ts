// What protection is for, in virtual time: clients against a service that is in trouble (test/bench/goodput
// has the whole table). The order of the contenders is kept, every breaker closes again, no slot leaks.
// @ts-expect-error -- a script without types
import { simulate as simulateIn } from '../bench/goodput/simulate.mjs';
// @ts-expect-error -- a script without types
import { VirtualTime as Time } from '../bench/goodput/virtual-time.mjs';

interface Run {
  readonly ofPossible: number;
  readonly lost: number;
  readonly recovery: number | null;
  readonly wasted: number;
  readonly load: number;
  readonly left: {
    readonly pending: number;
    readonly states: readonly { breaker: string; running: number; queued: number }[];
  };
}
interface Asked {
  readonly contender: string;
  readonly scenario: string;
  readonly seed: number;
  readonly world: object;
}
const simulate = simulateIn as (time: unknown, asked: Asked) => Promise<Run>;
const VirtualTime = Time as new () => { giveBack(): void };

/** A third of the service and of its clients: the same ratios, and quick. */
const world = { workers: 3, replicas: 2, room: 300, rest: 25 };
const seed = 7;

/**
 * How much worse than the better of no protection and a naive retry ours may be, as a share of what
 * was possible from the fault to the end, of which 25 s are after it: an open breaker may refuse calls
 * for 11 s of these, until its next probe, and in the good phases between the bad ones. And how many
 * seconds after the fault all is as before.
 */
const SCENARIOS = {
  healthy: { margin: 0, recovery: 0 },
  errors: { margin: 0.02, recovery: 0 },
  'brown-out': { margin: 0, recovery: 15 },
  outage: { margin: 0.4, recovery: 15 },
  hang: { margin: 0.4, recovery: 15 },
  flapping: { margin: 0.5, recovery: 15 },
  overload: { margin: 0, recovery: 2 },
  metastable: { margin: 0, recovery: 2 },
} as const;

describe('goodput under faults', () => {
  let time: { giveBack(): void };
  const runs = new Map<string, Promise<Run>>();
  const run = (contender: string, scenario: string): Promise<Run> => {
    const known = runs.get(contender + scenario);
    if (known !== undefined) return known;
    const made = simulate(time, { contender, scenario, seed, world });
    runs.set(contender + scenario, made);
    return made;
  };

  beforeAll(() => void (time = new VirtualTime()));
  afterAll(() => time.giveBack());

  it.each(Object.entries(SCENARIOS))('%s', async (scenario, { margin, recovery }) => {
    const nothing = await run('nothing', scenario);
    const naive = await run('naive retry', scenario);
    const ours = await run('ours', scenario);

    const best = Math.max(nothing.ofPossible, naive.ofPossible);
    expect(ours.ofPossible).toBeGreaterThanOrEqual(best - margin);
    expect(ours.recovery).not.toBeNull();
    expect(ours.recovery).toBeLessThanOrEqual(recovery);
    expect(ours.left).toEqual({
      pending: 0,
      states: Array.from({ length: 2 }, () => ({ breaker: 'closed', running: 0, queued: 0 })),
    });
  });

  it('healthy: being protected loses no call', async () => {
    expect((await run('ours', 'healthy')).lost).toBe(0);
  });

  it('a naive retry stays where the spike put it; ours is back, and did not add to it', async () => {
    const naive = await run('naive retry', 'metastable');
    const ours = await run('ours', 'metastable');

    expect(naive.recovery).toBeNull();
    expect(naive.wasted).toBeGreaterThan(0.9);
    expect(ours.wasted).toBeLessThan(0.05);
  });

  it('in an outage a dependency that is down gets less than half of the calls', async () => {
    expect((await run('ours', 'outage')).load).toBeLessThan(0.5);
  });

  it('the same seed makes the same run, another seed another', async () => {
    const asked = { contender: 'ours', scenario: 'flapping', seed, world };

    const first = await simulate(time, asked);

    expect(await simulate(time, asked)).toEqual(first);
    expect(await simulate(time, { ...asked, seed: seed + 1 })).not.toEqual(first);
  });
});
