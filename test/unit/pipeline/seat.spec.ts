import { Seat } from '../../../lib/pipeline/seat.js';
import { Bulkhead } from '../../../lib/policies/bulkhead/bulkhead.js';
import { World } from './world.js';

const made = (): { world: World; bulkhead: Bulkhead; seat: () => Seat } => {
  const world = new World();
  const bulkhead = new Bulkhead({ maxConcurrent: 2, queueTimeout: 50 });
  return {
    world,
    bulkhead,
    seat: () => new Seat({ name: 'B', policy: bulkhead }, world.runtime.env),
  };
};

it('gives back once what it took, whichever way it took it', async () => {
  const { world, bulkhead, seat } = made();
  const others = [seat(), seat()];
  for (const other of others) expect(other.take()).toBe(true);
  const queued = seat();
  expect(queued.take()).toBe(false);
  queued.queue(
    0,
    () => {},
    () => {},
  );

  for (const one of [...others, queued, seat()]) {
    one.giveBack();
    one.giveBack();
    bulkhead.enter(); // what is given back twice would show as room
  }

  expect(bulkhead.snapshot()).toMatchObject({ running: 2, queued: 0 });
  expect(world.clock.pending).toBe(0);
});

it('an orphan gives nothing back, and is counted as long as it runs', async () => {
  const { world, bulkhead, seat } = made();
  const orphan = seat();
  orphan.take();
  orphan.holdAtMost(10);
  expect(orphan.holds(bulkhead)).toBe(true);
  await world.clock.advance(10);
  expect(orphan.holds(bulkhead)).toBe(false);
  expect(bulkhead.snapshot()).toMatchObject({ running: 0, orphaned: 1 });
  for (let i = 0; i < 2; i += 1) bulkhead.enter();

  orphan.giveBack();
  orphan.giveBack();

  expect(bulkhead.snapshot()).toMatchObject({ running: 2, orphaned: 0 });
});

it('waits no longer than queueTimeout, and is not there any more then', async () => {
  const { world, bulkhead, seat } = made();
  for (let i = 0; i < 2; i += 1) bulkhead.enter();
  const told: unknown[] = [];
  const late = seat();
  late.queue(
    0,
    () => told.push('arrived'),
    (error) => told.push(error.code),
  );
  await world.clock.advance(50);
  bulkhead.release();
  late.giveBack();

  expect(told).toEqual(['BULKHEAD_QUEUE_TIMEOUT']);
  expect(bulkhead.snapshot()).toMatchObject({ running: 1, queued: 0 });
});
