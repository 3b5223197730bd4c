import { AsyncResource } from 'node:async_hooks';
import { type Claim, claimOf } from '../checkpoint/component/claims.js';
import { Keeping } from '../checkpoint/transaction/keeping.js';
import { soon } from '../checkpoint/transaction/steps.js';
import type { Classification } from '../kernel/classifier.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import type { Method } from './call.js';
import { makeContext } from './call-context.js';
import type { EndableCall } from './calls-in-flight.js';
import {
  type CallContext,
  type ContextSource,
  inheritedEnd,
  runInContext,
} from './current-call.js';
import { emit, emitRefusal } from './environment.js';
import { LazyAbort } from './lazy-abort.js';
import type { Pipeline } from './pipeline.js';
import { Account } from './statistics/account.js';
import { Timing } from './statistics/timing.js';
import { attemptSerial, explainNothing } from './trace.js';

/**
 * - `waiting`: for its turn.
 * - `running`: the method runs and somebody waits for it.
 * - `committed`: what it did is in the journal.
 * - `over`: its caller has an answer.
 */
type Phase = 'waiting' | 'running' | 'committed' | 'over';

/**
 * A call of a method that has `@Checkpoint` and no other policy, without the engine: there is one
 * attempt, and only its method, the end of the application or the store can end it. Thousands may wait
 * at once, so that one is as few objects as can be.
 */
class KeptCall extends Keeping implements ContextSource, EndableCall {
  before: EndableCall | undefined = undefined;
  after: EndableCall | undefined = undefined;
  private phase: Phase = 'waiting';
  private readonly serial = attemptSerial();
  private readonly timing: Timing | undefined;
  /** Its caller's async context, where it has to wait. */
  private home: AsyncResource | undefined = undefined;
  private known: CallContext | undefined = undefined;
  private aborting: LazyAbort | undefined = undefined;

  constructor(
    private readonly pipeline: Pipeline,
    { component, host }: Claim,
    private readonly method: Method,
    private readonly self: unknown,
    args: unknown[],
    private readonly resolve: (value: unknown) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    super(pipeline.name, component, host, pipeline.checkpoint!, args);
    const { counters, env } = pipeline;
    counters.calls += 1;
    this.timing = Timing.of(counters.latency, env.clock);
  }

  start(): void {
    this.pipeline.env.calls.add(this);
    if (this.ask()) this.goOn();
  }

  /** @internal */
  override granted(): void {
    soon(this);
  }

  /** Its turn has come, and nobody else's call is on the stack. @internal */
  goOn(): void {
    if (this.phase !== 'waiting') return;
    this.phase = 'running';
    const { home } = this;
    this.home = undefined;
    if (home === undefined) this.begin();
    else home.runInAsyncScope(this.begin, this);
  }

  /** @internal */
  override refused(error: ResilienceRejection): void {
    emitRefusal(this.pipeline.env, error);
    this.ends(this.account(), error);
  }

  /** @internal */
  override invoke(): unknown {
    return runInContext(this, this.method, this.self, this.args as unknown[]);
  }

  get context(): CallContext {
    const { name, env } = this.pipeline;
    this.aborting ??= new LazyAbort();
    return (this.known ??= makeContext({
      clock: env.clock,
      target: name,
      attempt: 1,
      ends: () => undefined,
      signal: () => this.aborting!.signal,
    }));
  }

  endsBy(): undefined {
    return undefined;
  }

  holds(): boolean {
    return false;
  }

  endWait(): void {
    // what would keep the call around it from ending ends with that
    if (this.phase !== 'waiting' || this.isJoined) return;
    const error = this.pipeline.shuttingDown();
    this.void(error);
    this.refused(error);
  }

  cutOff(): void {
    if (this.phase === 'committed' || this.phase === 'over') return;
    const reason = this.pipeline.shuttingDown();
    this.leave();
    this.account().ends('cancelled');
    this.void(reason);
    this.aborting?.abort(reason);
    this.reject(reason);
  }

  protected override willWait(): void {
    this.home = new AsyncResource('bulwark:call');
  }

  protected override committed(): void {
    this.phase = 'committed';
  }

  protected override succeeded(value: unknown): void {
    if (this.phase === 'over') return this.endsLate('success');
    this.leave();
    this.pipeline.counters.succeeded += 1;
    this.timing?.answered();
    this.resolve(value);
  }

  protected override failed(error: unknown): void {
    if (this.phase === 'over') return this.endsLate('failure');
    const { pipeline, args } = this;
    const account = this.account();
    const classify = (error: unknown): Classification => pipeline.classify(error);
    account.attemptFailed(error, { count: 1, messageId: undefined, classify }, args);
    this.ends(account, error);
  }

  private ends(account: Account, error: unknown): void {
    this.leave();
    account.endsWith(error);
    explainNothing(error, this.target, { first: this.serial, last: this.serial });
    this.reject(error);
  }

  /** Nobody waited for it any more. */
  private endsLate(outcome: 'success' | 'failure'): void {
    const { counters, env, name } = this.pipeline;
    if (outcome === 'success') counters.lateSuccesses += 1;
    else counters.lateFailures += 1;
    emit(env, { type: 'late-result', target: name, outcome });
  }

  private leave(): void {
    this.phase = 'over';
    this.pipeline.env.calls.delete(this);
  }

  private account(): Account {
    const account = new Account(this.pipeline);
    account.resumes(this.timing);
    return account;
  }
}

/**
 * Runs a method that only keeps what it does.
 *
 * @returns undefined where that takes an engine: its caller has a deadline, or its instance no store
 */
export function runKept(
  pipeline: Pipeline,
  method: Method,
  self: unknown,
  args: unknown[],
): Promise<unknown> | undefined {
  const claim = claimOf(self);
  if (claim === undefined || inheritedEnd(pipeline.env.clock) !== undefined) return undefined;
  return new Promise((resolve, reject) => {
    new KeptCall(pipeline, claim, method, self, args, resolve, reject).start();
  });
}
