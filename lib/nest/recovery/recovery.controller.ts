import {
  Controller,
  Get,
  HttpCode,
  Inject,
  type MessageEvent,
  Post,
  Req,
  Sse,
  type Type,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { EMPTY, type Observable } from 'rxjs';
import { ResilienceErrors } from '../../errors/resilience-errors.js';
import { boolean, integer, text } from '../../kernel/check.js';
import { ResilienceRegistry } from '../../pipeline/registry.js';
import { RecoveryManager } from '../../recovery/recovery-manager.js';
import { RecoveryError } from '../../recovery/recovery.error.js';
import type { CorruptionOutcome } from '../../recovery/recovery-report.js';
import { CHECKPOINTS, Checkpoints } from '../checkpoint/checkpoints.js';
import { HealthMonitor } from '../health/health-monitor.js';
import { mark, OPERATIONS, type RecoveryOperation } from './access/operations.js';
import { RecoveryAccess } from './access/recovery-access.js';
import { Refusal } from './access/refusal.js';
import { RecoveryGate } from './access/recovery-gate.js';
import { Visits } from './access/visits.js';
import { BreakerDesk } from './breaker-desk.js';
import { EventFeed } from './event-feed.js';
import { RecoveryDesk } from './recovery-desk.js';
import { ShutdownRoute } from './shutdown-route.js';
import * as answers from './wire/answers.js';
import { backupName, NO_FIELDS, nameIn, refuseQuery, shortText } from './wire/incoming.js';
import { RecoveryErrorsFilter } from './wire/recovery-errors.filter.js';

/** Makes a method the handler of one operation: its route, its status, and what the gate knows it by. */
function Route(operation: RecoveryOperation): MethodDecorator {
  const {
    method,
    path,
    status = 200,
  } = OPERATIONS[operation] as { status?: number } & Pick<(typeof OPERATIONS)['status'], 'path'> & {
      method: string;
    };
  return (target, key, descriptor) => {
    const verb = operation === 'events' ? Sse : method === 'GET' ? Get : Post;
    verb(path)(target, key, descriptor as PropertyDescriptor);
    HttpCode(status)(target, key, descriptor);
    mark(descriptor.value as object, operation);
  };
}

/**
 * The operator's half of recovery over HTTP. Handlers take the request as it is: what a pipe of the
 * application does to bodies and parameters changes nothing here.
 */
abstract class RecoveryEndpoints {
  // oxlint-disable-next-line max-params -- Nest injects by constructor
  constructor(
    @Inject(RecoveryDesk) private readonly desk: RecoveryDesk,
    @Inject(Visits) private readonly visits: Visits,
    @Inject(RecoveryAccess) private readonly access_: RecoveryAccess,
    @Inject(ResilienceRegistry) private readonly registry: ResilienceRegistry,
    @Inject(HealthMonitor) private readonly monitor: HealthMonitor,
    @Inject(ResilienceErrors) private readonly log: ResilienceErrors,
    @Inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @Inject(BreakerDesk) private readonly breakers: BreakerDesk,
    @Inject(EventFeed) private readonly feed: EventFeed,
    @Inject(ShutdownRoute) private readonly ending: ShutdownRoute,
    @Inject(RecoveryManager) private readonly manager: RecoveryManager,
  ) {}

  @Route('access')
  access(@Req() request: unknown): Promise<object> {
    return this.desk.look(request, async () => {
      const allowed = await this.access_.allowed(this.visits.of(request)!.context!);
      const operations = allowed.map((operation) => {
        const { method, path, level, summary } = OPERATIONS[operation];
        return { operation, method, path, level, summary };
      });
      return { levels: [...new Set(operations.map(({ level }) => level))], operations };
    });
  }

  @Route('status')
  status(@Req() request: unknown): Promise<object> {
    return this.desk.look(request, async () =>
      answers.statusAnswer(await this.manager.getRecoveryStatus()),
    );
  }

  @Route('health')
  health(@Req() request: unknown): Promise<object> {
    return this.desk.look(request, async () => answers.healthAnswer(await this.monitor.status()));
  }

  @Route('circuit-breakers')
  circuitBreakers(@Req() request: unknown): Promise<object> {
    return this.desk.look(request, () => answers.breakersAnswer(this.registry));
  }

  @Route('bulkheads')
  bulkheads(@Req() request: unknown): Promise<object> {
    return this.desk.look(request, () => answers.bulkheadsAnswer(this.registry));
  }

  @Route('components')
  components(@Req() request: unknown): Promise<object> {
    return this.desk.look(request, () => answers.componentsAnswer(this.checkpoints.engine));
  }

  @Route('backups')
  backups(@Req() request: unknown): Promise<object> {
    return this.desk.look(request, async () =>
      answers.backupsAnswer(await this.manager.listBackups()),
    );
  }

  @Route('errors')
  errors(@Req() request: unknown): Promise<object> {
    return this.desk.list(request, (limit) => answers.errorsAnswer(this.log.list({ limit })));
  }

  @Route('actions')
  actions(@Req() request: unknown): Promise<object> {
    return this.desk.list(request, (limit) => answers.actionsAnswer(this.manager.actions(limit)));
  }

  @Route('events')
  events(@Req() request: unknown): Observable<MessageEvent> {
    refuseQuery(request);
    const visit = this.visits.of(request)!;
    return visit.request.method === 'HEAD' ? EMPTY : this.feed.open(visit.response);
  }

  @Route('reset')
  reset(@Req() request: unknown): Promise<object> {
    return this.desk.act(request, { rules: { key: text } }, ({ key }: { key?: string }, { by }) =>
      this.breakers.reset(nameIn(request), key, by),
    );
  }

  @Route('isolate')
  isolate(@Req() request: unknown): Promise<object> {
    return this.desk.act(request, BreakerDesk.ISOLATION, (body, { by }) =>
      this.breakers.isolate(nameIn(request), body, by),
    );
  }

  @Route('release')
  release(@Req() request: unknown): Promise<object> {
    return this.desk.act(request, { rules: { key: text } }, ({ key }: { key?: string }, { by }) =>
      this.breakers.release(nameIn(request), key, by),
    );
  }

  @Route('backup')
  create(@Req() request: unknown): Promise<object> {
    return this.desk.act(
      request,
      { rules: { name: backupName } },
      async ({ name }: { name?: string }, asked) =>
        answers.createdAnswer(await this.manager.createCheckpoint(name, asked)),
    );
  }

  @Route('drill')
  drill(@Req() request: unknown): Promise<object> {
    return this.desk.act(request, NO_FIELDS, async (_, asked) =>
      answers.drillAnswer(await this.manager.restoreDrill(asked)),
    );
  }

  @Route('check')
  check(@Req() request: unknown): Promise<object> {
    return this.desk.act(request, NO_FIELDS, async (_, asked) =>
      answers.checkedAnswer(await this.manager.checkCorruption(asked)),
    );
  }

  @Route('reconnect')
  reconnect(@Req() request: unknown): Promise<object> {
    return this.desk.act(
      request,
      { rules: { name: shortText(200) } },
      async ({ name }: { name?: string }, asked) => {
        if (name !== undefined && !this.manager.connections.includes(name))
          throw new RecoveryError('RECOVERY_UNKNOWN', 'There is no connection of that name.');
        return answers.reconnectedAnswer(await this.manager.handleNetworkPartition(name, asked));
      },
    );
  }

  @Route('restore')
  restore(@Req() request: unknown): Promise<object> {
    interface Body {
      backup_name: string;
      dry_run?: boolean;
    }
    return this.desk.act<Body>(
      request,
      { rules: { backup_name: backupName, dry_run: boolean }, required: ['backup_name'] },
      async ({ backup_name: name, dry_run: dryRun = false }, asked) =>
        answers.restoredAnswer(await this.manager.restoreBackup(name, { ...asked, dryRun })),
    );
  }

  @Route('fix')
  fix(@Req() request: unknown): Promise<object> {
    interface Body {
      force_rollback?: boolean;
      dry_run?: boolean;
    }
    return this.desk.act<Body>(
      request,
      { rules: { force_rollback: boolean, dry_run: boolean } },
      async ({ force_rollback: force = false, dry_run: dryRun = false }, asked) =>
        fixedOrRefused(await this.manager.handleCorruption(force, { ...asked, dryRun })),
    );
  }

  @Route('delete')
  remove(@Req() request: unknown): Promise<object> {
    return this.desk.act<{ backup_name: string }>(
      request,
      { rules: { backup_name: backupName }, required: ['backup_name'] },
      async ({ backup_name: name }, asked) => {
        await this.manager.removeBackup(name, asked);
        return { message: `Backup removed: ${name}` };
      },
    );
  }

  @Route('cleanup')
  cleanup(@Req() request: unknown): Promise<object> {
    return this.desk.act<{ keep: number }>(
      request,
      { rules: { keep: integer(0, 10_000) }, required: ['keep'] },
      async ({ keep }, asked) => {
        const removed = await this.manager.cleanupOldBackups(keep, asked);
        return { message: `${removed.length} backups removed`, count: removed.length, removed };
      },
    );
  }

  @Route('shutdown')
  shutdown(@Req() request: unknown): Promise<object> {
    return this.desk.act<{ reason?: string }>(
      request,
      { rules: { reason: shortText(200) } },
      ({ reason = 'asked for by HTTP' }, asked) => this.ending.begin(reason, asked),
    );
  }
}

/** A preview answers what would be; what was asked for and not done is an error. */
function fixedOrRefused(outcome: CorruptionOutcome): object {
  const { isDryRun, result, message } = outcome;
  const {
    success: _,
    message: __,
    ...facts
  } = answers.fixedAnswer(outcome) as {
    success: boolean;
    message: string;
  };
  if (isDryRun || result === 'fixed' || result === 'sound') return answers.fixedAnswer(outcome);
  const [status, code] = result === 'refused' ? [409, 'FIX_REFUSED'] : [422, 'FIX_FAILED'];
  throw new Refusal(status as number, code as string, message, {}, facts);
}

/** The controller, a new class for each registration: path and decorators are not written on a shared one. */
export function recoveryController(path: string, decorators: readonly ClassDecorator[]): Type {
  class RecoveryController extends RecoveryEndpoints {}
  Controller({ path, version: VERSION_NEUTRAL })(RecoveryController);
  for (const decorator of decorators) decorator(RecoveryController);
  // after those: whatever they say, these stay
  UseGuards(RecoveryGate)(RecoveryController);
  UseFilters(RecoveryErrorsFilter)(RecoveryController);
  return RecoveryController;
}
