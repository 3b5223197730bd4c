import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { integer, text } from '../../kernel/check.js';
import type { CancelTimer, Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { type CircuitBreakerControl, ResilienceRegistry } from '../../pipeline/registry.js';
import { RecoveryManager } from '../../recovery/recovery-manager.js';
import { RecoveryError } from '../../recovery/recovery.error.js';
import { backgroundOf } from '../background.js';
import { CLOCK } from '../tokens.js';
import { Refusal } from './access/refusal.js';
import { seconds, word } from './wire/answers.js';
import { type Fields, shortText } from './wire/incoming.js';

interface Isolation {
  readonly release: () => void;
  readonly cancel: CancelTimer;
}

interface IsolationBody {
  ttl_ms?: Milliseconds;
  reason?: string;
  key?: string;
}

const DAY: Milliseconds = 86_400_000;
const DEFAULT_TTL: Milliseconds = 600_000;

/**
 * The operator's hands on circuit breakers. An isolation ends by itself, so that none is forgotten,
 * and each breaker has one at most: the last.
 */
@Injectable()
export class BreakerDesk implements OnApplicationShutdown {
  static readonly ISOLATION: Fields<IsolationBody> = {
    rules: { ttl_ms: integer(1_000, DAY), reason: shortText(200), key: text },
  };
  private readonly isolations = new Map<CircuitBreakerId, Isolation>();

  constructor(
    @Inject(ResilienceRegistry) private readonly registry: ResilienceRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RecoveryManager) private readonly manager: RecoveryManager,
  ) {}

  reset(name: string, key: string | undefined, by: string): object {
    this.controlOf(name, key).reset(`reset by ${by}`);
    return this.noted(`Circuit breaker ${name} reset`, name, key, by);
  }

  isolate(
    name: string,
    { ttl_ms: ttl = DEFAULT_TTL, reason, key }: IsolationBody,
    by: string,
  ): object {
    const release = this.controlOf(name, key).isolate(reason ?? `isolated by ${by}`);
    const id = idOf(name, key);
    const former = this.isolations.get(id);
    former?.cancel();
    former?.release();
    const end = (): void => {
      this.isolations.delete(id);
      release();
    };
    const { clock } = this;
    const cancel = backgroundOf(clock)(end, ttl);
    this.isolations.set(id, { release, cancel });
    const answer = this.noted(`Circuit breaker ${name} isolated`, name, key, by);
    return { ...answer, ttl_ms: ttl, released_at: seconds(clock.epoch() + ttl) };
  }

  /** Ends the isolation made here, else what code holds it by. */
  release(name: string, key: string | undefined, by: string): object {
    const control = this.controlOf(name, key);
    const id = idOf(name, key);
    const own = this.isolations.get(id);
    if (own !== undefined) {
      this.isolations.delete(id);
      own.cancel();
      own.release();
    } else if (!control.release(`released by ${by}`)) {
      const message = 'This circuit breaker is neither isolated nor disabled.';
      throw new Refusal(409, 'NOT_ISOLATED', message);
    }
    return this.noted(`Circuit breaker ${name} released`, name, key, by);
  }

  onApplicationShutdown(): void {
    for (const { cancel } of this.isolations.values()) cancel();
  }

  private controlOf(name: string, key: string | undefined): CircuitBreakerControl {
    const control = this.registry.breakers.control(name, key);
    if (control !== undefined) return control;
    const isKeyed = key === undefined && this.registry.breakers.keyedReader(name) !== undefined;
    if (isKeyed)
      throw new Refusal(400, 'KEY', 'It has one circuit breaker for each key: say which `key`.');
    throw new RecoveryError('RECOVERY_UNKNOWN', 'There is no circuit breaker of that name.');
  }

  /** Others may hold it besides: whether calls go through now is what its state says. */
  private noted(deed: string, name: string, key: string | undefined, by: string): object {
    const { breakers } = this.registry;
    const reader =
      key === undefined ? breakers.reader(name) : breakers.keyedReader(name)?.reader(key);
    const state = word(reader!.state);
    const isHeld = state === 'disabled' || (state === 'isolated' && !deed.endsWith(state));
    const message = isHeld ? `${deed}; it is still ${state}, by somebody else` : deed;
    this.manager.noteAction({ type: 'circuit_breaker', status: 'success', details: message, by });
    return { message, state };
  }
}

type CircuitBreakerId = string;

function idOf(name: string, key: string | undefined): CircuitBreakerId {
  return JSON.stringify([name, key]);
}
