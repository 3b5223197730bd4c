import { isObservable, lastValueFrom } from 'rxjs';
import { REFUSED } from '../kernel/permit.js';
import type { CircuitOpenError } from '../policies/circuit-breaker/circuit-open.error.js';
import { refusalOf } from './admission.js';
import type { Attempt } from './attempt.js';
import { Call, type Method } from './call.js';
import { inheritedEnd, runAs } from './current-call.js';
import type { DirectStart } from './direct-call.js';
import { emitRefusal } from './environment.js';
import { followSignal } from './follow-signal.js';
import { runKept } from './kept-call.js';
import type { Lane } from './lane.js';
import type { Pipeline } from './pipeline.js';
import { spentMark } from './retries.js';
import { Timing } from './statistics/timing.js';
import type { Target } from './target.js';

type Settled = { readonly value: unknown } | { readonly error: unknown };

/** A call that returns a promise. Builds no Observable. */
class PromiseCall extends Call {
  private settled: Settled | undefined;
  private resolve: ((value: unknown) => void) | undefined;
  private reject: ((error: unknown) => void) | undefined;

  start(): Promise<unknown> {
    this.begin();
    return this.result();
  }

  /** Goes on where a call that ran without an engine has failed. */
  resume(start: DirectStart, error: unknown): unknown {
    this.adopt(start).failed(error);
    this.follow();
    return this.handOver();
  }

  override invoke(attempt: Attempt): void {
    try {
      // adopts foreign thenables, so that one that calls back twice settles once
      void Promise.resolve(this.callMethod(attempt)).then(
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
  target: Target,
  method: Method,
  self: unknown,
  args: unknown[],
  signal?: AbortSignal,
): Promise<unknown> {
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const { pipeline } = target;
  if (pipeline.onlyKeeps && signal === undefined) {
    const kept = runKept(pipeline, method, self, args);
    if (kept !== undefined) return kept;
  }
  const lane = pipeline.laneOf(args);
  if (signal === undefined) {
    if (inheritedEnd(pipeline.env.clock) === undefined) {
      if (pipeline.runsDirectly(lane)) return runDirectly(pipeline, lane, method, self, args);
      const refusal = refuseDirectly(pipeline, lane);
      if (refusal !== undefined) return rejectSoon(refusal);
    }
    return new PromiseCall(pipeline, lane, method, self, args).start();
  }
  const call = new PromiseCall(pipeline, lane, method, self, args);
  const letGo = followSignal(signal, () => call.cancel(signal.reason));
  return call.start().finally(letGo);
}

/** The refusal of an open breaker, where that is the end of the call. */
function refuseDirectly(pipeline: Pipeline, lane: Lane): CircuitOpenError | undefined {
  if (lane.breaker === undefined || !pipeline.refusesDirectly) return undefined;
  const { counters, env } = pipeline;
  const refusal = refusalOf(lane.breaker, env);
  if (refusal === undefined) return undefined;
  counters.calls += 1;
  counters.rejected += 1;
  Timing.of(counters.latency, env.clock)?.answered();
  emitRefusal(env, refusal);
  return refusal;
}

/**
 * The healthy call, which is nearly every call: admitted at once, with nothing that could end it
 * before its method does. The engine is made only if the method fails.
 */
function runDirectly(
  pipeline: Pipeline,
  lane: Lane,
  method: Method,
  self: unknown,
  args: unknown[],
): Promise<unknown> {
  const { breaker, bulkhead } = lane;
  const { counters } = pipeline;
  counters.calls += 1;
  const timing = Timing.of(counters.latency, pipeline.env.clock);
  pipeline.fallback?.begun();
  pipeline.budget?.callStarted();
  const measures = breaker?.policy.slowCallDuration !== undefined;
  const startedAt = measures ? pipeline.env.clock.now() : undefined;
  const mark = pipeline.retry === undefined ? 0 : spentMark();
  const permit = breaker === undefined ? REFUSED : breaker.policy.enter();
  bulkhead?.policy.enter();
  const failed = (error: unknown): unknown =>
    new PromiseCall(pipeline, lane, method, self, args).resume(
      { permit, startedAt, mark, timing },
      error,
    );
  const end = pipeline.directEndOf(lane);
  const answered =
    timing === undefined && startedAt === undefined
      ? end.of(permit)
      : end.measured(permit, timing, startedAt);
  try {
    const source = pipeline.directCall(lane);
    timing?.methodStarts();
    return Promise.resolve(runAs(source, method, self, args)).then(answered, failed);
  } catch (error) {
    return settledAlready.then(() => failed(error));
  }
}
