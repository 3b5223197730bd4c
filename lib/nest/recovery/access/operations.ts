import type { ExecutionContext } from '@nestjs/common';

/** `read` looks, `operate` acts, `danger` may lose data or end the process. */
export type RecoveryLevel = 'read' | 'operate' | 'danger';

/** What must be enabled by name before anybody may do it. */
export type DangerOperation = 'restore' | 'fix' | 'shutdown' | 'delete';

/** One route of the controller. */
export interface Operation {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly level: RecoveryLevel;
  /** What of `danger` enables it. */
  readonly danger?: DangerOperation;
  readonly status?: number;
  readonly summary: string;
}

const look = (path: string, summary: string): Operation => ({
  method: 'GET',
  path,
  level: 'read',
  summary,
});
const act = (path: string, summary: string): Operation => ({
  method: 'POST',
  path,
  level: 'operate',
  summary,
});
const endanger = (path: string, danger: DangerOperation, summary: string): Operation => ({
  method: 'POST',
  path,
  level: 'danger',
  danger,
  summary,
});

/** Every route, by the name that access control and the audit know it by. */
export const OPERATIONS = {
  access: look('', 'What this credential may do'),
  status: look('status', 'State of recovery'),
  health: look('health', 'Health score and metrics'),
  'circuit-breakers': look('circuit-breakers', 'States of the circuit breakers'),
  bulkheads: look('bulkheads', 'Load of the bulkheads'),
  components: look('components', 'Components whose state is kept'),
  backups: look('backups', 'Backups that can be restored, newest first'),
  errors: look('errors', 'Recent errors, newest first'),
  actions: look('actions', 'Recent recovery actions, newest first'),
  events: look('events', 'Events as they happen, as server-sent events'),
  reset: act('circuit-breakers/:name/reset', 'Close a circuit breaker'),
  isolate: act(
    'circuit-breakers/:name/isolate',
    'Refuse all calls of a circuit breaker for a time',
  ),
  release: act('circuit-breakers/:name/release', 'End the isolation of a circuit breaker'),
  backup: act('backup/create', 'Make a backup'),
  drill: act('backup/drill', 'Restore the newest backup into a scratch copy and check it'),
  check: act('corruption/check', 'Check the state for corruption'),
  reconnect: act('network/reconnect', 'Get connections back'),
  restore: endanger('backup/restore', 'restore', 'Put the state back to a backup'),
  fix: endanger('corruption/fix', 'fix', 'Mend corrupted state'),
  delete: endanger('backup/delete', 'delete', 'Remove a backup'),
  cleanup: endanger('backup/cleanup', 'delete', 'Remove the oldest named backups'),
  shutdown: {
    ...endanger('shutdown', 'shutdown', 'End the application in good order'),
    status: 202,
  },
} as const satisfies Record<string, Operation>;

/** The name of one route of the controller. */
export type RecoveryOperation = keyof typeof OPERATIONS;

/** What a caller wants to do. */
export interface RecoveryAsk {
  readonly level: RecoveryLevel;
  readonly operation: RecoveryOperation;
}

/** The recovery controller that this registration mounted; undefined if none was. */
export const RECOVERY_CONTROLLER = Symbol('bulwark:recovery-controller');

const OPERATION = Symbol.for('bulwark:recovery-operation');

/** Says which operation a handler is; one that nobody said it of is closed. */
export function mark(handler: object, operation: RecoveryOperation): void {
  Reflect.defineMetadata(OPERATION, operation, handler);
}

/** The operation of a handler. */
export function operationOf(handler: object): RecoveryOperation | undefined {
  const name: unknown = Reflect.getOwnMetadata(OPERATION, handler);
  return typeof name === 'string' && Object.hasOwn(OPERATIONS, name)
    ? (name as RecoveryOperation)
    : undefined;
}

/** What the caller of the recovery controller wants to do, for a guard that tells levels apart; undefined elsewhere. */
export function recoveryAskOf(context: ExecutionContext): RecoveryAsk | undefined {
  const operation = operationOf(context.getHandler());
  return operation && { operation, level: OPERATIONS[operation].level };
}
