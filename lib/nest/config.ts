import type { ClassProvider, FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import {
  aFunction,
  boolean,
  checkObject,
  checkOptions,
  either,
  integer,
  type Mistake,
  oneOf,
  type OptionRule,
  type OptionRules,
  show,
  span,
  text,
} from '../kernel/check.js';
import type { Milliseconds } from '../kernel/duration.js';
import { LINT_CODES, type LintSuppression } from '../pipeline/lint.js';
import { type CheckpointConfig, checkCheckpointConfig } from './checkpoint/checkpoint.config.js';
import { checkErrorsConfig, type ErrorsConfig } from './errors/errors.config.js';
import {
  checkRecoveryConfig,
  checkStaticRecoveryConfig,
  type RecoveryConfig,
  type StaticRecoveryConfig,
} from './recovery/recovery.config.js';
import {
  checkKinds,
  checkPolicies,
  type PolicyDefaults,
  type PolicyOverrides,
  type PolicySet,
} from '../pipeline/policy-set.js';

/** What the health endpoints show and where they are. */
export interface HealthConfig {
  /** Where they are mounted; `/live` and `/ready` follow. Default `health`. */
  path?: string;
  /**
   * Who sees more than `{ status }`: nobody, whoever `recovery.access` lets look, or everybody.
   * Default `never`: names and messages help an attacker.
   */
  details?: 'never' | 'authorized' | 'always';
  /** Milliseconds after which an indicator that has not answered is reported `down`, and a metric unknown. Default 1 s. */
  timeout?: Milliseconds;
  /**
   * More to check, by name, in `/health` and `/health/ready`. What resolves is `up`, with the
   * object it resolves to as details; what rejects is `down`. The signal aborts at the timeout.
   * However many ask, each runs at most once a second.
   */
  indicators?: Record<string, (signal: AbortSignal) => unknown>;
  /** Milliseconds between two samples of the score; what it is made of is also read when somebody asks. Default 60 s, at least 1 s. */
  sampleInterval?: Milliseconds;
  /**
   * Milliseconds for which all must be well before `/health/ready` says so again, twice as long for
   * each further failure within a minute, up to a minute. Failing is said at once. Default 5 s; 0:
   * never held.
   */
  recoverAfter?: Milliseconds;
  /** Put on the mounted controller, such as the `@Public()` of an application whose guard denies by default. */
  decorators?: ClassDecorator[];
}

/** The configuration of `ResilienceModule`. */
export interface ResilienceConfig {
  /** False: every policy except `@Fallback` is passed through. Default true. */
  enabled?: boolean;
  /** Options for every method that has the policy; what the method says itself wins. */
  defaults?: PolicyDefaults;
  /** Sets of policies by name, for `@Resilient('name')`: the place for what differs by environment. */
  presets?: Record<string, PolicySet>;
  /**
   * What wins over the decorators, by the name of the target: `Class.method`, or a name of
   * `ResilienceService.execute`. `false` switches a policy off. At a handler with several of our
   * interceptors only the policies that these have.
   */
  policies?: Record<string, PolicyOverrides>;
  /** Where the state of `@CheckpointComponent`s is kept. */
  checkpoint?: CheckpointConfig;
  /** What errors mean, and what is kept of them. */
  errors?: ErrorsConfig;
  /** Health endpoints; false mounts none. */
  health?: HealthConfig | false;
  /** How the application is looked after, and its recovery controller; false mounts none. */
  recovery?: RecoveryConfig | false;
  /** Whether our own errors capture a stack trace; it costs more than the refusal. Default false. */
  stack?: boolean;
  /**
   * Whether every decision on the way of a call is written down, for `explainError`. It costs about
   * as much as the policies themselves. Default false.
   */
  trace?: boolean;
  /**
   * One of so many calls is timed for the percentiles of `ResilienceStatistics`. From 1 (every call).
   * `false`: none. Default 64: reading clocks costs more than a healthy call does.
   */
  latencySample?: number | false;
  /**
   * The lint at the start warns of what is legal and probably not meant, one log line each; what is
   * said here to be meant it keeps for itself. `false`: no lint.
   */
  lint?: LintOptions | false;
  /** Names that `ResilienceService.execute` may register, so that a name made of user input cannot fill the memory. Default 1,000. */
  maxNames?: number;
}

/** What the lint is not to say. */
export interface LintOptions {
  /** Findings that are meant as they are. Default: none. */
  suppress?: readonly LintSuppression[];
}

/** Gives the configuration to `forRootAsync({ useClass })`. */
export interface ResilienceConfigFactory {
  createResilienceConfig(): ResilienceConfig | Promise<ResilienceConfig>;
}

/** What `forRootAsync` takes. `health` and `recovery` shape the module, so they are static: `path` and `decorators` come from here. */
export interface ResilienceAsyncConfig extends Pick<ModuleMetadata, 'imports'> {
  inject?: FactoryProvider['inject'];
  // oxlint-disable-next-line typescript/no-explicit-any -- its parameters are what `inject` lists
  useFactory?: (...args: any[]) => ResilienceConfig | Promise<ResilienceConfig>;
  useClass?: Type<ResilienceConfigFactory>;
  useExisting?: ClassProvider['provide'];
  health?: Pick<HealthConfig, 'path' | 'decorators'> | false;
  recovery?: StaticRecoveryConfig | false;
}

const list: OptionRule = (v) => (Array.isArray(v) ? undefined : 'a list');

const RULES: OptionRules<ResilienceConfig> = {
  enabled: boolean,
  defaults: () => undefined,
  presets: () => undefined,
  policies: () => undefined,
  checkpoint: () => undefined,
  errors: () => undefined,
  health: () => undefined,
  recovery: () => undefined,
  stack: boolean,
  trace: boolean,
  latencySample: either((v) => (v === false ? undefined : 'false'), integer(1)),
  lint: () => undefined,
  maxNames: integer(1),
};

const HEALTH_RULES: OptionRules<HealthConfig> = {
  path: text,
  details: oneOf('never', 'authorized', 'always'),
  timeout: span(1),
  sampleInterval: span(1_000),
  recoverAfter: span(0),
  indicators: (v) =>
    checkObject('', v).length === 0 &&
    Object.values(v as object).every((f) => typeof f === 'function')
      ? freeNames(Object.keys(v as object))
      : 'an object of functions',
  decorators: (v) =>
    Array.isArray(v) && v.every((f) => typeof f === 'function')
      ? undefined
      : 'a list of class decorators',
};

const LINT_RULES: OptionRules<LintOptions> = { suppress: list };

const SUPPRESSION_RULES: OptionRules<LintSuppression> = {
  code: oneOf(...LINT_CODES),
  target: text,
  reason: text,
};

/** An indicator under one of these names would hide our entry, or vanish from the answer. */
const TAKEN = ['circuitBreakers', 'bulkheads', 'checkpoints', '__proto__', ''];

function freeNames(names: readonly string[]): string | undefined {
  const taken = names.find((name) => TAKEN.includes(name));
  return taken === undefined ? undefined : `another name than ${show(taken)}`;
}

/** What `forRootAsync` itself takes; what its factory makes is checked when it is made. */
const ASYNC_RULES: OptionRules<ResilienceAsyncConfig> = {
  imports: list,
  inject: list,
  useFactory: aFunction,
  useClass: (v) => (typeof v === 'function' ? undefined : 'a class'),
  useExisting: (v) => (v === null ? 'a provider' : undefined),
  health: () => undefined,
  recovery: () => undefined,
};

const STATIC_HEALTH_RULES: OptionRules<Pick<HealthConfig, 'path' | 'decorators'>> = {
  path: HEALTH_RULES.path,
  decorators: HEALTH_RULES.decorators,
};

/** Every mistake in the configuration of the module. */
export function checkConfig(config: unknown): Mistake[] {
  const at = 'ResilienceModule';
  const mistakes = checkOptions<ResilienceConfig>(at, config, RULES);
  if (checkObject(at, config).length > 0) return mistakes;
  const { defaults, presets, policies, checkpoint, errors, health, recovery, lint } =
    config as ResilienceConfig;
  mistakes.push(...checkNamed(`${at} presets`, presets, false));
  mistakes.push(...checkNamed(`${at} policies`, policies, true));
  if (defaults !== undefined) mistakes.push(...checkDefaults(`${at} defaults`, defaults));
  mistakes.push(...checkCheckpointConfig(`${at} checkpoint`, checkpoint));
  mistakes.push(...checkErrorsConfig(`${at} errors`, errors));
  mistakes.push(...checkHealth(at, health, HEALTH_RULES));
  mistakes.push(...checkRecoveryConfig(`${at} recovery`, recovery));
  if (recovery === false && (health as HealthConfig | undefined)?.details === 'authorized') {
    const problem =
      "got 'authorized' with recovery: false, expected its access to say who may look";
    mistakes.push({ at: `${at} health details`, problem });
  }
  mistakes.push(...checkLint(`${at} lint`, lint));
  return mistakes;
}

/** Every mistake in what `forRootAsync` is given. */
export function checkAsyncConfig(options: unknown): Mistake[] {
  const at = 'ResilienceModule.forRootAsync';
  const mistakes = checkOptions<ResilienceAsyncConfig>(at, options, ASYNC_RULES);
  if (checkObject(at, options).length > 0) return mistakes;
  const { useFactory, useClass, useExisting, health, recovery } = options as ResilienceAsyncConfig;
  const ways = [useFactory, useClass, useExisting].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    const problem = `got ${ways.length} of useFactory, useClass, useExisting, expected exactly one`;
    mistakes.push({ at, problem });
  }
  mistakes.push(...checkHealth(at, health, STATIC_HEALTH_RULES));
  mistakes.push(...checkStaticRecoveryConfig(`${at} recovery`, recovery));
  return mistakes;
}

