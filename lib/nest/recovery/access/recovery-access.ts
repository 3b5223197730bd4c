import {
  type CanActivate,
  type ExecutionContext,
  HttpException,
  Inject,
  Injectable,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { SafeLogger } from '../../safe-logger.js';
import { clean } from '../../../errors/record/clean.js';
import { factsOf, headline } from '../../../errors/record/facts.js';
import { type Mistake, show } from '../../../kernel/check.js';
import type { Clock } from '../../../kernel/clock.js';
import type { ResilienceConfig } from '../../config.js';
import { CLOCK, CONFIG } from '../../tokens.js';
import type { RecoveryConfig } from '../recovery.config.js';
import { FailureLimiter } from './failure-limiter.js';
import { OPERATIONS, type RecoveryLevel, type RecoveryOperation } from './operations.js';
import { Refusal } from './refusal.js';
import { checkSource } from './request-rules.js';
import { addressOf, headerOf, type HostRequest, rawRequest } from './requests.js';
import { freshToken, LEVELS, Secrets } from './secrets.js';
import { ANONYMOUS } from './visit.js';

/** Who may do what is decided by one of these. */
type Way =
  | { readonly kind: 'closed' }
  | { readonly kind: 'tokens'; readonly secrets: Secrets }
  | { readonly kind: 'guards'; readonly guards: readonly (Type<CanActivate> | CanActivate)[] }
  | { readonly kind: 'authorize'; readonly authorize: Authorize };

type Authorize = Extract<
  NonNullable<RecoveryConfig['access']>,
  { authorize: unknown }
>['authorize'];

const BEARER = /^Bearer ([\x21-\x7e]{1,1000})$/;
const MAX_ACTOR = 100;
const MAX_LINE = 1_000;

/** Decides who may do what with the recovery of the application. */
@Injectable()
export class RecoveryAccess {
  /** The token of this run, where nobody configured another way in and somebody watches the log. */
  readonly freshToken: string | undefined;
  private readonly logger = new SafeLogger('Bulwark');
  private readonly config: RecoveryConfig;
  private readonly way: Way;
  private readonly limiter: FailureLimiter;
  private hostGuards: CanActivate[] = [];

  constructor(
    @Inject(CONFIG) config: ResilienceConfig | undefined,
    @Inject(CLOCK) clock: Clock,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {
    const recovery = config?.recovery;
    this.config = typeof recovery === 'object' ? recovery : {};
    const isOpen = recovery !== false && this.config.access === undefined && isWatched();
    this.freshToken = isOpen ? freshToken() : undefined;
    this.way = wayOf(this.config.access, this.freshToken);
    this.limiter = new FailureLimiter(clock);
  }

  /** Whether nobody can get in. */
  get isClosed(): boolean {
    return this.way.kind === 'closed';
  }

  /** Finds the guards of the application; answers those that cannot be found, for the boot to fail. */
  async resolve(): Promise<Mistake[]> {
    if (this.way.kind !== 'guards') return [];
    const mistakes: Mistake[] = [];
    const found: CanActivate[] = [];
    for (const guard of this.way.guards) {
      try {
        found.push(typeof guard === 'function' ? await this.instanceOf(guard) : guard);
      } catch (error) {
        const problem = `cannot be resolved: ${headline(factsOf(error))}`;
        mistakes.push({ at: `ResilienceModule recovery access guards ${show(guard)}`, problem });
      }
    }
    this.hostGuards = found;
    return mistakes;
  }

  /** Lets a caller in, and says who it is. @throws Refusal */
  async admit(context: ExecutionContext, operation: RecoveryOperation): Promise<string> {
    const request = context.switchToHttp().getRequest<HostRequest>();
    const { level } = OPERATIONS[operation];
    switch (this.way.kind) {
      case 'closed':
        throw new Refusal(
          403,
          'RECOVERY_CLOSED',
          'Nobody is let in: recovery.access is not configured.',
        );
      case 'tokens':
        return this.admitByToken(request, level, this.way.secrets);
      case 'guards':
        return this.limited(request, () => this.admitByGuards(context));
      case 'authorize': {
        const { authorize } = this.way;
        return this.limited(request, () =>
          this.admitByAnswer(context, authorize, { level, operation }),
        );
      }
    }
  }

  /** What of all operations this caller may do, who was let in for one of them. */
  async allowed(context: ExecutionContext): Promise<RecoveryOperation[]> {
    const all = Object.keys(OPERATIONS) as RecoveryOperation[];
    const enabled = all.filter((operation) => this.isEnabled(operation));
    if (this.way.kind === 'closed') return [];
    if (this.way.kind === 'guards') return enabled;
    if (this.way.kind === 'tokens') {
      const request = context.switchToHttp().getRequest<HostRequest>();
      const known = this.way.secrets.find(tokenIn(request) ?? '');
      return enabled.filter((operation) => includes(known?.level, OPERATIONS[operation].level));
    }
    const { authorize } = this.way;
    const answers = await Promise.all(
      enabled.map((operation) =>
        this.admitByAnswer(context, authorize, { level: OPERATIONS[operation].level, operation })
          .then(() => true)
          .catch(() => false),
      ),
    );
    return enabled.filter((_, i) => answers[i]);
  }

  /** Whether a caller of another endpoint has a credential that may look. Never throws. */
  async maySee(context: ExecutionContext): Promise<boolean> {
    try {
      if (context.getType() !== 'http') return false;
      checkSource(context.switchToHttp().getRequest(), this.config);
      await this.admit(context, 'health');
      return true;
    } catch {
      return false;
    }
  }

  /** Whether an operation exists at all, as far as `danger` says. */
  isEnabled(operation: RecoveryOperation): boolean {
    const { danger } = OPERATIONS[operation] as { danger?: never };
    return danger === undefined || this.config.danger?.includes(danger) === true;
  }

  private async admitByToken(
    request: HostRequest,
    level: RecoveryLevel,
    secrets: Secrets,
  ): Promise<string> {
    const raw = rawRequest(request);
    const token = tokenIn(request);
    const known = token === undefined ? undefined : secrets.find(token);
    if (known === undefined) {
      const address = addressOf(raw);
      // a right token is never kept out: others behind the same proxy could keep the operator out
      if (headerOf(raw, 'authorization') !== undefined) {
        this.refuseBlocked(address);
        this.limiter.failed(address);
      }
      throw unauthorized();
    }
    if (!includes(known.level, level))
      throw new Refusal(403, 'LEVEL', `This token does not open the level ${level}.`);
    return known.actor;
  }

  /** What the application checks by itself may be guessed or dear: an address that fails is not asked for again at once. */
  private async limited(request: HostRequest, admit: () => Promise<string>): Promise<string> {
    const address = addressOf(rawRequest(request));
    this.refuseBlocked(address);
    try {
      return await admit();
    } catch (error) {
      this.limiter.failed(address);
      throw error;
    }
  }

  private refuseBlocked(address: string): void {
    const wait = this.limiter.blocked(address);
    if (wait === undefined) return;
    throw new Refusal(429, 'TOO_MANY_FAILURES', 'Too many failed attempts from this address.', {
      'Retry-After': String(Math.ceil(wait / 1_000)),
    });
  }

  private async admitByGuards(context: ExecutionContext): Promise<string> {
    for (const guard of this.hostGuards) {
      const answer = await this.ask('a guard of recovery.access', async () => {
        const given: unknown = await guard.canActivate(context);
        return isObservable(given) ? lastValueFrom(given) : given;
      });
      if (answer !== true) throw forbidden();
    }
    if (this.hostGuards.length === 0) throw forbidden();
    return actorOf(context.switchToHttp().getRequest<HostRequest>().user);
  }

  private async admitByAnswer(
    context: ExecutionContext,
    authorize: Authorize,
    ask: Parameters<Authorize>[1],
  ): Promise<string> {
    const answer = await this.ask('recovery.access.authorize', () => authorize(context, ask));
    if (typeof answer === 'string' && answer !== '') return clean(answer, MAX_ACTOR);
    if (answer !== true) throw forbidden();
    return actorOf(context.switchToHttp().getRequest<HostRequest>().user);
  }

  /** Whatever goes wrong in it, the answer is no. */
  private async ask(what: string, answer: () => unknown): Promise<unknown> {
    try {
      return await answer();
    } catch (error) {
      if (error instanceof HttpException && error.getStatus() === 401) throw unauthorized();
      if (!(error instanceof HttpException))
        this.logger.warn(clean(`recovery: ${what} threw ${headline(factsOf(error))}`, MAX_LINE));
      throw forbidden();
    }
  }

  private async instanceOf(guard: Type<CanActivate>): Promise<CanActivate> {
    let known: CanActivate;
    try {
      known = this.modules.get(guard, { strict: false });
    } catch {
      return this.modules.create(guard);
    }
    return known;
  }
}

function wayOf(access: RecoveryConfig['access'], token: string | undefined): Way {
  if (token !== undefined) return { kind: 'tokens', secrets: new Secrets({ danger: token }) };
  if (access === undefined) return { kind: 'closed' };
  if ('tokens' in access) return { kind: 'tokens', secrets: new Secrets(access.tokens) };
  if ('guards' in access) return { kind: 'guards', guards: access.guards };
  return { kind: 'authorize', authorize: (...given) => access.authorize(...given) };
}

/** Whether the log is read by the one who started this, and by nobody else. */
function isWatched(): boolean {
  const { NODE_ENV } = process.env;
  return NODE_ENV === 'development' || (process.stdout.isTTY && NODE_ENV !== 'production');
}

function tokenIn(request: HostRequest): string | undefined {
  return BEARER.exec(headerOf(rawRequest(request), 'authorization') ?? '')?.[1];
}

function includes(has: RecoveryLevel | undefined, wanted: RecoveryLevel): boolean {
  return has !== undefined && LEVELS.indexOf(has) >= LEVELS.indexOf(wanted);
}

function unauthorized(): Refusal {
  return new Refusal(401, 'UNAUTHORIZED', 'A valid credential is required.', {
    'WWW-Authenticate': 'Bearer',
  });
}

function forbidden(): Refusal {
  return new Refusal(403, 'FORBIDDEN', 'The access control of the application says no.');
}

/** The usual names for who somebody is, as guards leave them on the request. */
function actorOf(user: unknown): string {
  if (typeof user === 'string') return clean(user, MAX_ACTOR);
  if (typeof user !== 'object' || user === null) return ANONYMOUS;
  for (const field of ['id', 'sub', 'username', 'name', 'email']) {
    const value = (user as Record<string, unknown>)[field];
    if (typeof value === 'string' || typeof value === 'number')
      return clean(String(value), MAX_ACTOR);
  }
  return ANONYMOUS;
}
