import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  Optional,
  type Type,
} from '@nestjs/common';
import { lastValueFrom, type Observable } from 'rxjs';
import { type Mistake, ResilienceConfigError } from '../kernel/check.js';
import type { Milliseconds } from '../kernel/duration.js';
import { runObservable } from '../pipeline/observable-face.js';
import type { MethodPolicySet, PolicySet } from '../pipeline/policy-set.js';
import type { Target } from '../pipeline/target.js';
import type { BulkheadOptions } from '../policies/bulkhead/bulkhead.options.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/circuit-breaker.options.js';
import type { FallbackPlan } from '../policies/fallback/fallback.options.js';
import type { RateLimitOptions } from '../policies/rate-limit/rate-limit.options.js';
import type { RetryOptions } from '../policies/retry/retry.options.js';
import type { TimeLimitOptions } from '../policies/time-limit/time-limit.options.js';
import { ApplicationRuntime } from './application-runtime.js';
import type { CheckpointOptions } from '../checkpoint/component/component.options.js';
import type { CheckpointFor } from './checkpoint/checkpoint.decorators.js';
import { componentOf } from './checkpoint/component-record.js';
import { isHealthController } from './health/health.controller.js';
import { methodFace, nameIn } from './method-record.js';
import type { BulkheadFor, Keyed, TimeLimitFor } from './typed-options.js';

/** What the functions in the options of an interceptor get. */
type HandlerArgs = [context: ExecutionContext];

/** Never provided: an interceptor that Nest constructs without `.with()` has its default options. */
const OPTIONS = Symbol('bulwark:interceptor-options');

/**
 * Puts policies around a handler. Each handler has a state of its own; the handler is invoked anew
 * for each attempt. A fallback gets the error and Nest's `ExecutionContext`.
 */
export abstract class PolicyInterceptor implements NestInterceptor {
  /** What is wrong with the options. */
  readonly mistakes: readonly Mistake[];
  private readonly policies: MethodPolicySet;
  private readonly handlers = new WeakMap<object, WeakMap<object, Handler>>();

  protected constructor(
    private readonly given: MethodPolicySet | string,
    protected readonly runtime: ApplicationRuntime,
  ) {
    this.policies = typeof given === 'string' ? runtime.resolve([given]) : given;
    this.mistakes = this.mistakesAt(new.target.name);
    if (this.mistakes.length === 0) return;
    if (runtime.booted) throw new ResilienceConfigError(this.mistakes);
    runtime.early.push(...this.mistakes);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    // in global position it would make our own health lie about the rest
    if (isHealthController(context.getClass())) return next.handle();
    const { target, stoppable } = this.handlerOf(context.getClass(), context.getHandler());
    return runObservable(target, this.methodOf(next), this.selfOf(context), [context], stoppable);
  }

  /** The instance whose state the handler changes, where that is kept. */
  protected selfOf(_context: ExecutionContext): object | undefined {
    return undefined;
  }

  /** What is called for each attempt. */
  protected methodOf(next: CallHandler): () => unknown {
    return () => next.handle();
  }

  /**
   * Makes the state of a handler before its first call, so that its breakers are in health and its
   * mistakes are found at the start.
   *
   * @internal
   * @returns the mistakes, now with the handler that has them
   */
  prepare(controller: NamedClass, method: NamedFunction): readonly Mistake[] {
    if (this.mistakes.length > 0)
      return this.mistakesAt(
        `${controller.name}.${nameIn(controller, method)} ${this.constructor.name}`,
      );
    if (this.policies.checkpoint !== undefined && componentOf(controller) === undefined) {
      const at = `${controller.name}.${method.name} ${this.constructor.name}`;
      const problem = `${controller.name} is no component, expected @CheckpointComponent({ name }) on it`;
      return [{ at, problem }];
    }
    try {
      this.handlerOf(controller, method);
      return [];
    } catch (error) {
      if (error instanceof ResilienceConfigError) return error.mistakes;
      throw error;
    }
  }

  private mistakesAt(at: string): Mistake[] {
    const { given, policies, runtime } = this;
    const unknown = typeof given === 'string' ? runtime.checkPresets(at, [given]) : [];
    return [...unknown, ...runtime.check(at, policies)];
  }

  private handlerOf(controller: NamedClass, method: NamedFunction): Handler {
    let ofClass = this.handlers.get(controller);
    if (ofClass === undefined) {
      ofClass = new WeakMap<object, Handler>();
      this.handlers.set(controller, ofClass);
    }
    let handler = ofClass.get(method);
    if (handler === undefined) {
      const name = nameIn(controller, method);
      const target = this.runtime.registerHandler(controller, name, this.policies);
      const stoppable =
        methodFace(method, controller.prototype as object, name) === 'observable' ||
        Reflect.hasMetadata('__sse__', method);
      handler = { target, stoppable };
      ofClass.set(method, handler);
    }
    return handler;
  }
}

interface NamedFunction {
  readonly name: string;
}
interface NamedClass extends NamedFunction {
  readonly prototype: unknown;
}

/** What is known of one handler behind an interceptor. */
interface Handler {
  readonly target: Target;
  /** Only a stream ends when it is unsubscribed; whatever else a handler returns goes on. */
  readonly stoppable: boolean;
}

type Configurable<O> = new (options: O, runtime: ApplicationRuntime) => PolicyInterceptor;

