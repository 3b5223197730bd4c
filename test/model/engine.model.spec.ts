// What must hold of the engine whatever happens in whatever order, with all policies at once.
import fc from 'fast-check';
import type { PolicySet } from 'nestjs-bulwark';
import { BAD, type Behaviour, World, WORLD_FACES, type WorkEnd } from './engine-world.js';

const ms = (min: number, max: number) => fc.integer({ min, max });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

/** Plain facts of a set of policies, so that a failure prints what can be typed in again. */
const policies = fc.record({
  retry: maybe(
    fc.record({
      maxAttempts: ms(1, 4),
      delay: ms(0, 40),
      totalTimeout: maybe(ms(50, 200)),
      idempotent: fc.boolean(),
      retryAfterEmit: fc.boolean(),
      onResult: fc.boolean(),
      hook: fc.boolean(),
      propagateDeadline: fc.boolean(),
      budget: maybe(fc.record({ ratio: fc.constantFrom(0, 0.2, 1), minimum: ms(1, 3) })),
    }),
  ),
  circuitBreaker: maybe(
    fc.record({
      failureThreshold: ms(1, 4),
      openFor: ms(1, 60),
      halfOpenLease: ms(10, 100),
      judges: fc.boolean(),
    }),
  ),
  rateLimit: maybe(fc.record({ limit: ms(1, 4), per: ms(5, 60), maxWait: ms(0, 80) })),
  timeLimit: maybe(fc.record({ ms: maybe(ms(1, 80)), idle: ms(5, 40), propagate: fc.boolean() })),
  bulkhead: maybe(
    fc.record({
      maxConcurrent: ms(1, 3),
      maxQueue: ms(0, 3),
      queueTimeout: maybe(ms(1, 60)),
      maxHold: maybe(fc.constantFrom(30, false as const)),
    }),
  ),
  fallback: fc.constantFrom(undefined, 'value', 'waits', 'fails'),
});
type Facts = typeof policies extends fc.Arbitrary<infer T> ? T : never;

function setOf(facts: Facts, wait: () => Promise<unknown>): PolicySet {
  const set: PolicySet = {};
  if (facts.retry) {
    const { onResult, hook, totalTimeout, budget, ...rest } = facts.retry;
    set.retry = { ...rest };
    if (totalTimeout !== undefined) set.retry.totalTimeout = totalTimeout;
    if (budget) set.retry.budget = budget;
    if (onResult) set.retry.retryOnResult = (value) => value === BAD;
    if (hook) set.retry.beforeRetry = () => wait() as Promise<void>;
  }
  if (facts.circuitBreaker) {
    const { judges, ...rest } = facts.circuitBreaker;
    set.circuitBreaker = { ...rest, openJitter: 0 };
    if (judges) set.circuitBreaker.isFailure = (settled) => !settled.ok || settled.value === BAD;
  }
  if (facts.rateLimit) set.rateLimit = facts.rateLimit;
  if (facts.timeLimit) {
    const { ms: limit, idle, propagate } = facts.timeLimit;
    set.timeLimit = { idle, propagateDeadline: propagate };
    if (limit !== undefined) set.timeLimit.ms = limit;
  }
  if (facts.bulkhead) {
    const { queueTimeout, maxHold, ...rest } = facts.bulkhead;
    set.bulkhead = { ...rest };
    if (queueTimeout !== undefined) set.bulkhead.queueTimeout = queueTimeout;
    if (maxHold !== undefined) set.bulkhead.maxHold = maxHold;
  }
  if (facts.fallback === 'value') set.fallback = { value: 'instead' };
  if (facts.fallback === 'waits') set.fallback = () => wait();
  if (facts.fallback === 'fails') set.fallback = () => Promise.reject(new Error('too'));
  return set;
}

const behaviour = fc.constantFrom<Behaviour>(
  ...([
    'waits',
    'waits',
    'waits',
    'nested',
    'answers',
    'bad answer',
    'rejects',
    'not found',
  ] as const),
  ...(['throws', 'throws undefined', 'calls back twice', 'then throws'] as const),
);
const ending = fc.constantFrom<WorkEnd>('resolve', 'bad', 'reject', 'reject', 'not found', 'emit');

