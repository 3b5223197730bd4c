import { RecentCalls } from '../../../lib/pipeline/statistics/recent-calls.js';
import type { Target } from '../../../lib/pipeline/target.js';
import { World } from './world.js';

const down = (): Promise<unknown> => Promise.reject(new Error('down'));
const fine = (): Promise<unknown> => Promise.resolve('fine');

let world: World;
let told: [target: string, attempts: number, failures: number][];
beforeEach(() => {
  world = new World();
  told = [];
});

function looker(recent: RecentCalls, targets: readonly Target[]): (now: number) => void {
  return (now) => recent.look(now, targets, (...one) => told.push(one));
}

async function calls(target: Target, good: number, bad = 0): Promise<void> {
  for (let i = 0; i < good; i += 1) await world.call(target, fine);
  for (let i = 0; i < bad; i += 1) await world.call(target, down);
}

it('tells of each target what its attempts came to since the last look, and nothing of the idle', async () => {
  const [a, b] = [world.target('A', { retry: { maxAttempts: 1 } }), world.target('B', {})];
  const recent = new RecentCalls();
  const look = looker(recent, [a, b]);
  await calls(a, 2, 3);
  look(0);
  expect(told.splice(0)).toEqual([['A', 5, 3]]);

  await calls(a, 1);
  await calls(b, 4, 1);
  look(1_000);
  look(2_000);

  expect(told).toEqual([
    ['A', 1, 0],
    ['B', 5, 1],
  ]);
  expect(recent.recent()).toEqual({ calls: 11, failures: 4 });
});

it('a degraded answer is a call and no failure, a refusal is a failure and no attempt', async () => {
  const degraded = world.target('A', { fallback: { value: 1 } });
  const refused = world.target('B', { circuitBreaker: {} });
  world.runtime.registry.breakers.control('B')!.isolate();
  const recent = new RecentCalls();
  await calls(degraded, 0, 2);
  await calls(refused, 3);

  looker(recent, [degraded, refused])(0);

  expect(told).toEqual([['A', 2, 2]]);
  expect(recent.recent()).toEqual({ calls: 5, failures: 3 });
});

it('what was seen longer ago than the span is forgotten', async () => {
  const a = world.target('A', {});
  const recent = new RecentCalls(10_000);
  const look = looker(recent, [a]);
  await calls(a, 1, 1);
  look(0);
  await calls(a, 3);
  look(9_999);
  expect(recent.recent()).toEqual({ calls: 5, failures: 1 });

  look(10_000);
  expect(recent.recent()).toEqual({ calls: 3, failures: 0 });

  look(19_999);
  expect(recent.recent()).toEqual({ calls: 0, failures: 0 });
});

it('who looks seldom gets as many of the calls in between as are likely to be of the last span', async () => {
  const a = world.target('A', {});
  const recent = new RecentCalls(10_000);
  const look = looker(recent, [a]);
  look(0);
  await calls(a, 30, 10);
  look(40_000);

  expect(recent.recent()).toEqual({ calls: 10, failures: 3 });
  await calls(a, 2);
  look(50_000);
  expect(recent.recent()).toEqual({ calls: 2, failures: 0 });
});

it('counters that began anew are counted from there', async () => {
  const a = world.target('A', {});
  const recent = new RecentCalls();
  const look = looker(recent, [a]);
  await calls(a, 4, 4);
  look(0);
  told.length = 0;
  a.pipeline.counters.reset();
  await calls(a, 3, 1);
  look(1_000);

  expect(told).toEqual([['A', 4, 1]]);
  expect(recent.recent()).toEqual({ calls: 12, failures: 5 });
});
