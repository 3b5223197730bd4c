// The budget of retries: how many may run at once, and that its counts never leak, on every face.
import type { PolicySet, RetryOptions } from 'nestjs-bulwark';
import { NEVER, type Observable, of, throwError } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import type { Target } from '../../lib/pipeline/target.js';
import { type Face, FACES, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const OBSERVABLE = FACES.find((face) => face.name === 'observable')!;
const down = (): Promise<never> => Promise.reject(new Error('down'));

const stageOf = (face: Face, retry: RetryOptions = {}, more: PolicySet = {}): Stage =>
  new Stage(face, { ...more, retry: { jitter: 'none', ...retry } });

const counts = ({ pipeline }: Stage | Target): [calls: number, retries: number] => [
  pipeline.budget!.calls,
  pipeline.budget!.retries,
];

const declined = (stage: Stage, why: string): number =>
  stage.events.filter((e) => e.type === 'retry-declined' && e.why === why).length;

onEveryFace((face) => {
  it('#51 a storm of 1,000 callers who all fail makes 20 % more load, not 200 %', async () => {
    const stage = stageOf(face);
    const calls = Array.from({ length: 1_000 }, () => stage.call(down));
    await settle();
    expect(counts(stage)[1]).toBeLessThanOrEqual(200);

    await stage.clock.advance(10_000);

    // each of those who have leave to retry keeps it for both of its retries
    expect(stage.executions).toBeGreaterThan(1_200);
    expect(stage.executions).toBeLessThanOrEqual(1_400);
    expect(declined(stage, 'budget-exhausted')).toBeGreaterThanOrEqual(800);
    expect(calls.every((call) => call.error.message === 'down')).toBe(true);
    expect(counts(stage)).toEqual([0, 0]);
  });

  it('three retries may run however few calls there are, and the fourth caller gets its last error', async () => {
    const stage = stageOf(face, { delay: 1_000 });
    const error = new Error('the fourth');
    for (let i = 0; i < 3; i += 1) await stage.run(down);
    expect(counts(stage)).toEqual([3, 3]);

    const fourth = await stage.run(() => Promise.reject(error));

    expect(fourth.error).toBe(error);
    expect(stage.events.at(-1)).toMatchObject({
      type: 'retry-declined',
      severity: 'info',
      target: 'Controller.handle',
      attempt: 1,
      why: 'budget-exhausted',
    });
    expect(counts(stage)).toEqual([3, 3]);
  });

  it('is back as soon as the retries are over', async () => {
    const stage = stageOf(face, { budget: { ratio: 0, minimum: 1 }, maxAttempts: 2 });
    stage.call(down);
    await stage.clock.advance(100);
    expect(stage.executions).toBe(2);

    stage.call(down);
    await stage.clock.advance(100);

    expect(stage.executions).toBe(4);
    expect(declined(stage, 'budget-exhausted')).toBe(0);
  });

  it('a retry counts until its attempt ends, not only while it waits', async () => {
    const stage = stageOf(face, { budget: { ratio: 0, minimum: 1 } });
    const gate = new Gate();
    const first = stage.call(() => (stage.executions === 1 ? down() : gate.promise));
    await stage.clock.advance(100);
    expect(counts(stage)).toEqual([1, 1]);

    await stage.run(down);
    expect(declined(stage, 'budget-exhausted')).toBe(1);
    gate.resolve('ok');
    await settle();

    expect(first.value).toBe('ok');
    expect(counts(stage)).toEqual([0, 0]);
  });

  it('a call gives back its own leave, and nobody else’s', async () => {
    const stage = stageOf(face, { delay: 1_000 });
    const first = await stage.run(down);
    await stage.clock.advance(500);
    await stage.run(down);
    await stage.run(down);
    expect(counts(stage)).toEqual([3, 3]);

    await stage.clock.advance(500);
    expect(first.isPending).toBe(true);
    expect(counts(stage)).toEqual([3, 3]);
    stage.runtime.reconfigure('Controller.handle', { retry: { maxAttempts: 1 } });
    await stage.run(down);

    expect(counts(stage)).toEqual([3, 3]);
  });

  it('a retry counts no longer while a fallback answers', async () => {
    const gate = new Gate();
    const stage = stageOf(face, { maxAttempts: 2 }, { fallback: gate.work });
    const call = stage.call(down);
    await stage.clock.advance(100);
    expect(counts(stage)).toEqual([1, 0]);

    gate.resolve('instead');
    await settle();

    expect(call.value).toBe('instead');
    expect(counts(stage)).toEqual([0, 0]);
  });

  it('a bad result that may not be retried is the answer, and an event says why', async () => {
    const stage = stageOf(face, {
      retryOnResult: () => true,
      budget: { ratio: 0, minimum: 1 },
      delay: 1_000,
    });
    const first = await stage.run(() => Promise.resolve('a'));
    expect(first.isPending).toBe(true);

    const second = await stage.run(() => Promise.resolve('b'));

    expect(second.value).toBe('b');
    expect(second.values).toEqual(['b']);
    expect(declined(stage, 'budget-exhausted')).toBe(1);
  });

  it('budget: false means no limit', async () => {
    const stage = stageOf(face, { budget: false });
    for (let i = 0; i < 50; i += 1) stage.call(down);

    await stage.clock.advance(10_000);

    expect(stage.executions).toBe(150);
    expect(stage.pipeline.budget).toBeUndefined();
  });

  it('is shared by all in front of the same breaker, and by nobody else', async () => {
    const stage = stageOf(
      face,
      { budget: { ratio: 0, minimum: 1 }, delay: 1_000 },
      {
        circuitBreaker: { name: 'pay', failureThreshold: 100 },
      },
    );
    const beside = (name: string, breaker: string): Target =>
      stage.runtime.registerChecked(name, {
        retry: { delay: 1_000, jitter: 'none' },
        circuitBreaker: { name: breaker, failureThreshold: 100 },
      });
    const same = beside('Other.pay', 'pay');
    const other = beside('Other.mail', 'mail');
    await stage.run(down);

    const refused = runPromise(same, down, undefined, []);
    const granted = runPromise(other, down, undefined, []);
    await expect(refused).rejects.toThrow('down');
    granted.catch(() => {});
    await settle();

    expect(same.pipeline.budget).toBe(stage.pipeline.budget);
    expect([counts(same), counts(other)]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(stage.events).toContainEqual(
      expect.objectContaining({ target: 'Other.pay', why: 'budget-exhausted' }),
    );
  });
});

describe('of streams', () => {
  const open = (
    source: (n: number) => Observable<unknown>,
    retry: RetryOptions = {},
  ): { stage: Stage; leave: () => void } => {
    const stage = stageOf(OBSERVABLE, retry);
    let n = 0;
    const work = (): Observable<unknown> => source((n += 1));
    const subscription = runObservable(stage.target, work as never, undefined, []).subscribe({
      error: () => {},
    });
    return { stage, leave: () => subscription.unsubscribe() };
  };

  it('a stream is in flight until it ends or its listener leaves', () => {
    const { stage, leave } = open(() => NEVER);
    expect(counts(stage)).toEqual([1, 0]);

    leave();

    expect(counts(stage)).toEqual([0, 0]);
  });

  it('a retried stream that completes at once leaves no count', async () => {
    const { stage } = open((n) => (n === 1 ? throwError(() => new Error('x')) : of(1)));
    expect(counts(stage)).toEqual([1, 1]);

    await stage.clock.advance(100);

    expect(counts(stage)).toEqual([0, 0]);
  });

  it('a first value that is not good enough holds the budget as an error does', async () => {
    const { stage, leave } = open((n) => (n < 3 ? of('bad') : NEVER), {
      retryOnResult: (value) => value === 'bad',
    });
    expect(counts(stage)).toEqual([1, 1]);
    await stage.clock.advance(100);
    expect(counts(stage)).toEqual([1, 1]);
    await stage.clock.advance(200);
    expect(counts(stage)).toEqual([1, 1]);

    leave();

    expect(counts(stage)).toEqual([0, 0]);
    expect(stage.clock.pending).toBe(0);
  });
});
