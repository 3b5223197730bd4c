import type { Attempt } from './attempt.js';
import { Call, type Method } from './call.js';
import { runAs } from './current-call.js';
import type { Pipeline } from './pipeline.js';

type Settled = { readonly value: unknown } | { readonly error: unknown };

/** A call that returns a promise. Builds no Observable, and one promise where one is enough. */
class PromiseCall extends Call {
  private work: Promise<unknown> | undefined;
  private workAttempt: Attempt | undefined;
  private settled: Settled | undefined;
  private resolve: ((value: unknown) => void) | undefined;
  private reject: ((error: unknown) => void) | undefined;

  constructor(
    pipeline: Pipeline,
    private readonly method: Method,
    self: unknown,
    args: unknown[],
    /** Nothing can end the call before its method does, so the method's promise carries the answer. */
    private direct: boolean,
  ) {
    super(pipeline, self, args);
  }

  start(): Promise<unknown> {
    this.begin();
    this.direct = false;
    const { work, workAttempt } = this;
    if (work === undefined) return this.result();
    this.work = undefined;
    return work.then(
      (value) => {
        workAttempt!.succeeded(value);
        return this.handOver();
      },
      (error: unknown) => {
        workAttempt!.failed(error);
        return this.handOver();
      },
    );
  }

  override invoke(attempt: Attempt): void {
    let work: Promise<unknown>;
    try {
      // adopts foreign thenables, so that one that calls back twice settles once
      work = Promise.resolve(runAs(attempt, this.method, this.self, this.args));
    } catch (error) {
      attempt.failed(error);
      return;
    }
    if (this.direct) {
      this.work = work;
      this.workAttempt = attempt;
      return;
    }
    void work.then(
      (value) => attempt.succeeded(value),
      (error: unknown) => attempt.failed(error),
    );
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
    if (typeof result !== 'object' || result === null) good(result);
    else void Promise.resolve(result).then(good, bad);
  }

  /** The answer if there is one, else a promise of it. */
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
  if (signal === undefined)
    return new PromiseCall(pipeline, method, self, args, !pipeline.timed).start();
  if (signal.aborted) return Promise.reject(signal.reason);
  const call = new PromiseCall(pipeline, method, self, args, false);
  const abort = (): void => call.cancel(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return call.start().finally(() => signal.removeEventListener('abort', abort));
}
