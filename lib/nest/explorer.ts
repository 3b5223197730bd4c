import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { LazyModuleLoader, ModulesContainer } from '@nestjs/core';
import { makeClean } from '../errors/record/clean.js';
import { type Mistake, ResilienceConfigError } from '../kernel/check.js';
import { ApplicationRuntime } from './application-runtime.js';
import {
  type AnyClass,
  bindInstance,
  classOf,
  RUNTIME_TOKEN,
  type RuntimeHolder,
} from './binding.js';
import { CHECKPOINTS, Checkpoints, unboundComponent } from './checkpoint/checkpoints.js';
import type { ResilienceConfig } from './config.js';
import { logEvents } from './event-logger.js';
import { HealthMetrics } from './health/health-metrics.js';
import { forgetfulInterceptors, interceptedHandlers } from './intercepted-handlers.js';
import { type MethodRecord, recordsOf } from './method-record.js';
import { RecoveryHookRegistry } from './recovery/recovery-hooks.js';
import { RecoveryAccess } from './recovery/access/recovery-access.js';
import { SafeLogger } from './safe-logger.js';
import { StartUpLint } from './start-up-lint.js';
import { CONFIG } from './tokens.js';
import { UnboundCalls } from './unbound-calls.js';
import { allWrappers, type Wrapper } from './wrappers.js';

/**
 * Walks the application once at start: binds the instances that Nest did not construct, names and
 * registers every decorated method before its first call, and fails the boot with the list of
 * every mistake.
 */
