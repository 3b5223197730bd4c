import {
  type CallHandler,
  type NestInterceptor,
  Injectable,
  RequestTimeoutException,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { AuditRecord } from 'nestjs-bulwark';
import { from, type Observable, race, switchMap, throwError } from 'rxjs';
import { ADAPTERS, closeAll, deferred, eventLoopTurns } from '../nest/support/app.js';
import { BACKUP, EVERYTHING, gate } from '../nest/recovery/gate-host.js';

afterEach(closeAll);

let tooLate: Promise<void>;

/** As the documentation of Nest has it, but for the clock. */
@Injectable()
class TimeoutInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler): Observable<unknown> {
    const late = from(tooLate).pipe(
      switchMap(() => throwError(() => new RequestTimeoutException())),
    );
    return race(late, next.handle());
  }
}

describe.each(ADAPTERS)('on %s', (_, adapter) => {
  it('a time limit of the application calls the work off, and the audit says how it ended', async () => {
    const records: AuditRecord[] = [];
    const { promise, resolve } = deferred();
    tooLate = promise;
    const it = await gate(
      adapter,
      { ...EVERYTHING, audit: (record) => records.push(record) },
      { providers: [{ provide: APP_INTERCEPTOR, useClass: TimeoutInterceptor }] },
    );
    const end = deferred<unknown>();
    let signal: AbortSignal | undefined;
    it.manager.instead.set('restoreBackup', (_name: never, asked: { signal: AbortSignal }) => {
      signal = asked.signal;
      return end.promise;
    });

    const answer = it.post('/recovery/backup/restore', { backup_name: 'b1' });
    while (it.manager.calls.length === 0) await eventLoopTurns();
    resolve();
    expect((await answer).status).toBe(408);
    await eventLoopTurns();

    expect(signal!.aborted).toBe(true);
    expect(records).toEqual([]);
    end.resolve({ isDryRun: false, backup: BACKUP, components: [], lostCalls: 0, issues: [] });
    await eventLoopTurns();
    expect(records).toMatchObject([{ operation: 'restore', outcome: 'done' }]);
  });

  it('what the application says of its state cannot say how the request went', async () => {
    tooLate = new Promise(() => {});
    const it = await gate(adapter, EVERYTHING);
    const summary = { success: false, timestamp: 'long ago', chain_height: 7 };
    const backup = { ...BACKUP, summary };
    it.manager.instead.set('createCheckpoint', () => backup);
    it.manager.instead.set('restoreBackup', () => ({
      isDryRun: false,
      backup,
      components: [],
      lostCalls: 0,
      issues: [],
    }));

    for (const [path, body] of [
      ['/recovery/backup/create', {}],
      ['/recovery/backup/restore', { backup_name: 'b1' }],
    ] as const)
      expect((await it.post(path, body)).json).toMatchObject({
        success: true,
        timestamp: expect.any(Number),
        chain_height: 7,
      });
  });
});
