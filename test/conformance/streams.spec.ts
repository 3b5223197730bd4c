import { concat, defer, EMPTY, NEVER, Observable, of, Subject, take, throwError } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { PolicySet } from 'nestjs-bulwark';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { FACES, settle, Stage } from '../support/stage.js';

const OBSERVABLE = FACES.find((face) => face.name === 'observable')!;

interface Heard {
  values: unknown[];
  end?: unknown;
  unsubscribe(): void;
}

function streams(policies: PolicySet): {
  stage: Stage;
  open(source: () => Observable<unknown>): Observable<unknown>;
} {
  const stage = new Stage(OBSERVABLE, policies);
  return { stage, open: (source) => runObservable(stage.target, source as never, undefined, []) };
}

function listen(source: Observable<unknown>): Heard {
  const heard: Heard = { values: [], unsubscribe: () => subscription.unsubscribe() };
  const subscription = source.subscribe({
    next: (value) => heard.values.push(value),
    error: (error: unknown) => (heard.end = error),
    complete: () => (heard.end = 'complete'),
  });
  return heard;
}

it('#11 one subscription is one call, two are two, none is none', async () => {
  const { stage, open } = streams({ retry: { maxAttempts: 3, delay: 10 } });
  let invoked = 0;
  const failsTwice = open(() => {
    invoked += 1;
    const n = invoked;
    return defer(() => (n % 3 === 0 ? of(n) : throwError(() => new Error('x'))));
  });
  expect(invoked).toBe(0);

  const first = listen(failsTwice);
  await stage.clock.advance(1_000);
  const second = listen(failsTwice);
  await stage.clock.advance(1_000);

  expect(invoked).toBe(6);
  expect([first.values, second.values]).toEqual([[3], [6]]);
});

it('passes values on as they come, and is unsubscribed when its listener leaves', () => {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
    ({ hot, expectObservable, expectSubscriptions }) => {
      const { open } = streams({ circuitBreaker: {}, bulkhead: {} });
      const source = hot('-a-b-c-|');

      expectObservable(
        open(() => source),
        '^---!',
      ).toBe('-a-b');
      expectSubscriptions(source.subscriptions).toBe('^---!');
    },
  );
});

describe('#12 the slot comes back exactly once', () => {
  const cases: Record<string, (heard: Heard, subject: Subject<unknown>) => void> = {
    'unsubscribed before the first value': (heard) => heard.unsubscribe(),
    'unsubscribed after one value': (heard, subject) => {
      subject.next(1);
      heard.unsubscribe();
    },
    'unsubscribed twice': (heard) => {
      heard.unsubscribe();
      heard.unsubscribe();
    },
    completed: (_heard, subject) => subject.complete(),
    'completed and unsubscribed': (heard, subject) => {
      subject.complete();
      heard.unsubscribe();
    },
    failed: (_heard, subject) => subject.error(new Error('x')),
  };

  it.each(Object.entries(cases))('%s', (_name, end) => {
    const { stage, open } = streams({ bulkhead: { maxConcurrent: 1 } });
    for (let i = 0; i < 100; i += 1) {
      const subject = new Subject();
      const heard = listen(open(() => subject));
      expect(stage.bulkhead.running).toBe(1);
      end(heard, subject);
      expect(stage.bulkhead.running).toBe(0);
    }
  });

  it('unsubscribed in the middle of a synchronous emission', () => {
    const { stage, open } = streams({ bulkhead: { maxConcurrent: 1 }, circuitBreaker: {} });

    const heard = listen(open(() => of(1, 2, 3)).pipe(take(1)));

    expect(heard).toMatchObject({ values: [1], end: 'complete' });
    expect(stage.bulkhead.running).toBe(0);
    expect(stage.breaker.counters.success).toBe(1);
  });
});

it('leaving before the first value is a cancellation, leaving after it a success', () => {
  const { stage, open } = streams({ circuitBreaker: {} });

  listen(open(() => NEVER)).unsubscribe();
  listen(open(() => concat(of(1), NEVER))).unsubscribe();

  expect(stage.breaker.counters).toMatchObject({ cancelled: 1, success: 1, failure: 0 });
});

it('an error at any time is a failure, and after a value it is not retried nor answered by a fallback', async () => {
  const { stage, open } = streams({
    circuitBreaker: {},
    retry: { delay: 0 },
    fallback: { value: 'fallback' },
  });
  const error = new Error('late');

  const heard = listen(
    open(() =>
      concat(
        of(1),
        throwError(() => error),
      ),
    ),
  );
  await stage.clock.advance(10);

  expect(heard).toMatchObject({ values: [1], end: error });
  expect(stage.breaker.counters.failure).toBe(1);
});

it('the first value decides a half-open probe', async () => {
  const { stage, open } = streams({
    circuitBreaker: { failureThreshold: 1, openFor: 10, successThreshold: 1 },
  });
  listen(open(() => throwError(() => new Error('x'))));
  await stage.clock.advance(20);
  const subject = new Subject();
  const heard = listen(open(() => subject));
  expect(stage.breaker.current).toBe('half-open');

  subject.next(1);
  expect(stage.breaker.current).toBe('closed');
  subject.error(new Error('afterwards'));

  expect(heard.values).toEqual([1]);
  expect(stage.breaker.current).toBe('closed');
});

it('the time limit bounds the first value, not the stream', async () => {
  const { stage, open } = streams({ timeLimit: 100, retry: { totalTimeout: 500 } });
  const subject = new Subject();
  const heard = listen(open(() => subject));
  await stage.clock.advance(99);
  subject.next(1);
  await stage.clock.advance(10_000);
  subject.next(2);
  subject.complete();

  expect(heard).toMatchObject({ values: [1, 2], end: 'complete' });
  expect(stage.clock.pending).toBe(0);
});

it('a time limit tears the stream down', async () => {
  const { stage, open } = streams({ timeLimit: 100 });
  let torn = 0;
  const heard = listen(open(() => new Observable(() => () => (torn += 1))));

  await stage.clock.advance(100);

  expect(heard.end).toMatchObject({ code: 'CALL_TIMEOUT' });
  expect(torn).toBe(1);
});

it('a teardown that throws neither hangs the caller nor keeps the slot', async () => {
  const { stage, open } = streams({ timeLimit: 100, bulkhead: { maxConcurrent: 1 } });
  const broken = new Observable(() => () => {
    throw new Error('teardown');
  });
  const heard = listen(open(() => broken));

  await stage.clock.advance(100);

  expect(heard.end).toMatchObject({ code: 'CALL_TIMEOUT' });
  expect(stage.bulkhead.running).toBe(0);
});

it('an empty stream is a success without a value', () => {
  const { stage, open } = streams({ circuitBreaker: {} });

  const heard = listen(open(() => EMPTY));

  expect(heard).toMatchObject({ values: [], end: 'complete' });
  expect(stage.breaker.counters.success).toBe(1);
});

it('a fallback may answer with a stream', async () => {
  const { open } = streams({ fallback: () => of('a', 'b') });

  const heard = listen(open(() => throwError(() => new Error('x'))));
  await settle();

  expect(heard).toMatchObject({ values: ['a', 'b'], end: 'complete' });
});

it('a listener who leaves tears down the stream of the fallback', async () => {
  let torn = 0;
  const { open } = streams({ fallback: () => new Observable(() => () => (torn += 1)) });
  const heard = listen(open(() => throwError(() => new Error('x'))));

  heard.unsubscribe();

  expect(torn).toBe(1);
});
