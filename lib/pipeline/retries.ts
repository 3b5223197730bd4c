import type { Delivery } from '../errors/poison/delivery.js';
import { retryAfterOf } from '../errors/retry-after.js';
import type { Classification } from '../kernel/classifier.js';
import type { Milliseconds } from '../kernel/duration.js';
import { AttemptLog, type AttemptRecord } from '../policies/retry/attempt-log.js';
import type { NoRetry, RetryVerdict } from '../policies/retry/retry.js';
import { SpentErrors } from '../policies/retry/spent-errors.js';
import { emit } from './environment.js';
import type { Pipeline } from './pipeline.js';
import { asItIs } from './recorded-error.js';
import { attemptSerial, type Span, type Trace } from './trace.js';

/** Errors that have used up a retry somewhere in this process. */
const spent = new SpentErrors();

/** To be read when an attempt starts: what was spent before is none of its business. */
export function spentMark(): number {
  return spent.mark();
}

/** What the log says of an attempt whose answer was one. */
const BAD_RESULT = { name: 'Result', message: 'a result that was not good enough' };

/** Why there is no retry though the plan has one. */
type NoRoom = 'no-time-left' | 'budget-exhausted' | 'shutting-down';

/** The call whose attempts are counted. */
interface Retried {
  readonly pipeline: Pipeline;
  readonly self: unknown;
  readonly args: readonly unknown[];
  readonly trace: Trace | undefined;
  readonly totalEnds: Milliseconds | undefined;
  /** Whether it has ended; a function from the options may make its caller leave. */
  readonly isOver: boolean;
  /** Starts the next attempt; its time has come. */
  next(): void;
}

/** How an attempt ended. */
export type Ending = { readonly error: unknown } | { readonly value: unknown };

/** The attempts of one call: how many there were, whether and when there is another. */
export class Retries implements Span {
  /** Attempts that have started. */
  count = 0;
  first = 0;
  last = 0;
  /** How the attempt before the planned one ended. */
  private ending: Ending | undefined;
  private mark = 0;
  private delay: Milliseconds = 0;
  /** Whether it has leave of the budget for the retry that is planned or running. */
  private permitted = false;
  private log: AttemptLog | undefined;
  private delivery: Delivery | undefined;
  /** The error that was classified last, and as what. */
  private judged: unknown;
  private said: Classification | undefined;
  private cancelDelay: (() => void) | undefined;

  constructor(private readonly call: Retried) {}

  /** To be called before the method can change its arguments. */
  begin(): void {
    const { pipeline, self, args } = this.call;
    this.delivery = pipeline.deliveryOf(self, args);
  }

  /** The call has an answer of its method. */
  succeeded(): void {
    this.delivery?.succeeded();
  }

  /** The message that the call is about, where it has one. */
  get messageId(): string | undefined {
    return this.delivery?.messageId;
  }

  /** An attempt failed: its message may be to blame. */
  failed(error: unknown): void {
    const { delivery, call } = this;
    if (delivery?.failed(this.classifyAsIs(error)) !== true) return;
    const { env, name } = call.pipeline;
    emit(env, { type: 'poison-message', target: name, messageId: delivery.messageId });
  }

  /** What an error means for this call: that of a message which fails again and again is another one. */
  classify(error: unknown): Classification {
    const said = this.classifyAsIs(error);
    return this.delivery?.judge(said) ?? said;
  }

  /** The same whatever its message has been through. Of one attempt's error it is asked once. */
  classifyAsIs(error: unknown): Classification {
    if (this.said === undefined || error !== this.judged) {
      this.said = this.call.pipeline.classify(error);
      this.judged = error;
    }
    return this.said;
  }

  /** Something was thrown: an object that is thrown again may be changed by then. */
  lookAgain(): void {
    this.said = undefined;
  }

  /** An attempt starts, or has started when `spentMark` and `attemptSerial` answered this. */
  started(mark = spent.mark(), serial = attemptSerial()): void {
    this.count += 1;
    this.lookAgain();
    this.last = serial;
    if (this.count === 1) this.first = this.last;
    else this.call.pipeline.counters.retries += 1;
    this.mark = mark;
  }

  /** The retry that the budget gave leave for is over, or will not be. */
  ended(): void {
    if (!this.permitted) return;
    this.permitted = false;
    this.call.pipeline.budget!.retryEnded();
  }

