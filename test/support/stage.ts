import { Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { defer, EMPTY, from, type Observable } from 'rxjs';
import { defaultClassifier } from '../../lib/errors/default-classifier.js';
import type { ResilienceEvent } from '../../lib/kernel/event.js';
import { ApplicationRuntime } from '../../lib/nest/application-runtime.js';
import { ResilienceInterceptor } from '../../lib/nest/interceptors.js';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import type { Pipeline } from '../../lib/pipeline/pipeline.js';
import type { PolicySet } from '../../lib/pipeline/policy-set.js';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import type { Target } from '../../lib/pipeline/target.js';
import type { CircuitBreaker } from '../../lib/policies/circuit-breaker/circuit-breaker.js';
import { FakeClock, seededRandom, settle } from '../../lib/testing/index.js';

/** How a call ended, or that it has not. */
export type Ending =
  { readonly value: unknown } | { readonly error: unknown } | { readonly cancelled: true };

/** A call that a test has started. */
export class RunningCall {
  ending: Ending | undefined;
  /** Everything that was delivered to the caller. */
  readonly values: unknown[] = [];
  /** Ends it as its caller would: by signal, or by unsubscribing. */
  cancel: () => void = () => {
    throw new Error('this face gives its caller no way to leave');
  };

  get isPending(): boolean {
    return this.ending === undefined;
  }

  get value(): unknown {
    if (this.ending !== undefined && 'value' in this.ending) return this.ending.value;
    throw new Error(`expected a value, the call ended with ${JSON.stringify(this.ending)}`);
  }

  get error(): Error & Record<string, unknown> {
    if (this.ending !== undefined && 'error' in this.ending) return this.ending.error as never;
    throw new Error(`expected an error, the call ended with ${JSON.stringify(this.ending)}`);
  }
}

export type Work = (...args: unknown[]) => Promise<unknown>;

/** One way into the engine. Every conformance case runs through each of them. */
export interface Face {
  readonly name: 'promise' | 'promise with signal' | 'observable' | 'interceptor';
  /** Whether a caller can leave: a decorated method that returns a promise gives no way to. */
  readonly canLeave: boolean;
  start(stage: Stage, work: Work, args: unknown[]): RunningCall;
}

const promiseFace: Face = {
  name: 'promise',
  canLeave: false,
  start(stage, work, args) {
    const call = new RunningCall();
    runPromise(stage.target, work as never, stage.self, args).then(
      (value) => {
        call.values.push(value);
        call.ending = { value };
      },
      (error: unknown) => (call.ending = { error }),
    );
    return call;
  },
};

const signalFace: Face = {
  name: 'promise with signal',
  canLeave: true,
  start(stage, work, args) {
    const call = new RunningCall();
    const controller = new AbortController();
    const reason = new Error('the caller left');
    call.cancel = () => controller.abort(reason);
    runPromise(stage.target, work as never, stage.self, args, controller.signal).then(
      (value) => {
        call.values.push(value);
        call.ending = { value };
      },
      (error: unknown) => (call.ending = error === reason ? { cancelled: true } : { error }),
    );
    return call;
  },
};

const observableFace: Face = {
  name: 'observable',
  canLeave: true,
  start(stage, work, args) {
    const method = (...given: unknown[]): Observable<unknown> => from(work(...given));
    return subscribe(runObservable(stage.target, method as never, stage.self, args));
  },
};

const interceptorFace: Face = {
  name: 'interceptor',
  canLeave: true,
  start(stage, work, args) {
    const next = { handle: () => defer(() => work(...args)) };
    const context = Object.defineProperty({ ...(stage.context as object) }, 'getArgs', {
      value: () => args,
    });
    return subscribe(stage.interceptor.intercept(context as never, next));
  },
};

function subscribe(source: Observable<unknown>): RunningCall {
  const call = new RunningCall();
  const subscription = source.subscribe({
    next: (value) => call.values.push(value),
    error: (error: unknown) => (call.ending = { error }),
    complete: () => (call.ending = { value: call.values.at(-1) }),
  });
  call.cancel = () => {
    if (call.isPending) call.ending = { cancelled: true };
    subscription.unsubscribe();
  };
  return call;
}

export const FACES: readonly Face[] = [promiseFace, signalFace, observableFace, interceptorFace];

@Injectable()
class Controller {
  async handle(): Promise<void> {}
}

/** Policies around a piece of work, with time and dice in the test's hand. */
export class Stage {
  readonly clock = new FakeClock();
  readonly events: ResilienceEvent[] = [];
  readonly runtime: ApplicationRuntime;
  readonly self = { name: 'self' };
  readonly interceptor: ResilienceInterceptor;
  readonly context = {
    getClass: () => Controller,
    getHandler: () => Controller.prototype.handle,
  } as never;
  /** How often the work was called. */
  executions = 0;
  readonly target: Target;
  private readonly face: Face;

  constructor(face: Face, policies: PolicySet, seed = 1) {
    this.face = face;
    this.runtime = new ApplicationRuntime(
      {
        clock: this.clock,
        random: seededRandom(seed),
        classifier: defaultClassifier,
        report: () => {},
      },
      new ModulesContainer(),
    );
    this.runtime.bus.listen((event) => this.events.push(event));
    // the interceptor names and makes its own pipeline; the other faces share one made here
    this.interceptor = new ResilienceInterceptor(policies, this.runtime);
    if (face.name === 'interceptor') {
      this.interceptor.intercept(this.context, { handle: () => EMPTY }); // not subscribed: nothing runs
      this.target = this.runtime.target('Controller.handle')!;
    } else {
      this.target = this.runtime.registerChecked('Controller.handle', policies);
    }
  }

  /** Starts a call of the work. */
  call(work: Work, ...args: unknown[]): RunningCall {
    return this.face.start(
      this,
      (...given) => {
        this.executions += 1;
        return work(...given);
      },
      args,
    );
  }

  /** Starts a call and lets everything settle that needs no time. */
  async run(work: Work, ...args: unknown[]): Promise<RunningCall> {
    const call = this.call(work, ...args);
    await settle();
    return call;
  }

  /** Runs calls that fail, one after another. */
  async fail(times: number, error: unknown = new Error('down')): Promise<void> {
    for (let i = 0; i < times; i += 1) await this.run(() => Promise.reject(error));
  }

  async succeed(times: number): Promise<void> {
    for (let i = 0; i < times; i += 1) await this.run(() => Promise.resolve('ok'));
  }

  get pipeline(): Pipeline {
    return this.target.pipeline;
  }

  get breaker(): CircuitBreaker {
    return this.pipeline.breaker!.policy;
  }

  get bulkhead(): { running: number; queued: number } {
    return this.pipeline.bulkhead!.policy.snapshot();
  }

  eventTypes(): string[] {
    return this.events.map((event) => event.type);
  }
}

/** Work that a test ends by hand. */
export class Gate {
  resolve!: (value?: unknown) => void;
  reject!: (error: unknown) => void;
  readonly promise: Promise<unknown>;
  starts = 0;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  readonly work = (): Promise<unknown> => {
    this.starts += 1;
    return this.promise;
  };
}

/**
 * The argument behind what a function from the options got: in an interceptor that is the context of
 * the handler.
 */
export function argOf(first: unknown, index = 0, ...others: unknown[]): unknown {
  const getArgs = (first as { getArgs?: () => unknown[] } | null | undefined)?.getArgs;
  return getArgs === undefined ? [first, ...others][index] : getArgs()[index];
}

/** Runs the same cases on every face. */
export function onEveryFace(cases: (face: Face) => void): void {
  describe.each(FACES.map((face) => [face.name, face] as const))('%s face', (_name, face) =>
    cases(face),
  );
}

/** A case about a caller who leaves. */
export function itCanLeave(face: Face, name: string, test: () => Promise<void>): void {
  if (face.canLeave) it(name, test);
}

export { settle };