@Injectable()
export class ResilienceExplorer
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  private readonly logger = new SafeLogger('Bulwark');
  private readonly stopLogging: () => void;
  private readonly unbound: UnboundCalls;
  private readonly followed = new WeakSet<Wrapper>();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly runtime: ApplicationRuntime,
    @Inject(RUNTIME_TOKEN) private readonly holder: RuntimeHolder,
    lazyModules: LazyModuleLoader,
    private readonly lint: StartUpLint,
    @Inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    private readonly metrics: HealthMetrics,
    private readonly hooks: RecoveryHookRegistry,
    @Inject(CONFIG) config: ResilienceConfig,
    private readonly access: RecoveryAccess,
  ) {
    // from the start: a testing module may be compiled and never initialised
    const clean = makeClean(config.errors?.log?.redact);
    this.stopLogging = logEvents(runtime.bus, this.logger, runtime.env.clock, clean);
    this.unbound = new UnboundCalls(modules, runtime, holder);
    runtime.serve(holder);
    this.followLoader(lazyModules);
  }

  async onModuleInit(): Promise<void> {
    const mistakes = this.secondModules();
    const types = this.bindAll();
    for (const type of types)
      mistakes.push(...recordsOf(type).flatMap((record) => record.mistakes));
    mistakes.push(...this.registerAll(types), ...this.prepareInterceptors());
    mistakes.push(...this.componentMistakes());
    mistakes.push(...this.collect());
    mistakes.push(...(await this.access.resolve()));
    if (mistakes.length > 0) {
      await this.checkpoints.beforeApplicationShutdown();
      this.holder.close(); // another application of the process may live
      throw new ResilienceConfigError(distinct(mistakes));
    }
    this.runtime.booted = true;
    this.holder.arrived();
    await this.checkpoints.ready();
  }

  /** Whoever listens to `events$` since a hook of its own hears of the start-up too. */
  onApplicationBootstrap(): void {
    this.holder.takeOver();
    this.unbound.settle();
    this.lint.start();
  }

  /** For what was compiled only; the log hears it before it ends. */
  onModuleDestroy(): void {
    this.unbound.settle();
  }

  onApplicationShutdown(): void {
    this.holder.close();
    this.stopLogging();
  }

  /** Answers the classes with decorated methods. */
  private bindAll(): Set<AnyClass> {
    const types = new Set<AnyClass>();
    for (const wrapper of allWrappers(this.modules)) {
      this.followFactory(wrapper);
      const type = this.visit(wrapper);
      if (type !== undefined) types.add(type);
    }
    return types;
  }

  /** A module that is loaded later is walked when it is there. */
  private followLoader(loader: LazyModuleLoader): void {
    const load = loader.load.bind(loader);
    loader.load = async (...given) => {
      this.holder.arriving();
      try {
        const before = rootsOf(this.modules).length;
        const module = await load(...given);
        if (rootsOf(this.modules).length > Math.max(before, 1))
          throw new ResilienceConfigError(this.secondModules());
        this.bindAll();
        const mistakes = this.collect();
        if (mistakes.length > 0) throw new ResilienceConfigError(distinct(mistakes));
        return module;
      } finally {
        this.holder.arrived();
      }
    };
  }

  /** Binds an instance that has no binding yet; answers its class if that has decorated methods. */
  private visit(wrapper: Wrapper): AnyClass | undefined {
    const { instance, metatype, inject } = wrapper;
    const made = wrapper.isDependencyTreeStatic() && typeof instance === 'object' ? instance : null;
    // the metatype of a factory is the factory; only what it made says which class it is
    const isFactory = inject !== undefined && inject !== null;
    const type = made !== null ? classOf(made) : isFactory ? undefined : metatype;
    if (typeof type !== 'function' || recordsOf(type).length === 0) return undefined;
    if (made !== null) bindInstance(made, this.holder);
    return type as AnyClass;
  }

  /** A factory that runs again, per request or per consumer, makes instances that no walk can see. */
  private followFactory(wrapper: Wrapper): void {
    const { inject, metatype: make, isAlias } = wrapper;
    if (inject === undefined || inject === null || isAlias === true) return;
    if (typeof make !== 'function' || this.followed.has(wrapper)) return;
    this.followed.add(wrapper);
    if (wrapper.isDependencyTreeStatic() && wrapper.isTransient !== true) return;
    for (const host of wrapper.getStaticTransientInstances?.() ?? []) this.bind(host?.instance);
    wrapper.metatype = (...args: unknown[]): unknown => {
      const made: unknown = Reflect.apply(make, undefined, args);
      return made instanceof Promise ? made.then((m: unknown) => this.bind(m)) : this.bind(made);
    };
  }

  private bind(made: unknown): unknown {
    const type = classOf(made);
    if (type !== undefined && recordsOf(type).length > 0) bindInstance(made as object, this.holder);
    return made;
  }

  private registerAll(types: ReadonlySet<AnyClass>): Mistake[] {
    const named = new Map<string, [AnyClass, MethodRecord][]>();
    for (const type of types) {
      for (const record of recordsOf(type).flatMap(({ methods }) => [...methods.values()])) {
        const name = this.runtime.names.ofMethod(type, record);
        named.set(name, [...(named.get(name) ?? []), [type, record]]);
      }
    }
    const mistakes: Mistake[] = [];
    for (const [name, same] of named) {
      if (same.length > 1) {
        const problem = `${same.length} methods have this name, and so have their modules; give their policies a \`name\` each, or rename a class`;
        mistakes.push({ at: name, problem });
        continue;
      }
      const [type, record] = same[0]!;
      if (this.runtime.isRegistered(type, record)) continue; // called by another provider's start-up
      try {
        this.runtime.registerMethod(type, record, name);
      } catch (error) {
        if (!(error instanceof ResilienceConfigError)) throw error;
        mistakes.push(...error.mistakes);
      }
    }
    return mistakes;
  }

  /** After the decorated methods, which have the first choice of names. */
  private prepareInterceptors(): Mistake[] {
    const { early } = this.runtime;
    const mistakes: Mistake[] = [];
    const placed = new Set<Mistake>();
    for (const { interceptor, controller, handler } of interceptedHandlers(this.modules)) {
      mistakes.push(...interceptor.prepare(controller, handler));
      for (const mistake of interceptor.mistakes) placed.add(mistake);
    }
    for (const at of forgetfulInterceptors(this.modules)) {
      const problem =
        'is request-scoped, so it would forget what it counted with each request; make it a singleton';
      mistakes.push({ at, problem });
    }
    return [...early.filter((mistake) => !placed.has(mistake)), ...mistakes];
  }

  /** What methods are decorated for besides policies. */
  private collect(): Mistake[] {
    const wrappers = allWrappers(this.modules);
    return [...this.metrics.collect(wrappers), ...this.hooks.collect(wrappers)];
  }

  private componentMistakes(): Mistake[] {
    const { mistakes } = this.checkpoints;
    const unbound = allWrappers(this.modules).flatMap((wrapper) => {
      const { instance, metatype, isTransient } = wrapper;
      const type = classOf(instance) ?? metatype;
      const isStatic = wrapper.isDependencyTreeStatic() && isTransient !== true;
      return typeof type === 'function'
        ? unboundComponent(type as AnyClass, instance, isStatic)
        : [];
    });
    return [...mistakes, ...unbound];
  }

  private secondModules(): Mistake[] {
    const { length } = rootsOf(this.modules);
    if (length <= 1) return [];
    const problem = `imported ${length} times with forRoot or forRootAsync; expected once, it is global`;
    return [{ at: 'ResilienceModule', problem }];
  }
}

/** The modules that `forRoot` and `forRootAsync` made. */
export function rootsOf(modules: ModulesContainer): object[] {
  return [...modules.values()].filter((module) => module.providers.has(RUNTIME_TOKEN));
}

function distinct(mistakes: readonly Mistake[]): Mistake[] {
  return [...new Map(mistakes.map((m) => [`${m.at}: ${m.problem}`, m])).values()];
}
