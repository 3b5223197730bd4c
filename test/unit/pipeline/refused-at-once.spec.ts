import { CircuitOpenError } from '../../../lib/policies/circuit-breaker/circuit-open.error.js';
import { breakerOf, World } from './world.js';

const fine = (): Promise<unknown> => Promise.resolve('fine');

/** Notes are taken by an engine alone: a refusal is to be the same with one and without. */
describe.each([true, false])('a refusal of an open breaker, trace: %s', (trace) => {
  const opened = async (mode: 'enforce' | 'shadow' = 'enforce') => {
    const world = new World({ sample: 1, trace });
    const circuitBreaker = { failureThreshold: 1, openFor: 5_000, openJitter: 0, mode };
    const target = world.target('A', { circuitBreaker });
    await world.fail(target, 1);
    world.events.length = 0;
    return { world, target, counters: world.runtime.pipeline('A')!.counters };
  };

  test('says who, why and until when, is told, counted and timed', async () => {
    const { world, target, counters } = await opened();
    await world.clock.advance(1_000.5);

    const error = (await world.call(target, fine)) as Error;

    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN', target: 'A', retryAfter: 4_000 });
    expect(error.message).toBe('circuit breaker A is open; next probe in 4000 ms');
    const told = { type: 'call-rejected', code: 'CIRCUIT_OPEN', retryAfter: 4_000 };
    expect(world.events).toMatchObject([told]);
    expect(counters).toMatchObject({ calls: 2, failed: 1, rejected: 1, inFlight: 0 });
    expect(counters.latency.report()).toMatchObject({ timed: 2 });
    expect(breakerOf(world).snapshot().counters).toMatchObject({ notPermitted: 1, rejected: 0 });
  });

  test('ends to the millisecond when the open time does', async () => {
    const { world, target } = await opened();
    await world.clock.advance(4_999);
    expect(await world.call(target, fine)).toMatchObject({ retryAfter: 1 });

    await world.clock.advance(1);

    expect(await world.call(target, fine)).toBe('fine');
    expect(breakerOf(world).state).toBe('half-open');
  });

  test('is none in shadow mode', async () => {
    const { world, target } = await opened('shadow');
    expect(await world.call(target, fine)).toBe('fine');
    expect(breakerOf(world).snapshot().counters).toMatchObject({ wouldReject: 1, notPermitted: 0 });
  });

  test('gives way to the end of the application', async () => {
    const { world, target } = await opened();
    world.runtime.drain();
    expect(await world.call(target, fine)).toBeInstanceOf(CircuitOpenError);
    world.runtime.close();
    expect(await world.call(target, fine)).toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});