/** Sets of policies by name. Their options are checked where they are used: there they may be complete. */
function checkNamed(at: string, sets: unknown, mayBeOff: boolean): Mistake[] {
  if (sets === undefined) return [];
  const mistakes = checkObject(at, sets, 'sets of policies by name');
  if (mistakes.length > 0) return mistakes;
  return Object.entries(sets as object).flatMap(([name, set]: [string, unknown]) =>
    checkKinds(`${at} ${show(name)}`, set, mayBeOff),
  );
}

function checkHealth<T>(at: string, health: unknown, rules: OptionRules<T>): Mistake[] {
  if (health === undefined || health === false) return [];
  return checkOptions(`${at} health`, health, rules);
}

function checkLint(at: string, lint: unknown): Mistake[] {
  if (lint === undefined || lint === false) return [];
  const mistakes = checkOptions<LintOptions>(at, lint, LINT_RULES);
  if (mistakes.length > 0) return mistakes;
  return ((lint as LintOptions).suppress ?? []).flatMap((entry: unknown, i) => {
    const where = `${at} suppress[${i}]`;
    const wrong = checkOptions<LintSuppression>(where, entry, SUPPRESSION_RULES);
    if (checkObject(where, entry).length > 0) return wrong;
    const missing = (['code', 'reason'] as const)
      .filter((option) => (entry as LintSuppression)[option] === undefined)
      .map((option) => ({
        at: `${where} ${option}`,
        problem: `got nothing, expected ${SUPPRESSION_RULES[option](undefined)}`,
      }));
    return [...wrong, ...missing];
  });
}

function checkDefaults(at: string, defaults: unknown): Mistake[] {
  const fallback =
    checkObject(at, defaults).length === 0 ? (defaults as PolicySet).fallback : undefined;
  if (fallback === undefined) return checkPolicies(at, defaults);
  const problem = `got ${show(fallback)}, expected none: a fallback belongs to one method`;
  return [{ at: `${at} fallback`, problem }];
}