const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), behaviour }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(), ending }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), time: ms(0, 60) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('jump' as const), time: ms(1, 200) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hop' as const), ticks: ms(1, 6) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hand' as const), what: ms(0, 2) }) },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

async function perform(world: World, step: Act): Promise<void> {
  const { clock, pipeline } = world.stage;
  const breaker = pipeline.breaker?.policy;
  switch (step.do) {
    case 'call':
      world.call(step.behaviour);
      return;
    case 'end':
      world.end(step.which, step.ending);
      return;
    case 'leave':
      world.leave(step.which);
      return;
    case 'wait':
      return clock.advance(step.time);
    case 'jump':
      clock.jump(step.time);
      return;
    case 'hop':
      for (let i = 0; i < step.ticks; i += 1) {
        await Promise.resolve();
        always(world);
      }
      return;
    case 'hand':
      if (step.what === 0) breaker?.reset();
      else if (step.what === 1) breaker?.open(20);
      else breaker?.isolate()();
      return;
    default:
      step satisfies never;
  }
}

/** #72 #43 at every moment. */
function always(world: World): void {
  for (const { pipeline } of world.targets) {
    const slots = pipeline.bulkhead?.policy.snapshot();
    if (slots) {
      expect(slots.running).toBeGreaterThanOrEqual(0);
      expect(slots.running).toBeLessThanOrEqual(slots.maxConcurrent);
      expect(slots.queued).toBeLessThanOrEqual(slots.maxQueue);
      if (slots.queued > 0) expect(slots.running).toBe(slots.maxConcurrent);
    }
    const { budget } = pipeline;
    if (budget) {
      expect(budget.retries).toBeGreaterThanOrEqual(0);
      expect(budget.calls).toBeGreaterThanOrEqual(budget.retries);
    }
  }
}

/** #71: nothing is taken any more. #25 #43: everything was told exactly once. */
function afterwards(world: World): void {
  const { stage, calls } = world;
  expect(stage.clock.pending).toBe(0);
  for (const target of world.targets) {
    const { slots, turns, budget } = world.rest(target);
    if (slots) expect(slots).toEqual([0, 0, 0]);
    if (turns !== undefined) expect(turns).toBe(0);
    if (budget) expect(budget).toEqual([0, 0]);
  }
  expect(calls.filter((call) => call.isPending)).toEqual([]);
  expect(world.nestedEnded).toBe(world.nested);
  // each attempt was refused by the breaker, or told it its outcome, once
  const { pipeline } = stage;
  const counters = pipeline.breaker?.policy.counters;
  if (counters) {
    const { notPermitted, success, failure, ignored, cancelled, rejected, stale } = counters;
    const told = success + failure + ignored + cancelled + rejected + stale;
    expect(told + notPermitted).toBe(calls.length + pipeline.counters.retries);
  }
  expect(stage.executions).toBeLessThanOrEqual(calls.length + pipeline.counters.retries);
  const admitted = pipeline.lane.rateLimit?.policy.snapshot().admitted;
  if (admitted !== undefined) expect(stage.executions).toBeLessThanOrEqual(admitted);
}

it('#25 #43 #71 #72 #97 nothing leaks and everything adds up, however calls interleave', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...WORLD_FACES),
      policies,
      policies,
      fc.nat(),
      fc.array(act, { minLength: 5, maxLength: 40 }),
      async (face, outer, inner, seed, acts) => {
        let world: World | undefined;
        const wait = (): Promise<unknown> => world!.wait();
        world = new World(face, setOf(outer, wait), setOf(inner, wait), seed);
        for (const step of acts) {
          await perform(world, step);
          always(world);
        }

        await world.drain();

        afterwards(world);
      },
    ),
    { numRuns: 1_000 },
  );
}, 120_000);
