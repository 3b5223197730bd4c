import { settle } from '../../../lib/testing/index.js';
import { breakerOf, World } from './world.js';

describe('a control', () => {
  const made = (): { world: World; control: ReturnType<typeof controlOf> } => {
    const world = new World();
    world.target('A', {
      circuitBreaker: { failureThreshold: 2, slowCallDuration: 10, minimumCalls: 2, openJitter: 0 },
    });
    return { world, control: controlOf(world) };
  };
  const controlOf = (world: World) => world.runtime.registry.breakers.control('A')!;

  it('passes reasons on, and they are told', async () => {
    const { world, control } = made();
    control.isolate('r1');
    control.release('r2');
    control.disable('r3');
    control.release();
    control.open(5, 'r4');
    control.openUntil(world.clock.epoch() + 9, 'r5');
    expect(breakerOf(world).snapshot().reason).toBe('r5');
    control.reset('r6');
    await settle();

    expect(world.events.map((event) => (event as { reason?: string }).reason)).toEqual([
      'r1',
      'r2',
      'r3',
      'released by hand',
      'r4',
      'r6',
    ]);
  });

  it('passes durations on: what took long is slow', () => {
    const { world, control } = made();
    control.recordSuccess(11);
    control.recordFailure(undefined, 11);

    expect(breakerOf(world).snapshot()).toMatchObject({ state: 'open', lastTrip: { slow: 2 } });
  });

  it('passes on what an error is called', () => {
    const { world, control } = made();
    control.recordFailure(Object.assign(new Error('secret'), { code: 'EPIPE' }));
    control.recordFailure();

    expect(breakerOf(world).snapshot().lastTrip!.outcomes).toMatchObject([
      { outcome: 'failure', error: 'EPIPE' },
      { outcome: 'failure' },
    ]);
  });

  it('measures work done by hand', async () => {
    const { world, control } = made();
    for (let i = 0; i < 2; i += 1) {
      const permit = control.acquire()!;
      await world.clock.advance(11);
      permit.success();
    }

    expect(breakerOf(world).snapshot()).toMatchObject({ state: 'open', lastTrip: { slow: 2 } });
    expect(control.canExecute()).toBe(false);
  });

  it('saves and restores', () => {
    const { world, control } = made();
    control.isolate('by hand');
    const saved = control.save();
    expect(saved).toMatchObject({ state: 'closed', isolated: ['by hand'] });
    control.release();
    expect(control.restore(saved)).toEqual([]);

    expect(breakerOf(world).state).toBe('isolated');
  });
});

it('readers show what changes: mode and whether it is critical', () => {
  const world = new World();
  world.target('A', { circuitBreaker: {} });
  const reader = breakerOf(world);
  expect(reader).toMatchObject({ name: 'A', mode: 'enforce', critical: false });

  world.runtime.reconfigure('A', { circuitBreaker: { mode: 'shadow', critical: true } });

  expect(reader).toMatchObject({ mode: 'shadow', critical: true });
});

it('keyed policies are found by name and key, and looking makes none', async () => {
  const world = new World();
  const key = (k: string): string => k;
  const target = world.target('A', {
    rateLimit: { limit: 5, key, maxKeys: 1 },
    bulkhead: { key, maxConcurrent: 3 },
  });
  await world.call(target, () => Promise.resolve(), 'x');
  await world.call(target, () => Promise.resolve(), 'y');
  const { rateLimiters, bulkheads, breakers } = world.runtime.registry;

  expect(bulkheads.list()).toEqual([]);
  expect(bulkheads.reader('A')).toBeUndefined();
  expect(bulkheads.keyedReader('B')).toBeUndefined();
  expect(breakers.keyedList()).toEqual([]);
  const keyed = bulkheads.keyedReader('A')!;
  expect(keyed).toMatchObject({ name: 'A', size: 2, evicted: 0 });
  expect(keyed.reader('x')!.snapshot()).toMatchObject({ running: 0, peak: 1, maxConcurrent: 3 });
  expect(keyed.reader('z')).toBeUndefined();
  expect(keyed.size).toBe(2);
  const limits = rateLimiters.keyedReader('A')!;
  expect(limits).toMatchObject({ size: 1, evicted: 1 });
  expect(limits.list().map(([k, r]) => [k, r.name, r.snapshot().admitted])).toEqual([
    ['y', 'A', 1],
  ]);
});
