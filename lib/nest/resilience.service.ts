import { Inject, Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ResilienceConfigError } from '../kernel/check.js';
import type { ResilienceEvent } from '../kernel/event.js';
import type { Method } from '../pipeline/call.js';
import { EventStream } from '../pipeline/event-bus.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import type { PolicySet } from '../pipeline/policy-set.js';
import { runPromise } from '../pipeline/promise-face.js';
import { ApplicationRuntime } from './application-runtime.js';
import { bindInstance, RUNTIME_TOKEN, type RuntimeHolder } from './binding.js';
import type { ResilienceConfig } from './config.js';
import { CONFIG } from './tokens.js';

/** How one call of `execute` may be ended from outside. */
export interface ExecuteOptions {
  /** Ends the call at once, in a queue and between attempts too; it rejects with the signal's reason. */
  signal?: AbortSignal;
}

const MAX_NAMES = 1_000;

/** The policies without a decorator, and the events of the application. */
@Injectable()
export class ResilienceService {
  /**
   * Everything the policies report. A subscriber that throws is reported once and harms nobody. Not
   * ours to catch, behind `merge` and its like or a Subject: an async subscriber that rejects, and
   * what is thrown after a delay.
   */
  readonly events$: Observable<ResilienceEvent>;
  private readonly maxNames: number;
  private names = 0;

  constructor(
    private readonly runtime: ApplicationRuntime,
    @Inject(RUNTIME_TOKEN) private readonly holder: RuntimeHolder,
    @Inject(CONFIG) config: ResilienceConfig,
  ) {
    this.events$ = EventStream.of(runtime.bus);
    this.maxNames = config.maxNames ?? MAX_NAMES;
  }

  /**
   * Runs a function under the policies of a name. The first registration of a name fixes its
   * policies; later calls may leave them out.
   *
   * @throws ResilienceConfigError (as a rejection) for bad policies, an unknown name without
   * policies, or more than `maxNames` names
   */
  async execute<T>(
    name: string,
    fn: () => Promise<T>,
    policies?: PolicySet,
    options: ExecuteOptions = {},
  ): Promise<T> {
    const pipeline = this.pipelineOf(name, policies);
    return (await runPromise(pipeline, fn, undefined, [], options.signal)) as T;
  }

  /** Like `execute`, but an error is an answer: for callers that decide instead of catching. */
  async tryExecute<T>(
    name: string,
    fn: () => Promise<T>,
    policies?: PolicySet,
    options?: ExecuteOptions,
  ): Promise<{ ok: true; value: T } | { ok: false; error: unknown }> {
    try {
      return { ok: true, value: await this.execute(name, fn, policies, options) };
    } catch (error) {
      return { ok: false, error };
    }
  }

  /**
   * A function like the given one, under the policies of the name.
   *
   * @throws ResilienceConfigError for bad policies or more than `maxNames` names
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- parameters are contravariant
  wrap<F extends (...args: any[]) => Promise<any>>(name: string, fn: F, policies: PolicySet): F {
    const pipeline = this.pipelineOf(name, policies);
    const wrapped = function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return runPromise(pipeline, fn as Method, this, args);
    };
    for (const key of ['name', 'length'] as const) {
      Object.defineProperty(wrapped, key, { value: fn[key], configurable: true });
    }
    return wrapped as F;
  }

  /** Gives the runtime to an instance of a decorated class that Nest did not construct. */
  bind<T extends object>(instance: T): T {
    bindInstance(instance, this.holder);
    return instance;
  }

  private pipelineOf(name: string, policies: PolicySet | undefined): Pipeline {
    const known = this.runtime.pipeline(name);
    if (known !== undefined) return known;
    if (typeof name !== 'string' || name.trim() === '') {
      throw new ResilienceConfigError([
        {
          at: 'ResilienceService name',
          problem: `got ${String(name)}, expected a string that is not empty`,
        },
      ]);
    }
    if (policies === undefined) {
      throw new ResilienceConfigError([
        { at: name, problem: 'no such name yet; its first use must give its policies' },
      ]);
    }
    if (this.names >= this.maxNames) {
      const problem = `it would be the ${this.maxNames + 1}th name; is it made of user input? Use few names, or raise maxNames`;
      throw new ResilienceConfigError([{ at: name, problem }]);
    }
    const pipeline = this.runtime.registerChecked(name, policies);
    this.names += 1;
    return pipeline;
  }
}
