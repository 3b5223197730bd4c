import { ResilienceStatistics } from '../../../lib/pipeline/statistics/statistics.js';
import { World } from './world.js';

const down = (): Promise<unknown> => Promise.reject(new Error('down'));
const fine = (): Promise<unknown> => Promise.resolve('fine');
const FRAGILE = { failureThreshold: 1 };

describe('the figures of an application', () => {
  it('are those of each target, with its breaker and its latencies where it has them', async () => {
    const world = new World({ sample: 1 });
    const statistics = new ResilienceStatistics(world.runtime);
    const timed = world.target('A', { circuitBreaker: { name: 'bank' } });
    world.target('B', {});
    await world.call(timed, fine);

    const [a, b] = statistics.targets();

    expect(a).toMatchObject({ target: 'A', port: 'bank', calls: 1, succeeded: 1 });
    expect(a!.latency).toMatchObject({ timed: 1 });
    expect(b).toMatchObject({ target: 'B', calls: 0 });
    expect(Object.keys(b!)).not.toContain('port');
    expect(Object.keys(b!)).not.toContain('latency');
  });

  it('are summed up for those that share a breaker, and for all', async () => {
    const world = new World();
    const statistics = new ResilienceStatistics(world.runtime);
    const shared = { circuitBreaker: { name: 'bank' } };
    const targets = ['A', 'B'].map((name) => world.target(name, shared));
    const alone = world.target('C', {});
    for (const target of [...targets, alone]) await world.call(target, fine);
    await world.call(alone, down);

    expect(statistics.dependencies()).toMatchObject([
      { port: 'bank', targets: ['A', 'B'], calls: 2, succeeded: 2 },
    ]);
    expect(statistics.totals()).toMatchObject({ calls: 4, succeeded: 3, failed: 1 });

    statistics.reset();

    expect(statistics.totals()).toMatchObject({ calls: 0, succeeded: 0, failed: 0 });
  });

  it('count the breakers that refuse calls: those of keys each, and none in shadow or disabled', async () => {
    const world = new World();
    const statistics = new ResilienceStatistics(world.runtime);
    const open = world.target('open', { circuitBreaker: FRAGILE });
    const key = (one: unknown): string => String(one);
    const keyed = world.target('keyed', { circuitBreaker: { ...FRAGILE, key } });
    const shadow = world.target('shadow', { circuitBreaker: { ...FRAGILE, mode: 'shadow' } });
    world.target('closed', { circuitBreaker: FRAGILE });
    world.target('disabled', { circuitBreaker: FRAGILE });
    world.runtime.registry.breakers.control('disabled')!.disable();
    expect(statistics.totals().activeCircuitBreakers).toBe(0);

    await world.fail(open, 1);
    await world.fail(shadow, 1);
    for (const tenant of ['a', 'b']) await world.fail(keyed, 1, tenant);
    await world.call(keyed, fine, 'c');

    expect(statistics.totals().activeCircuitBreakers).toBe(3);
  });
});
