import { RateGate } from '../../../lib/pipeline/rate-gate.js';
import { FakeClock } from '../../../lib/testing/index.js';

const gateOf = (maxWait = 1_000): { clock: FakeClock; gate: RateGate; served: number[] } => {
  const clock = new FakeClock();
  const served: number[] = [];
  return { clock, served, gate: new RateGate({ limit: 10, burst: 1, maxWait }, clock) };
};

it('has one timer, however many wait, and none when nobody does', async () => {
  const { clock, gate, served } = gateOf();
  expect(gate.enter()).toBe(0);
  expect(clock.pending).toBe(0);
  const began = clock.now();
  for (let i = 0; i < 5; i += 1) {
    expect(gate.enter()).toBe(100 * (i + 1));
    gate.join(() => served.push(clock.now() - began));
    expect(clock.pending).toBe(1);
  }

  await clock.advance(1_000);

  expect(served).toEqual([100, 200, 300, 400, 500]);
  expect(clock.pending).toBe(0);
});

it('a timer that is late earns nobody a second call: distances are kept from what really started', async () => {
  const { clock, gate, served } = gateOf();
  gate.enter();
  for (let i = 0; i < 5; i += 1) {
    gate.enter();
    gate.join(() => served.push(i));
  }
  clock.jump(250);
  await clock.advance(0);

  expect(served).toEqual([0]);
  await clock.advance(99);
  expect(served).toEqual([0]);
  await clock.advance(1);
  expect(served).toEqual([0, 1]);
});

it('who leaves takes the timer along, if nobody else waits', () => {
  const { clock, gate, served } = gateOf();
  gate.enter();
  gate.enter();
  const leave = gate.join(() => served.push(1));
  expect(gate).toMatchObject({ hasWaiters: true, isIdle: false });

  leave();
  leave();

  expect(clock.pending).toBe(0);
  expect(gate.hasWaiters).toBe(false);
  expect(gate.snapshot()).toMatchObject({ waiting: 0, admitted: 1, waited: 0 });
});

it('is idle again when what was used is back', async () => {
  const { clock, gate } = gateOf();
  expect(gate.isIdle).toBe(true);
  gate.enter();
  await clock.advance(99);
  expect(gate.isIdle).toBe(false);
  await clock.advance(1);
  expect(gate.isIdle).toBe(true);
});

it('reconfigured, it plans its turns anew', async () => {
  const { clock, gate, served } = gateOf(100_000);
  gate.enter();
  for (let i = 0; i < 3; i += 1) {
    gate.enter();
    gate.join(() => served.push(clock.now()));
  }
  gate.reconfigure({ limit: 1, burst: 1, maxWait: 0 });
  expect(clock.pending).toBe(1);
  const began = clock.now();
  await clock.advance(5_000);

  expect(served.map((at) => at - began)).toEqual([1_000, 2_000, 3_000]);
  expect(gate.enter()).toBe(0);
  expect(gate.enter()).toBe(-1_000);
});

it('reconfigured to a faster pace, it does not wait for the old turn', async () => {
  const { clock, gate, served } = gateOf(100_000);
  gate.enter();
  for (let i = 0; i < 3; i += 1) {
    gate.enter();
    gate.join(() => served.push(i));
  }
  gate.reconfigure({ limit: 1_000, burst: 1, maxWait: 0 });
  await clock.advance(3);

  expect(served).toEqual([0, 1, 2]);
});
