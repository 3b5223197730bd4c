import type { Milliseconds } from '../kernel/duration.js';
import type { Permit } from '../kernel/permit.js';
import type { Attempt } from './attempt.js';
import type { Method } from './call.js';
import { makeContext } from './call-context.js';
import type { EndableCall } from './calls-in-flight.js';
import { type CallContext, type ContextSource, runAs } from './current-call.js';
import { countDirectly, type DirectStart, enterDirectly, startOf } from './direct-start.js';
import type { Lane } from './lane.js';
import { LazyAbort } from './lazy-abort.js';
import { LimitWatch } from './limit-watch.js';
import type { Pipeline } from './pipeline.js';
import { PromiseCall, whenSettled } from './promise-call.js';
import { spentMark } from './retries.js';
import type { Timing } from './statistics/timing.js';
import { attemptSerial } from './trace.js';

/**
 * - `starting`: its method is in its synchronous part, and it is in no list.
 * - `running`: without an engine.
 * - `engaged`: an engine goes on with it.
 * - `over`: it was answered without one.
 */
type Phase = 'starting' | 'running' | 'engaged' | 'over';

/**
 * A call that has a time limit, and would need no engine without it. One is made when it fails, when
 * the limit passes, or when the application ends: whatever is not the answer in time.
 */
class LimitedCall implements DirectStart, ContextSource, EndableCall {
  before: EndableCall | undefined = undefined;
  after: EndableCall | undefined = undefined;
  readonly timing: Timing | undefined;
  readonly startedAt: Milliseconds | undefined;
  readonly mark = spentMark();
  readonly serial = attemptSerial();
  readonly permit: Permit;
  private readonly limit: LimitWatch;
  /** It may be changed while the method runs. */
  private readonly hold: Milliseconds | false | undefined;
  private readonly answered: (value: unknown) => unknown;
  private aborting: LazyAbort | undefined = undefined;
  private known: CallContext | undefined = undefined;
  private phase: Phase = 'starting';
  private engine: PromiseCall | undefined = undefined;
  /** Where the engine goes on with it. */
  private attempt: Attempt | undefined = undefined;

  constructor(
    private readonly pipeline: Pipeline,
    private readonly lane: Lane,
    private readonly method: Method,
    private readonly self: unknown,
    private readonly args: unknown[],
    private readonly resolve: (value: unknown) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    this.timing = countDirectly(pipeline);
    this.startedAt = startOf(lane, pipeline);
    this.permit = enterDirectly(lane);
    this.limit = new LimitWatch(pipeline, pipeline.fixedLimit!, this);
    this.hold = lane.bulkhead?.policy.maxHold;
    this.answered = pipeline.directEnds.of(lane, this.permit, this.timing, this.startedAt);
  }

  start(): void {
    const { method, self, args } = this;
    const succeeded = (value: unknown): void => this.succeeded(value);
    const failed = (error: unknown): void => this.failed(error);
    this.timing?.methodStarts();
    try {
      void whenSettled(runAs(this, method, self, args), succeeded, failed);
    } catch (error) {
      failed(error);
    }
    // a test may have moved its clock in the method, and the limit has passed by now
    this.engine?.follow();
    if (this.phase !== 'starting') return;
    this.phase = 'running';
    this.pipeline.env.calls.add(this);
  }

  get context(): CallContext {
    const { name, env } = this.pipeline;
    return (this.known ??= makeContext({
      clock: env.clock,
      target: name,
      attempt: 1,
      ends: () => this.limit.ends,
      signal: () => (this.aborting ??= new LazyAbort()).signal,
    }));
  }

  /** Only calls that propagate their deadline are asked, and those have an engine. */
  endsBy(): undefined {
    return undefined;
  }

  holds(bulkhead: object): boolean {
    return this.lane.bulkhead?.policy === bulkhead;
  }

  endWait(): void {
    // it waits for nothing but its method
  }

  cutOff(): void {
    if (this.phase === 'running') this.engage().cutOff();
  }

  /** Its timer may have outlived it: a test that has put another `clearTimeout` in place cannot clear it. */
  timedOut(): void {
    if (this.phase !== 'running' && this.phase !== 'starting') return;
    this.engage();
    this.attempt!.timedOut();
  }

  private succeeded(value: unknown): void {
    if (this.attempt !== undefined) return this.attempt.succeeded(value);
    this.phase = 'over';
    this.pipeline.env.calls.delete(this);
    this.limit.answered();
    this.answered(value);
    this.resolve(value);
  }

  private failed(error: unknown): void {
    if (this.attempt === undefined) this.engage();
    this.attempt!.failed(error);
  }

  private engage(): PromiseCall {
    const { pipeline, lane, method, self, args, resolve, reject } = this;
    const engine = new PromiseCall(pipeline, lane, method, self, args);
    if (this.phase === 'running') pipeline.env.calls.replace(this, engine);
    this.phase = 'engaged';
    this.engine = engine;
    this.attempt = engine.takeOver(this, resolve, reject);
    this.attempt.adoptLimit(this.limit, this.hold, (this.aborting ??= new LazyAbort()));
    return engine;
  }
}

/** Runs a method whose pipeline has a limit, and would run it directly without. */
export function runLimited(
  pipeline: Pipeline,
  lane: Lane,
  method: Method,
  self: unknown,
  args: unknown[],
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    new LimitedCall(pipeline, lane, method, self, args, resolve, reject).start();
  });
}
