import { AsyncResource } from 'node:async_hooks';
import { from, isObservable, Observable, type ObservableInput, Subscriber } from 'rxjs';
import { ignore } from '../kernel/ignore.js';
import type { Attempt } from './attempt.js';
import { Call, type Method } from './call.js';
import { runAs, runInContext } from './current-call.js';
import type { Pipeline } from './pipeline.js';
import type { Target } from './target.js';

/**
 * A call that returns a stream: one subscription is one call, and each of its attempts invokes the
 * method anew. Values are passed on as they come.
 */
class ObservableCall extends Call {
  private inner: Subscriber<unknown> | undefined;
  private fallback: Subscriber<unknown> | undefined;
  private emitted = false;
  /** The latest value; if it is the only one, it is the answer. */
  private only: unknown;

  constructor(
    pipeline: Pipeline,
    method: Method,
    self: unknown,
    args: unknown[],
    private readonly subscriber: Subscriber<unknown>,
    /** Whether unsubscribing ends the work, or only hides from us when it ends. */
    private readonly stoppable: boolean,
  ) {
    super(pipeline, pipeline.laneOf(args), method, self, args);
    subscriber.add(() => this.unsubscribed());
  }

  start(): void {
    this.begin();
  }

  override invoke(attempt: Attempt): void {
    let result: unknown;
    let source: Observable<unknown>;
    try {
      result = this.callMethod(attempt);
      source = isObservable(result) ? result : from(result as ObservableInput<unknown>);
    } catch (error) {
      attempt.failed(error);
      return;
    }
    if (!attempt.isAwaited) {
      attempt.stopped(); // the method itself made its caller leave; there is nothing to subscribe for
      ignore(result);
      return;
    }
    const home = this.callersContext();
    const inner = new Subscriber<unknown>({
      next: (value) => this.pass(attempt, inner, value, home),
      error: (error: unknown) => home(() => attempt.failed(error)),
      complete: () => {
        if (!this.emitted) this.key = undefined;
        home(() => attempt.succeeded(this.only));
      },
    });
    this.inner = inner;
    try {
      const subscribe = (): unknown =>
        runAs(undefined, () => source.subscribe(inner), undefined, []);
      if (this.pipeline.propagates) runInContext(attempt, subscribe, undefined, []);
      else subscribe();
    } catch (error) {
      attempt.failed(error); // a closed Subject throws instead of notifying
    }
  }

  override stopWork(attempt: Attempt): void {
    // what has emitted and not ended is a stream after all
    if (!this.stoppable && !this.emitted) return;
    try {
      this.inner?.unsubscribe();
      attempt.stopped();
    } catch (error) {
      attempt.failed(error); // a teardown that throws is a late failure; it must not reach the timer that called us
    }
  }

  protected override get hasEmitted(): boolean {
    return this.emitted;
  }

  protected override deliver(value: unknown): void {
    this.answer(new Undelivered(value));
  }

  protected override answer(value: unknown): void {
    if (value instanceof Undelivered) this.subscriber.next(value.value);
    this.subscriber.complete();
  }

  protected override giveUp(error: unknown): void {
    this.subscriber.error(error);
  }

  protected override await(
    result: unknown,
    good: (value: unknown) => void,
    bad: (error: unknown) => void,
  ): void {
    if (isObservable(result)) {
      const home = this.callersContext();
      this.fallback = new Subscriber<unknown>({
        next: (value) => {
          this.emitted = true;
          this.subscriber.next(value);
        },
        error: (error: unknown) => home(() => bad(error)),
        complete: () => good(undefined),
      });
      result.subscribe(this.fallback);
    } else if (isThenable(result)) {
      void Promise.resolve(result).then((value: unknown) => good(new Undelivered(value)), bad);
    } else {
      good(new Undelivered(result));
    }
  }

  private pass(attempt: Attempt, inner: Subscriber<unknown>, value: unknown, home: Home): void {
    if (!attempt.isAwaited) {
      attempt.succeeded(value); // late: the result of a promise, or the first value of a stream that nobody wants
      inner.unsubscribe();
      return;
    }
    if (!this.emitted && home(() => this.retriesResult(value))) {
      attempt.replaced(value);
      inner.unsubscribe();
      return;
    }
    if (this.emitted) this.key = undefined; // one answer can be kept, and given again; a stream is none
    this.emitted = true;
    this.only = value;
    if (attempt.hasValue) attempt.laterValue();
    else home(() => this.firstValue(attempt, value));
    this.subscriber.next(value);
  }

  /**
   * Runs what follows an error, an end, or a first value, in the context of whoever subscribed: a
   * shared source reports it in the context of somebody else, and what comes next, another attempt
   * or another fallback, would run there.
   */
  private callersContext(): Home {
    const { retry, fallback } = this.pipeline;
    if (retry === undefined && fallback === undefined) return (step) => step();
    const resource = new AsyncResource('bulwark:call');
    return (step) => resource.runInAsyncScope(step);
  }

  /** Also runs after the end, where it finds nothing to do. */
  private unsubscribed(): void {
    this.cancel(undefined);
    this.fallback?.unsubscribe();
  }
}

type Home = <T>(step: () => T) => T;

/** A value that the caller has not had yet, to be told from those of a stream that passed them on. */
class Undelivered {
  constructor(readonly value: unknown) {}
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Runs a method that returns an Observable through its pipeline. Nothing happens before
 * subscription.
 *
 * @param stoppable false if the stream is a promise in disguise: its work goes on when we
 * unsubscribe, so we stay to see it end and to hold its slot until then
 */
export function runObservable(
  target: Target,
  method: Method,
  self: unknown,
  args: unknown[],
  stoppable = true,
): Observable<unknown> {
  return new Observable((subscriber) =>
    new ObservableCall(target.pipeline, method, self, args, subscriber, stoppable).start(),
  );
}