  /** Ends the wait for the next attempt; false if there was none. */
  callOff(): boolean {
    const cancel = this.cancelDelay;
    this.cancelDelay = undefined;
    cancel?.();
    return cancel !== undefined;
  }

  /** The planned attempt will not be; answers how the one before it ended. */
  giveUp(why: 'no-time-left' | 'shutting-down'): Ending {
    this.ended();
    this.decline(why, this.ending!);
    return this.ending!;
  }

  /** What is remembered of attempts before the last. */
  get records(): readonly AttemptRecord[] | undefined {
    return this.log?.records;
  }

  /** Plans another attempt after one that failed, if it is to be. */
  afterError(error: unknown, stillRunning: boolean): boolean {
    const { pipeline } = this.call;
    const verdict = pipeline.retry!.decide({
      error,
      attempts: this.count,
      previousDelay: this.delay,
      stillRunning,
      spentFurtherIn: spent.isSpentSince(error, this.mark),
      classification: () => this.classify(error),
      retryAfter: () => retryAfterOf(error, pipeline.env.clock.epoch()),
    });
    return this.call.isOver || this.follow(verdict, { error });
  }

  /** Plans another attempt after a result that is not good enough, if it may be. */
  afterResult(value: unknown): boolean {
    const verdict = this.call.pipeline.retry!.afterResult(this.count, this.delay);
    return this.follow(verdict, { value });
  }

  /** If what is left of time and budget allows it. */
  private follow(verdict: RetryVerdict, ending: Ending): boolean {
    const { pipeline, trace, totalEnds } = this.call;
    const { env, name, budget } = pipeline;
    if (!verdict.retry) return this.decline(verdict.why, ending);
    if (env.calls.refusesWaiting) return this.decline('shutting-down', ending);
    const { delay } = verdict;
    if (totalEnds !== undefined && env.clock.now() + delay >= totalEnds)
      return this.decline('no-time-left', ending);
    this.ended();
    if (budget?.tryRetry() === false) return this.decline('budget-exhausted', ending);
    this.permitted = budget !== undefined;
    this.ending = ending;
    this.delay = delay;
    const error = 'error' in ending ? ending.error : undefined;
    const entry = 'error' in ending ? error : BAD_RESULT;
    (this.log ??= new AttemptLog()).add(this.count, entry, delay);
    trace?.note(this.count, 'retry', `again in ${delay} ms`);
    emit(env, { type: 'retry-scheduled', target: name, attempt: this.count, delay, error });
    this.cancelDelay = env.clock.schedule(() => this.afterDelay(error), delay);
    return true;
  }

  private decline(why: NoRetry | NoRoom, ending: Ending): false {
    const { env, name } = this.call.pipeline;
    const attempts = this.count;
    this.call.trace?.note(attempts, 'retry', `no more: ${why}`);
    const failed = 'error' in ending;
    switch (why) {
      case 'not-retryable':
      case 'aborted-on':
        return false;
      case 'exhausted':
        if (!failed) return false; // the caller has an answer, good enough or not
        spent.add(ending.error);
        if (env.bus.wants('retry-exhausted')) {
          const error = asItIs(ending.error);
          emit(env, { type: 'retry-exhausted', target: name, attempts, error });
        }
        return false;
      case 'no-time-left':
      case 'budget-exhausted':
      case 'shutting-down':
        if (failed) spent.add(ending.error);
        break;
      default:
    }
    emit(env, { type: 'retry-declined', target: name, attempt: attempts, why });
    return false;
  }

  private afterDelay(error: unknown): void {
    const { pipeline, args } = this.call;
    const { beforeRetry } = pipeline.retry!;
    let left = false;
    this.cancelDelay = () => (left = true);
    const go = (): void => {
      if (left) return;
      this.cancelDelay = undefined;
      this.call.next();
    };
    if (beforeRetry === undefined) {
      go();
      return;
    }
    const failed = (thrown: unknown): void => {
      pipeline.report('beforeRetry', thrown);
      go();
    };
    try {
      const info = { attempt: this.count + 1, error, delay: this.delay, args };
      void Promise.resolve(beforeRetry(info)).then(go, failed);
    } catch (thrown) {
      failed(thrown);
    }
  }
}
