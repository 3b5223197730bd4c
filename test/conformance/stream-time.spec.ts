// Time and retries of streams: what holds before the first value, and what after it.
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  CallTimeoutError,
  currentCall,
  type PolicySet,
  type RetryOptions,
  type TimeLimitOptions,
} from 'nestjs-bulwark';
import { EMPTY, from, Observable, Subject } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { Nested } from '../support/nested.js';
import { FACES, settle, type Stage } from '../support/stage.js';

const OBSERVABLE = FACES.find((face) => face.name === 'observable')!;

const open = (
  policies: PolicySet,
  source: (stage: Nested) => Observable<unknown>,
): { stage: Nested; heard: unknown[]; left: () => void } => {
  const stage = new Nested(OBSERVABLE, policies);
  const heard: unknown[] = [];
  const subscription = runObservable(
    stage.target,
    (() => source(stage)) as never,
    undefined,
    [],
  ).subscribe({
    next: (value) => heard.push(value),
    error: (error: Error & { code?: string }) => heard.push(error.code ?? error.message),
    complete: () => heard.push('|'),
  });
  return { stage, heard, left: () => subscription.unsubscribe() };
};

const timed = (stage: Stage, ...times: number[]): Observable<unknown> =>
  new Observable((subscriber) => {
    const cancels = times.map((t) => stage.clock.schedule(() => subscriber.next(t), t));
    return () => cancels.forEach((cancel) => cancel());
  });

const idle = (ms: number, more: TimeLimitOptions = {}): PolicySet => ({
  timeLimit: { idle: ms, ...more },
  circuitBreaker: {},
  bulkhead: {},
});

it('idle bounds each gap, and from the last value to the end', async () => {
  const { stage, heard } = open(idle(50), (s) => timed(s, 200, 250, 299));
  await stage.clock.advance(348);
  expect(heard).toEqual([200, 250, 299]);

  await stage.clock.advance(1);

  expect(heard).toEqual([200, 250, 299, 'CALL_TIMEOUT']);
  expect(stage.breaker.counters.failure).toBe(1);
  expect(stage.bulkhead.running).toBe(0);
  expect(stage.clock.pending).toBe(0);
});

it('idle: a value in the very last moment is in time', async () => {
  const { stage, heard } = open(idle(50), (s) => timed(s, 0, 50, 100));

  await stage.clock.advance(149);

  expect(heard).toEqual([0, 50, 100]);
});

it('idle says what it is', async () => {
  const errors: CallTimeoutError[] = [];
  const stage = new Nested(OBSERVABLE, idle(50));
  runObservable(stage.target, (() => timed(stage, 1)) as never, undefined, []).subscribe({
    error: (error: CallTimeoutError) => errors.push(error),
  });

  await stage.clock.advance(1_000);

  expect(errors).toEqual([expect.objectContaining({ idle: true, limit: 50, started: true })]);
  expect(errors[0]!.message).toBe('Controller.handle sent nothing for 50 ms');
});

it('idle: an event loop that was blocked is not the dependency’s silence', async () => {
  const { stage, heard } = open(idle(50), (s) => timed(s, 0, 100_000));
  await stage.clock.advance(1);

  stage.clock.jump(200);
  await stage.clock.advance(0);

  expect(heard).toEqual([0, 'CALL_TIMEOUT']);
  expect(stage.breaker.counters).toMatchObject({ failure: 0, cancelled: 1 });
});

it('idle ends with the stream, with its error, and with its listener', async () => {
  const subject = new Subject();
  const completed = open(idle(50), () => subject);
  const failed = open(idle(50), () => subject);
  const left = open(idle(50), () => subject);
  subject.next(1);
  left.left();
  completed.left();
  subject.error(new Error('x'));
  await settle();

  expect([completed, failed, left].map(({ stage }) => stage.clock.pending)).toEqual([0, 0, 0]);
});

it('idle is not watched for a listener whom a predicate made leave', () => {
  const leave = new Subject<void>();
  const policies: PolicySet = {
    timeLimit: { idle: 50 },
    circuitBreaker: {
      isFailure: () => {
        leave.next();
        return false;
      },
    },
  };
  const { stage, left } = open(policies, () => source);
  const source = new Subject();
  const { stage: second, left: leaveSecond } = open(policies, () => source);
  leave.subscribe(leaveSecond);
  source.next(1);
  left();

  expect([stage.clock.pending, second.clock.pending]).toEqual([0, 0]);
});

