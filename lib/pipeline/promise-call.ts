import { isObservable, lastValueFrom } from 'rxjs';
import type { Attempt } from './attempt.js';
import { Call } from './call.js';
import type { DirectStart } from './direct-start.js';

type Settled = { readonly value: unknown } | { readonly error: unknown };

/** A call that returns a promise. Builds no Observable. */
export class PromiseCall extends Call {
  private settled: Settled | undefined;
  private resolve: ((value: unknown) => void) | undefined;
  private reject: ((error: unknown) => void) | undefined;

  start(): Promise<unknown> {
    this.begin();
    return this.result();
  }

  /** Goes on where a call that ran without an engine has failed; answers what the callback of a `then` has to. */
  resume(start: DirectStart, error: unknown): unknown {
    this.adopt(start).failed(error);
    this.follow();
    return this.handOver();
  }

  /** The same where the method threw before it returned anything. */
  resumeAtOnce(start: DirectStart, error: unknown): Promise<unknown> {
    this.adopt(start).failed(error);
    this.follow();
    return this.result();
  }

  /** Takes over a call whose method runs without an engine, and answers its caller. */
  takeOver(
    start: DirectStart,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): Attempt {
    this.resolve = resolve;
    this.reject = reject;
    return this.adopt(start);
  }

  override invoke(attempt: Attempt): void {
    try {
      void whenSettled(
        this.callMethod(attempt),
        (value) => attempt.succeeded(value),
        (error) => attempt.failed(error),
      );
    } catch (error) {
      attempt.failed(error);
    }
  }

  override stopWork(): void {
    // a promise cannot be stopped: the work was asked to by its signal
  }

  protected override answer(value: unknown): void {
    if (this.resolve === undefined) this.settled = { value };
    else this.resolve(value);
  }

  protected override giveUp(error: unknown): void {
    if (this.reject === undefined) this.settled = { error };
    else this.reject(error);
  }

  protected override await(
    result: unknown,
    good: (value: unknown) => void,
    bad: (error: unknown) => void,
  ): void {
    if (isObservable(result)) {
      // the types allow it, and a promise of a stream is its last value
      void lastValueFrom(result, { defaultValue: undefined }).then(good, bad);
    } else if (typeof result === 'function' || (typeof result === 'object' && result !== null)) {
      void Promise.resolve(result).then(good, bad);
    } else {
      good(result);
    }
  }

  /** What the callback of a `then` has to return: the answer if there is one, else a promise of it. */
  private handOver(): unknown {
    const { settled } = this;
    if (settled === undefined) return this.result();
    return 'error' in settled ? new Rejecting(settled.error) : settled.value;
  }

  private result(): Promise<unknown> {
    const { settled } = this;
    if (settled === undefined) {
      return new Promise((resolve, reject) => {
        this.resolve = resolve;
        this.reject = reject;
      });
    }
    return 'error' in settled ? rejectSoon(settled.error) : Promise.resolve(settled.value);
  }
}

/**
 * Returned from the callback of a `then`, makes its promise reject. Throwing there would have the
 * engine look for who catches, which costs as much as all the rest of a failing call.
 */
class Rejecting {
  constructor(private readonly error: unknown) {}

  then(_resolve: unknown, reject: (error: unknown) => void): void {
    reject(this.error);
  }
}

/**
 * Once the result is there. Foreign thenables are adopted, and so is a promise with a `then` of its
 * own: either might call back twice, and what follows here is done once.
 */
export function whenSettled<T>(
  result: unknown,
  good: (value: unknown) => T,
  bad: (error: unknown) => T,
): Promise<T> {
  const promise = Promise.resolve(result);
  if (promise.then === Promise.prototype.then) return promise.then(good, bad);
  return new Promise((resolve, reject) => void promise.then(resolve, reject)).then(good, bad);
}

const settledAlready = Promise.resolve();

/**
 * A promise that rejects in the next microtask, when whoever awaits it has attached a handler.
 * Rejecting at once would run Node's bookkeeping of unhandled rejections, which costs more than
 * the refusal.
 */
export function rejectSoon(error: unknown): Promise<never> {
  return new Promise((_resolve, reject) => {
    void settledAlready.then(() => reject(error));
  });
}