/** A class for `@UseInterceptors` with these options; Nest injects the runtime into it. */
function configured<O>(Base: Configurable<O>, options: O): Type<NestInterceptor> {
  class Configured extends Base {
    constructor(runtime: ApplicationRuntime) {
      super(options, runtime);
    }
  }
  Object.defineProperty(Configured, 'name', { value: Base.name });
  Inject(ApplicationRuntime)(Configured, undefined, 0);
  Injectable()(Configured);
  return Configured;
}

/** `@UseInterceptors(CircuitBreakerInterceptor.with({ … }))` */
@Injectable()
export class CircuitBreakerInterceptor extends PolicyInterceptor {
  constructor(
    @Optional() @Inject(OPTIONS) options: CircuitBreakerOptions = {},
    @Inject(ApplicationRuntime) runtime: ApplicationRuntime,
  ) {
    super({ circuitBreaker: options }, runtime);
  }

  static with(options: Keyed<CircuitBreakerOptions, HandlerArgs>): Type<NestInterceptor> {
    return configured(CircuitBreakerInterceptor, options);
  }
}

/** `@UseInterceptors(RetryInterceptor.with({ … }))` */
@Injectable()
export class RetryInterceptor extends PolicyInterceptor {
  constructor(
    @Optional() @Inject(OPTIONS) options: RetryOptions = {},
    @Inject(ApplicationRuntime) runtime: ApplicationRuntime,
  ) {
    super({ retry: options }, runtime);
  }

  static with(options: RetryOptions): Type<NestInterceptor> {
    return configured(RetryInterceptor, options);
  }
}

/** `@UseInterceptors(BulkheadInterceptor.with({ … }))` */
@Injectable()
export class BulkheadInterceptor extends PolicyInterceptor {
  constructor(
    @Optional() @Inject(OPTIONS) options: BulkheadOptions = {},
    @Inject(ApplicationRuntime) runtime: ApplicationRuntime,
  ) {
    super({ bulkhead: options }, runtime);
  }

  static with(options: BulkheadFor<HandlerArgs, HandlerArgs>): Type<NestInterceptor> {
    return configured(BulkheadInterceptor, options);
  }
}

/** `@UseInterceptors(RateLimitInterceptor.with({ limit: 100 }))` */
@Injectable()
export class RateLimitInterceptor extends PolicyInterceptor {
  constructor(
    // without a limit it has none, and the boot says so
    @Optional() @Inject(OPTIONS) options: RateLimitOptions = {} as RateLimitOptions,
    @Inject(ApplicationRuntime) runtime: ApplicationRuntime,
  ) {
    super({ rateLimit: options }, runtime);
  }

  static with(options: Keyed<RateLimitOptions, HandlerArgs>): Type<NestInterceptor> {
    return configured(RateLimitInterceptor, options);
  }
}

/** `@UseInterceptors(TimeLimitInterceptor.with(500))` */
@Injectable()
export class TimeLimitInterceptor extends PolicyInterceptor {
  constructor(
    @Optional() @Inject(OPTIONS) limit: Milliseconds | TimeLimitOptions = {},
    @Inject(ApplicationRuntime) runtime: ApplicationRuntime,
  ) {
    super({ timeLimit: limit }, runtime);
  }

  static with(limit: Milliseconds | TimeLimitFor<HandlerArgs>): Type<NestInterceptor> {
    return configured(TimeLimitInterceptor, limit);
  }
}

/** `@UseInterceptors(FallbackInterceptor.with((error, context) => …))` */
@Injectable()
export class FallbackInterceptor extends PolicyInterceptor {
  constructor(
    // without a plan it has none, and the boot says so
    @Optional() @Inject(OPTIONS) plan: FallbackPlan = {} as FallbackPlan,
    @Inject(ApplicationRuntime) runtime: ApplicationRuntime,
  ) {
    super({ fallback: plan }, runtime);
  }

  static with(plan: FallbackPlan): Type<NestInterceptor> {
    return configured(FallbackInterceptor, plan);
  }
}

/**
 * Several policies in their fixed order, or a preset:
 * `@UseInterceptors(ResilienceInterceptor.with({ retry: {}, timeLimit: 500 }))`
 */
@Injectable()
export class ResilienceInterceptor extends PolicyInterceptor {
  constructor(
    @Optional() @Inject(OPTIONS) policies: PolicySet | string,
    @Inject(ApplicationRuntime) runtime: ApplicationRuntime,
  ) {
    super(policies, runtime);
  }

  static with(policies: PolicySet | string): Type<NestInterceptor> {
    return configured(ResilienceInterceptor, policies);
  }
}

/**
 * Keeps what a handler does to the state of its controller, which is a `@CheckpointComponent`:
 * `@UseInterceptors(CheckpointInterceptor)`. Of a stream the last value is the answer.
 */
@Injectable()
export class CheckpointInterceptor extends PolicyInterceptor {
  constructor(
    @Optional() @Inject(OPTIONS) options: CheckpointFor<HandlerArgs, HandlerArgs, unknown> = {},
    @Inject(ApplicationRuntime) runtime: ApplicationRuntime,
  ) {
    super({ checkpoint: options as CheckpointOptions }, runtime);
  }

  static with(options: CheckpointFor<HandlerArgs, HandlerArgs, unknown>): Type<NestInterceptor> {
    return configured(CheckpointInterceptor, options);
  }

  protected override selfOf(context: ExecutionContext): object | undefined {
    return this.runtime.components.get(context.getClass());
  }

  protected override methodOf(next: CallHandler): () => Promise<unknown> {
    return () => lastValueFrom(next.handle(), { defaultValue: undefined });
  }
}
