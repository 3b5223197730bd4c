import type { CircuitOpenError } from '../policies/circuit-breaker/circuit-open.error.js';
import { refusalOf } from './admission.js';
import type { Method } from './call.js';
import { inheritedEnd, runAs } from './current-call.js';
import { countDirectly, enterDirectly, startOf } from './direct-start.js';
import { emitRefusal } from './environment.js';
import { followSignal } from './follow-signal.js';
import { runKept } from './kept-call.js';
import type { Lane } from './lane.js';
import { runLimited } from './limited-call.js';
import type { Pipeline } from './pipeline.js';
import { PromiseCall, rejectSoon, whenSettled } from './promise-call.js';
import { spentMark } from './retries.js';
import { Timing } from './statistics/timing.js';
import type { Target } from './target.js';
import { attemptSerial } from './trace.js';

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
      if (pipeline.admitsDirectly(lane)) {
        return pipeline.fixedLimit === undefined
          ? runDirectly(pipeline, lane, method, self, args)
          : runLimited(pipeline, lane, method, self, args);
      }
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
  // as they are, for one object more would cost a third of the call
  const timing = countDirectly(pipeline);
  const startedAt = startOf(lane, pipeline);
  const mark = spentMark();
  const serial = attemptSerial();
  const permit = enterDirectly(lane);
  const failed = (error: unknown): unknown =>
    new PromiseCall(pipeline, lane, method, self, args).resume(
      { permit, startedAt, mark, serial, timing },
      error,
    );
  const answered = pipeline.directEnds.of(lane, permit, timing, startedAt);
  try {
    timing?.methodStarts();
    return whenSettled(runAs(lane, method, self, args), answered, failed);
  } catch (error) {
    const start = { permit, startedAt, mark, serial, timing };
    return new PromiseCall(pipeline, lane, method, self, args).resumeAtOnce(start, error);
  }
}
