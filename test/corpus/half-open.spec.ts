// Bugs of peers: half-open lets a counted number of probes through, and never stays for ever.
import { Observable } from 'rxjs';
import { CircuitOpenError } from 'nestjs-bulwark';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { Gate, Stage } from '../support/stage.js';
import {
  down,
  nextPeriod,
  notFound,
  OBSERVABLE,
  ONE_PROBE,
  probeDue,
  PROMISE,
  settle,
  statesOf,
  up,
} from './support.js';

describe('how many probes', () => {
  // https://github.com/nodeshift/opossum/issues/119
  it('opossum #119: half-open does not open the flood-gates, and a failed probe re-opens whatever the rate', async () => {
    const stage = new Stage(PROMISE, {
      circuitBreaker: { ...ONE_PROBE, failureThreshold: undefined, failureRate: 0.5 },
    });
    await stage.fail(20);
    await stage.clock.advance(60_000); // the window has forgotten them all
    const probe = new Gate();

    const flood = Array.from({ length: 50 }, () => stage.call(probe.work));
    await settle();
    expect(probe.starts).toBe(1);
    expect(flood.filter((call) => !call.isPending)).toHaveLength(49);

    probe.reject(new Error('down'));
    await settle();
    expect(stage.breaker.current).toBe('open');
  });

  // https://github.com/App-vNext/Polly/issues/216
  it('Polly #216: while the first trial is slow, nobody else is let in', async () => {
    const stage = await probeDue({ halfOpenLease: 60_000 });
    const slow = new Gate();
    stage.call(slow.work);

    for (let second = 0; second < 30; second += 1) {
      await stage.clock.advance(1_000);
      expect((await stage.run(up)).error).toBeInstanceOf(CircuitOpenError);
    }

    expect(stage.executions).toBe(1);
  });

  // https://github.com/resilience4j/resilience4j/issues/1432
  it('resilience4j #1432: at the edge from open to half-open no call too many is permitted', async () => {
    const stage = await probeDue({ halfOpenCalls: 2, successThreshold: 2 });
    const probes = new Gate();

    for (let i = 0; i < 10; i += 1) stage.call(probes.work);
    await settle();

    expect(stage.executions).toBe(2);
  });

  // https://github.com/resilience4j/resilience4j/issues/674
  it('resilience4j #674: ten calls at once make one transition to half-open', async () => {
    const stage = await probeDue({ halfOpenCalls: 10, successThreshold: 10 });

    await Promise.all(Array.from({ length: 10 }, () => stage.run(up)));

    expect(await statesOf(stage)).toEqual(['open', 'half-open', 'closed']);
  });

  // https://github.com/nodeshift/opossum/issues/613
  it('opossum #613: half-open may take several probes, and one flaky one of three does not re-open', async () => {
    const stage = await probeDue({ halfOpenCalls: 3, successThreshold: 2 });

    await stage.fail(1);
    expect(stage.breaker.current).toBe('half-open');
    await stage.succeed(2);

    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/resilience4j/resilience4j/issues/858
  it('resilience4j #858: asking whether a call would be let in takes no probe’s place', async () => {
    const stage = await probeDue();

    for (let i = 0; i < 1_000; i += 1) expect(stage.breaker.canExecute()).toBe(true);

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/denoland/std/pull/7097
  it('deno std #7097: probes that fail together re-open once, and the open time counts from the failure', async () => {
    const stage = await probeDue({ halfOpenCalls: 3, successThreshold: 3, halfOpenLease: 60_000 });
    const probes = new Gate();
    for (let i = 0; i < 3; i += 1) stage.call(probes.work);
    await stage.clock.advance(1_500); // each of them takes longer than the open time

    probes.reject(new Error('down'));

    expect(await statesOf(stage)).toEqual(['open', 'half-open', 'open']);
    expect(stage.breaker.retryAfter()).toBe(2_000);
  });
});

describe('never stuck', () => {
  // https://github.com/nodeshift/opossum/issues/276
  it('opossum #276: a minimum of calls does not hold in half-open, where it would block for ever', async () => {
    const stage = new Stage(PROMISE, {
      circuitBreaker: {
        ...ONE_PROBE,
        failureThreshold: undefined,
        failureRate: 0.5,
        minimumCalls: 20,
      },
    });
    await stage.fail(20);
    await stage.clock.advance(60_000);

    await stage.fail(1);
    expect(stage.breaker.current).toBe('open');
    await nextPeriod(stage);

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/nodeshift/opossum/pull/7
  it('opossum #7: it can close in its second half-open period too', async () => {
    const stage = await probeDue();

    await stage.fail(1);
    await nextPeriod(stage);
    await stage.succeed(1);

    expect(await statesOf(stage)).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  // https://github.com/nodeshift/opossum/pull/59
  it('opossum #59: a call fired during the probe does not spoil it', async () => {
    const stage = await probeDue();
    const probe = new Gate();
    stage.call(probe.work);

    const during = await stage.run(up);
    probe.resolve();
    await settle();

    expect(during.error).toBeInstanceOf(CircuitOpenError);
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/nodeshift/opossum/issues/385
  it('opossum #385: six failures at once over a threshold of five open once, and it half-opens after', async () => {
    const stage = new Stage(PROMISE, { circuitBreaker: { ...ONE_PROBE, failureThreshold: 5 } });
    const burst = new Gate();
    for (let i = 0; i < 6; i += 1) stage.call(burst.work);

    burst.reject(new Error('down'));
    await settle();
    await stage.clock.advance(1_000);

    expect((await stage.run(up)).value).toBe('ok');
    expect(await statesOf(stage)).toEqual(['open', 'half-open', 'closed']);
  });

  // https://github.com/nodeshift/opossum/issues/388
  it('opossum #388: a probe that ends with a filtered error does not leave it half-open', async () => {
    const stage = await probeDue({ ignore: (error) => (error as Error).message === 'filtered' });

    await stage.fail(1, new Error('filtered'));

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/nodeshift/opossum/issues/484
  it('opossum #484: after a good probe it stays closed under load', async () => {
    const stage = await probeDue();
    const probe = new Gate();
    stage.call(probe.work);
    const refused = Array.from({ length: 100 }, () => stage.call(up));
    await settle();

    probe.resolve();
    await settle();
    const next = await Promise.all(Array.from({ length: 100 }, () => stage.run(up)));

    expect(refused.every(({ error }) => error instanceof CircuitOpenError)).toBe(true);
    expect(next.map(({ value }) => value)).toEqual(Array.from({ length: 100 }, () => 'ok'));
  });

  // https://github.com/App-vNext/Polly/issues/1979
  it('Polly #1979: a probe that throws what nobody handles is not the last call ever', async () => {
    const stage = await probeDue({ failOn: (error) => (error as Error).message === 'down' });

    await stage.fail(1, new Error('something else'));
    await stage.clock.advance(1_000);

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/App-vNext/Polly/issues/311
  it('Polly #311: a cancelled probe does not use up the only attempt of the period', async () => {
    const stage = await probeDue();

    await stage.fail(1, Object.assign(new Error('cancelled'), { name: 'AbortError' }));
    expect(stage.breaker.current).toBe('half-open');

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/resilience4j/resilience4j/issues/544
  it('resilience4j #544: an ignored error as the last of the probes does not leave it half-open', async () => {
    const stage = await probeDue({ halfOpenCalls: 3, successThreshold: 3 });

    await stage.succeed(2);
    await stage.run(notFound);

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/resilience4j/resilience4j/issues/903
  it('resilience4j #903: fewer probes than the minimum of calls are enough to decide', async () => {
    const stage = new Stage(PROMISE, {
      circuitBreaker: {
        failureRate: 1,
        minimumCalls: 100,
        window: { calls: 100 },
        openJitter: 0,
        halfOpenCalls: 10,
        successThreshold: 8,
      },
    });
    await stage.fail(100);
    await nextPeriod(stage);

    await stage.succeed(8);

    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/resilience4j/resilience4j/issues/935
  it('resilience4j #935: permits that were taken and never told of come back', async () => {
    const stage = await probeDue({ halfOpenCalls: 3, successThreshold: 2, halfOpenLease: 5_000 });
    for (let i = 0; i < 3; i += 1) expect(stage.breaker.acquire()).toBeDefined();
    expect(stage.breaker.acquire()).toBeUndefined();

    await stage.clock.advance(5_000);
    await stage.succeed(2);

    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/diegosouzapw/OmniRoute/issues/13836
  it('OmniRoute #13836: a probe that never settles does not lock everybody out', async () => {
    const stage = await probeDue({ halfOpenLease: 5_000 });
    stage.call(() => new Promise(() => {}));
    await stage.clock.advance(4_999);
    expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfter: 1 });

    await stage.clock.advance(1);

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/alibaba/Sentinel/issues/1638
  it('Sentinel #1638: a probe that a rule further in blocks is not waited for', async () => {
    const stage = await probeDue({}, { bulkhead: { maxConcurrent: 1, maxQueue: 0 } });
    const slots = stage.pipeline.bulkhead!.policy;
    slots.enter();
    expect((await stage.run(up)).error).toMatchObject({ code: 'BULKHEAD_FULL' });
    expect(stage.breaker.current).toBe('half-open');

    slots.release();

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/monix/monix/issues/1080
  it('monix #1080: a probe whose caller leaves gives its place to the next', async () => {
    const stage = await probeDue({}, {}, OBSERVABLE);
    let torn = 0;
    const endless = (): Observable<never> => new Observable(() => () => (torn += 1));

    runObservable(stage.target, endless as never, undefined, [])
      .subscribe()
      .unsubscribe();

    expect(torn).toBe(1);
    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });
});

describe('what a probe proves', () => {
  // https://github.com/erpc/erpc/pull/1118
  it('erpc #1118: probes that mostly find nothing are answers in time, and close it', async () => {
    const stage = await probeDue({ halfOpenCalls: 5, successThreshold: 5 });

    for (let i = 0; i < 4; i += 1) await stage.run(notFound);
    await stage.succeed(1);

    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/smallrye/smallrye-fault-tolerance/issues/320
  it('SmallRye #320: half-open tells errors apart as closed does', async () => {
    const stage = await probeDue();

    await stage.run(notFound);

    expect(stage.breaker.current).toBe('closed');
    expect(stage.breaker.counters).toMatchObject({ failure: 1, ignored: 1 });
  });
});

// https://github.com/nodeshift/opossum/issues/57
it('opossum #57: whatever fails in whatever order, a healthy dependency closes it in the end', async () => {
  const stage = await probeDue({ halfOpenCalls: 2, successThreshold: 2 });
  const works = [up, down, notFound, down, up, down, down, notFound];
  for (const work of works) {
    await stage.run(work);
    await stage.clock.advance(700);
  }

  for (let i = 0; i < 200 && stage.breaker.current !== 'closed'; i += 1) {
    await stage.run(up);
    await stage.clock.advance(1_000);
  }

  expect(stage.breaker.current).toBe('closed');
});
