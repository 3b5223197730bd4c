// Bugs of peers: an outcome counts only in the era in which its call was let in.
import { inspect } from 'node:util';
import { Gate, Stage } from '../support/stage.js';
import { nextPeriod, ONE_PROBE, PROMISE, probeDue, settle, statesOf, up } from './support.js';

// https://github.com/App-vNext/Polly/issues/217
it('Polly #217: a call from before the trip that succeeds in half-open proves nothing', async () => {
  const stage = new Stage(PROMISE, { circuitBreaker: ONE_PROBE });
  const overhanging = new Gate();
  const call = stage.call(overhanging.work);
  await stage.fail(1);
  await stage.clock.advance(1_000);
  const probe = new Gate();
  stage.call(probe.work);
  await settle();

  overhanging.resolve('late');
  await settle();

  expect(call.value).toBe('late');
  expect(stage.breaker.current).toBe('half-open');
  probe.reject(new Error('down'));
  await settle();
  expect(stage.breaker.current).toBe('open');
});

// https://github.com/App-vNext/Polly/issues/219
it('Polly #219: failures that come in while it is open neither open it again nor prolong it', async () => {
  const stage = new Stage(PROMISE, { circuitBreaker: ONE_PROBE });
  const slow = Array.from({ length: 5 }, () => new Gate());
  for (const gate of slow) stage.call(gate.work);
  await stage.fail(1);

  for (const gate of slow) {
    await stage.clock.advance(100);
    gate.reject(new Error('down'));
  }
  await settle();

  expect(await statesOf(stage)).toEqual(['open']);
  expect(stage.breaker.retryAfter()).toBe(500);
});

// https://github.com/denoland/std/pull/7306
it('deno std #7306: a probe of one period neither closes the next nor frees a place in it', async () => {
  const stage = await probeDue({ halfOpenCalls: 2, successThreshold: 2, halfOpenLease: 60_000 });
  const first = new Gate();
  stage.call(first.work);
  await stage.fail(1); // one of two: closing is out of reach
  await nextPeriod(stage);
  const second = new Gate();
  stage.call(second.work);
  stage.call(second.work);
  await settle();

  first.resolve();
  await settle();

  expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
  expect(second.starts).toBe(2);
  expect(stage.breaker.current).toBe('half-open');
});

// https://github.com/jaseci-labs/jac/pull/8064
it('jac #8064: one overlapping success does not cancel a trip', async () => {
  const stage = new Stage(PROMISE, { circuitBreaker: ONE_PROBE });
  const overlapping = new Gate();
  stage.call(overlapping.work);
  await stage.fail(1);

  overlapping.resolve();
  await settle();

  expect(stage.breaker.current).toBe('open');
  expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
});

// https://github.com/sony/gobreaker/issues/122
it('gobreaker #122: a result that comes too late is not dropped in silence but counted as stale', async () => {
  const stage = await probeDue({ halfOpenCalls: 2, successThreshold: 2 });
  const late = stage.breaker.acquire()!;
  await stage.fail(1);
  expect(stage.breaker.current).toBe('open');

  late.success();

  expect(stage.breaker.counters.stale).toBe(1);
  expect(stage.breaker.current).toBe('open');
});

// https://github.com/thomhurst/Kevlar/issues/227
it('Kevlar #227: a refusal carries nothing of the error, or the request, of another caller', async () => {
  const stage = new Stage(PROMISE, { circuitBreaker: ONE_PROBE });
  await stage.fail(1, Object.assign(new Error('token of alice'), { request: { user: 'alice' } }));

  const { error } = await stage.run(up);

  expect(error.code).toBe('CIRCUIT_OPEN');
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('alice');
});
