import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import {
  aFunction,
  boolean,
  checkOptions,
  either,
  integer,
  type Mistake,
  type OptionRule,
  type OptionRules,
  span,
} from '../../kernel/check.js';
import type { RecoveryOptions, ShutdownOptions } from '../../recovery/recovery.options.js';
import type { DangerOperation, RecoveryAsk } from './access/operations.js';
import { checkSecretive, kindShown, nameShown, tokenMistakes } from './access/secrets.js';
import type { AuditRecord } from './access/visit.js';

/** A secret of at least 32 characters, or two, so that one can be replaced while the other is still in use. */
export type RecoveryToken = string | readonly [string, string];

/** What `authorize` answers: whether the caller may, or who it is, if so. */
export type RecoveryAnswer = boolean | string;

/** Who is let in: by guards of the application, by tokens, or by a function. */
export type RecoveryAccessConfig =
  | {
      /**
       * All must answer exactly `true`, and then the caller may do everything that `danger` allows. A
       * guard that tells levels apart asks `recoveryAskOf(context)`. Who it is, is read from
       * `request.user`.
       */
      guards: readonly (Type<CanActivate> | CanActivate)[];
    }
  | {
      /**
       * Sent as `Authorization: Bearer`. Each opens its own level and those before it: `read` looks,
       * `operate` acts, `danger` may lose data. A level without a token is closed.
       */
      tokens: {
        read?: RecoveryToken;
        operate?: RecoveryToken;
        danger?: RecoveryToken;
      };
    }
  | {
      /** Asked with each request; only `true`, or the name of the caller, lets it in. */
      authorize(
        context: ExecutionContext,
        ask: RecoveryAsk,
      ): RecoveryAnswer | Promise<RecoveryAnswer>;
    };

/** How an application is looked after, where its recovery controller is, and who may use it. */
export interface RecoveryConfig extends RecoveryOptions {
  /** Where the controller is mounted. Default `recovery`. */
  path?: string;
  /** Who is let in. Default nobody; in development, or on a terminal, whoever has the token that is logged at the start. */
  access?: RecoveryAccessConfig;
  /** The dangerous operations that exist at all: each loses data, or the process. Default none. */
  danger?: readonly DangerOperation[];
  /** What the `Host` header may say, without a port, or with it. Default: anything; with `loopbackOnly` the names of this machine. */
  allowedHosts?: readonly string[];
  /** Whether only callers on this machine are let in; one whose request came through a proxy is none. Default false. */
  loopbackOnly?: boolean;
  /** Put on the mounted controller, such as the `@Public()` of an application whose guard denies by default. */
  decorators?: readonly ClassDecorator[];
  /** Hears of every request that was denied, and of every one that acts, once. Default: the log. */
  audit?: (record: AuditRecord) => unknown;
}

const DANGER: readonly DangerOperation[] = ['restore', 'fix', 'shutdown', 'delete'];
const PATH = /^\/?[\w~-][\w.~-]*(?:\/[\w~-][\w.~-]*)*\/?$/;
const HOST = /^(?:\[[\da-fA-F:.]+\]|[\w.-]+)(?::\d{1,5})?$/;

const off: OptionRule = (v) => (v === false ? undefined : 'false');
const listOf =
  (expected: string, isGood: (item: unknown) => boolean): OptionRule =>
  (v) =>
    Array.isArray(v) && v.every(isGood) ? undefined : expected;

const path: OptionRule = (v) =>
  typeof v === 'string' && PATH.test(v) ? undefined : 'a path without parameters';
const decorators = listOf('a list of class decorators', (f) => typeof f === 'function');

const RULES: OptionRules<RecoveryConfig> = {
  backupInterval: either(off, span(1_000)),
  corruptionCheckInterval: either(off, span(1_000)),
  maxBackups: integer(1),
  maxBackupBytes: integer(1),
  healthCheckInterval: span(1_000),
  checkTimeout: span(1),
  autoFix: boolean,
  maxActions: integer(10, 10_000),
  shutdown: () => undefined,
  path,
  access: () => undefined,
  danger: listOf(`a list of ${DANGER.map((name) => `'${name}'`).join(', ')}`, (name) =>
    DANGER.includes(name as DangerOperation),
  ),
  allowedHosts: listOf(
    "a list of host names, such as ['localhost']",
    (host) => typeof host === 'string' && HOST.test(host),
  ),
  loopbackOnly: boolean,
  decorators,
  audit: aFunction,
};

/** The option `recovery` of a configuration; nothing of it is set where it is not given, or false. */
export function recoveryConfigOf(
  config: { readonly recovery?: RecoveryConfig | false } | undefined,
): RecoveryConfig {
  const recovery = config?.recovery;
  return typeof recovery === 'object' && recovery !== null ? recovery : {};
}

/** What of it shapes the module. */
export type StaticRecoveryConfig = Pick<RecoveryConfig, 'path' | 'decorators'>;

const STATIC_RULES: OptionRules<StaticRecoveryConfig> = { path, decorators };
const SHUTDOWN_RULES: OptionRules<ShutdownOptions> = { preStopDelay: span(0), grace: span(0) };

/** Every mistake in the option `recovery`. */
export function checkRecoveryConfig(at: string, recovery: unknown): Mistake[] {
  if (recovery === undefined || recovery === false) return [];
  const unfit = checkSecretive(at, recovery, 'an options object');
  if (unfit.length > 0) return unfit;
  const mistakes = checkOptions(at, recovery, RULES);
  const { shutdown, access } = recovery as RecoveryConfig;
  if (shutdown !== undefined)
    mistakes.push(...checkOptions(`${at} shutdown`, shutdown, SHUTDOWN_RULES));
  if (access !== undefined) mistakes.push(...checkAccess(`${at} access`, access));
  return mistakes;
}

/** The same for what `forRootAsync` takes. */
export function checkStaticRecoveryConfig(at: string, recovery: unknown): Mistake[] {
  if (recovery === undefined || recovery === false) return [];
  return checkOptions(at, recovery, STATIC_RULES);
}

function checkAccess(at: string, access: unknown): Mistake[] {
  const ways = '{ guards }, { tokens } or { authorize }';
  const mistakes = checkSecretive(at, access, ways);
  if (mistakes.length > 0) return mistakes;
  const given = Object.keys(access as object);
  const [way] = given;
  const { guards, tokens, authorize } = access as Record<string, unknown>;
  if (given.length !== 1 || !['guards', 'tokens', 'authorize'].includes(way!)) {
    const got = given.length === 0 ? 'an object without any' : given.map(nameShown).join(', ');
    return [{ at, problem: `got ${got}, expected exactly one of ${ways}` }];
  }
  if (way === 'tokens') return tokenMistakes(`${at} tokens`, tokens);
  if (way === 'authorize') {
    if (typeof authorize === 'function') return [];
    return [{ at: `${at} authorize`, problem: `got ${kindShown(authorize)}, expected a function` }];
  }
  if (Array.isArray(guards) && guards.length > 0 && guards.every(isGuard)) return [];
  const problem = `got ${kindShown(guards)}, expected a list of guards that is not empty`;
  return [{ at: `${at} guards`, problem }];
}

function isGuard(guard: unknown): boolean {
  const has = (value: unknown): boolean =>
    typeof (value as Partial<CanActivate> | null | undefined)?.canActivate === 'function';
  return typeof guard === 'function' ? has(guard.prototype) : has(guard);
}
