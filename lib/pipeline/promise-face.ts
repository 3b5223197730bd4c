import { isObservable, lastValueFrom } from 'rxjs';
import { type Permit, REFUSED } from '../kernel/permit.js';
import type { Attempt } from './attempt.js';
import { Call, type Method } from './call.js';
import { runAs } from './current-call.js';
import type { Pipeline } from './pipeline.js';

type Settled = { readonly value: unknown } | { readonly error: unknown };

/** A call that returns a promise. Builds no Observable. */
class PromiseCall extends Call {
  private settled: Settled | undefined;
  private resolve: ((value: unknown) => void) | undefined;
  private reject: ((error: unknown) => void) | undefined;

  constructor(
    pipeline: Pipeline,
    private readonly method: Method,
    self: unknown,
    args: unknown[],
  ) {
    super(pipeline, self, args);
  }

  start(): Promise<unknown> {
    this.begin();
    return this.result();
  }

  /** Goes on where a call that ran without an engine has failed. */
  resume(permit: Permit, error: unknown): unknown {
    this.adopt(permit).failed(error);
    return this.handOver();
  }

  override invoke(attempt: Attempt): void {
    try {
      // adopts foreign thenables, so that one that calls back twice settles once
      void Promise.resolve(runAs(attempt, this.method, this.self, this.args)).then(
        (value) => attempt.succeeded(value),
        (error: unknown) => attempt.failed(error),
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

  /** The answer if there is one, else a promise of it. For the callbacks of a `then`. */
  private handOver(): unknown {
    const { settled } = this;
    if (settled === undefined) return this.result();
    if ('error' in settled) throw settled.error;
    return settled.value;
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

const settledAlready = Promise.resolve();

/**
 * A promise that rejects in the next microtask, when whoever awaits it has attached a handler.
 * Rejecting at once would run Node's bookkeeping of unhandled rejections, which costs more than
 * the refusal.
 */
function rejectSoon(error: unknown): Promise<never> {
  return new Promise((_resolve, reject) => {
    void settledAlready.then(() => reject(error));
  });
}

/**
 * Runs a method that returns a promise through its pipeline.
 *
 * @param signal ends the call from outside: it rejects with the signal's reason
 */
export function runPromise(
  pipeline: Pipeline,
  method: Method,
  self: unknown,
  args: unknown[],
  signal?: AbortSignal,
): Promise<unknown> {
  if (signal === undefined) {
    return pipeline.runsDirectly()
      ? runDirectly(pipeline, method, self, args)
      : new PromiseCall(pipeline, method, self, args).start();
  }
  if (signal.aborted) return Promise.reject(signal.reason);
  const call = new PromiseCall(pipeline, method, self, args);
  const abort = (): void => call.cancel(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return call.start().finally(() => signal.removeEventListener('abort', abort));
}

/**
 * The healthy call, which is nearly every call: admitted at once, with nothing that could end it
 * before its method does. The engine is made only if the method fails.
 */
function runDirectly(
  pipeline: Pipeline,
  method: Method,
  self: unknown,
  args: unknown[],
): Promise<unknown> {
  pipeline.fallback?.begun();
  const permit = pipeline.breaker === undefined ? REFUSED : pipeline.breaker.policy.enter();
  pipeline.bulkhead?.policy.enter();
  const failed = (error: unknown): unknown =>
    new PromiseCall(pipeline, method, self, args).resume(permit, error);
  try {
    return Promise.resolve(runAs(pipeline, method, self, args)).then((value) => {
      pipeline.leave(permit);
      return value;
    }, failed);
  } catch (error) {
    return settledAlready.then(() => failed(error));
  }
}