it('after the first value no limit is left that calls further in could inherit', async () => {
  const results: unknown[] = [];
  const { stage, heard } = open(
    {
      timeLimit: { ms: 100, propagateDeadline: true },
      retry: { totalTimeout: 100, delay: 1 },
    },
    (s) => {
      const inner = s.inner({ circuitBreaker: {} });
      return new Observable<number>((subscriber) => {
        subscriber.next(0);
        return s.clock.schedule(() => {
          results.push(currentCall().remaining());
          s.ask(inner, () => Promise.resolve('asked')).then(
            (value) => results.push(value),
            (error: unknown) => results.push(error),
          );
        }, 500);
      });
    },
  );

  await stage.clock.advance(500);

  expect(heard).toEqual([0]);
  expect(results).toEqual([Number.POSITIVE_INFINITY, 'asked']);
});

it('retryAfterEmit goes on with another attempt, without a limit of the whole call', async () => {
  let attempt = 0;
  const { stage, heard } = open(
    {
      retry: { retryAfterEmit: true, delay: 200, jitter: 'none', totalTimeout: 300 },
      timeLimit: 100,
    },
    (s) => {
      attempt += 1;
      return attempt < 3
        ? new Observable((subscriber) => {
            subscriber.next(attempt);
            return s.clock.schedule(() => subscriber.error(new Error('broke')), 50);
          })
        : EMPTY;
    },
  );

  await stage.clock.advance(700);

  expect(attempt).toBe(3);
  expect(heard).toEqual([1, 2, '|']);
  expect(stage.pipeline.counters.retries).toBe(2);
  expect(stage.clock.pending).toBe(0);
});

it.each<[string, RetryOptions, number]>([
  ['without retryAfterEmit', {}, 1],
  ['with retryAfterEmit', { retryAfterEmit: true }, 3],
])('%s a stream that breaks after a value is opened %d times', async (...row) => {
  const [, options, times] = row;
  let opened = 0;
  const { stage, heard } = open({ retry: { delay: 1, ...options } }, () => {
    opened += 1;
    return new Observable((subscriber) => {
      subscriber.next(opened);
      subscriber.error(new Error('broke'));
    });
  });

  await stage.clock.advance(1_000);

  expect(opened).toBe(times);
  expect(heard).toEqual([...Array.from({ length: times }, (_, i) => i + 1), 'broke']);
});

it.each<[string, RetryOptions, (shared: Subject<unknown>) => void]>([
  ['a first value that is not good enough', { retryOnResult: () => true }, (s) => s.next('bad')],
  ['silence after a value', { retryAfterEmit: true, idempotent: true }, (s) => s.next('good')],
])('#70 the retry after %s of a shared source runs in its own caller’s context', async (...row) => {
  const [, retry, happen] = row;
  const storage = new AsyncLocalStorage<string>();
  const shared = new Subject();
  const stage = new Nested(OBSERVABLE, {
    retry: { ...retry, maxAttempts: 2, delay: 1 },
    timeLimit: { idle: 10 },
  });
  const ran: string[] = [];
  for (const user of ['alice', 'bob']) {
    let first = true;
    const method = (): Observable<unknown> => {
      if (!first) ran.push(`${user} as ${storage.getStore()}`);
      const source = first ? shared : EMPTY;
      first = false;
      return source;
    };
    storage.run(user, () =>
      runObservable(stage.target, method as never, undefined, []).subscribe(),
    );
  }

  storage.run('alice', () => happen(shared));
  await stage.clock.advance(100);

  expect(ran.toSorted()).toEqual(['alice as alice', 'bob as bob']);
});

it.each<[string, unknown[], 'success' | 'failure']>([
  ['a bad first value', ['bad', 'good'], 'failure'],
  ['a good first value', ['good', 'bad'], 'success'],
  ['a bad only value', ['bad'], 'failure'],
])('isFailure judges a stream by its first value: %s', async (_name, values, outcome) => {
  const { stage, heard } = open(
    { circuitBreaker: { isFailure: (settled) => settled.ok && settled.value === 'bad' } },
    () => from(values),
  );
  await settle();

  expect(heard).toEqual([...values, '|']);
  expect(stage.breaker.counters).toMatchObject({ success: 0, failure: 0, [outcome]: 1 });
});
