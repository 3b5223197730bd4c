import { randomUUID } from 'node:crypto';
import type { ExecutionContext } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Milliseconds } from '../../../kernel/duration.js';
import { RecoveryError } from '../../../recovery/recovery.error.js';
import type { RecoveryLevel, RecoveryOperation } from './operations.js';
import { addressOf, isOver } from './requests.js';

/** One request to the recovery controller that was denied, or that acts. Never a token, never a body. */
export interface AuditRecord {
  /** Wall-clock time, milliseconds since 1970. */
  readonly at: Milliseconds;
  /** The same as in the answer. */
  readonly requestId: string;
  /** `unknown` where the application refused before we were asked. */
  readonly operation: RecoveryOperation | 'unknown';
  readonly level: RecoveryLevel | 'unknown';
  /** As access control calls the caller; `anonymous` if nobody was let in. */
  readonly actor: string;
  /** Of the socket; behind a proxy that of the proxy. */
  readonly address: string;
  /**
   * - `denied`: nothing was done.
   * - `done`: it was.
   * - `failed`: it was let in, and refused or not possible.
   * - `abandoned`: the client left before it began.
   */
  readonly outcome: 'denied' | 'done' | 'failed' | 'abandoned';
  /** Why it was not done. */
  readonly code?: string;
}

export const ANONYMOUS = 'anonymous';

/** One request on its way through the controller. */
export class Visit {
  readonly requestId = randomUUID();
  actor = ANONYMOUS;
  /** Where the gate saw it. */
  context: ExecutionContext | undefined;
  /** Whether it is said how it ended. */
  isSettled = false;
  /** Whether a handler has it, and will say so. */
  isWorking = false;
  private isOver: boolean;

  constructor(
    readonly operation: RecoveryOperation | 'unknown',
    readonly level: RecoveryLevel | 'unknown',
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    private readonly tell: (facts: Omit<AuditRecord, 'at'>) => void,
  ) {
    // what stood before the gate took its time: the end is not told a second time
    this.isOver = isOver(response);
    if (this.isOver) return;
    response.once('close', () => {
      this.isOver = true;
      if (!this.isWorking) this.settle('abandoned');
    });
  }

  get address(): string {
    return addressOf(this.request);
  }

  /** Runs a task once the answer is out, or the client has left; at once if it has. */
  whenOver(task: () => void): void {
    if (this.isOver) task();
    else this.response.once('close', task);
  }

  /**
   * The handler has it now, and will settle it, whether the client waits or not.
   *
   * @throws RecoveryError if the client has left already: whoever said that it left tells the truth
   */
  begin(): void {
    this.isWorking = true;
    if (!this.isOver) return;
    this.settle('abandoned');
    throw new RecoveryError('RECOVERY_ABORTED', 'The client has left before it began.');
  }

  /** Says, once, how it ended. Whoever looks and is let in is no matter for the audit. */
  settle(outcome: AuditRecord['outcome'], code?: string): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.level === 'read' && outcome !== 'denied') return;
    const { requestId, operation, level, actor, address } = this;
    const why = code === undefined ? {} : { code };
    this.tell({ requestId, operation, level, actor, address, outcome, ...why });
  }
}
