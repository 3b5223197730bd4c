import { request as httpRequest } from 'node:http';
import type { AuditRecord } from 'nestjs-bulwark';
import { RecoveryError } from '../../../lib/recovery/recovery.error.js';
import { ADAPTERS, closeAll, deferred, eventLoopTurns } from '../support/app.js';
import {
  type Ask,
  DANGER,
  EVERYTHING,
  gate,
  type GateWorld,
  OPERATE,
  portOf,
  READ,
  type Reply,
} from './gate-host.js';

afterEach(closeAll);

const RESTORE = '/recovery/backup/restore';

describe.each(ADAPTERS)('dangerous operations on %s', (_, adapter) => {
  const world = (): Promise<GateWorld> => gate(adapter, EVERYTHING);
  const restore = ({ ask }: GateWorld, key: string | undefined, name = 'b1'): Promise<Reply> =>
    ask({
      method: 'POST',
      path: RESTORE,
      token: DANGER,
      body: { backup_name: name },
      ...(key === undefined ? {} : { headers: { 'Idempotency-Key': key } }),
    });

  it('#149 the same key is carried out once, one after another and at once', async () => {
    const it = await world();
    const { promise, resolve } = deferred<unknown>();
    it.manager.instead.set('restoreBackup', () => promise);

    const both = [restore(it, 'k1'), restore(it, 'k1')];
    while (it.manager.calls.length === 0) await eventLoopTurns();
    await eventLoopTurns();
    resolve({
      isDryRun: false,
      backup: { name: 'b1', summary: {} },
      components: [],
      lostCalls: 0,
      issues: [],
    });
    const answers = [...(await Promise.all(both)), await restore(it, 'k1')];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(it.manager.of('restoreBackup')).toHaveLength(1);
  });

  it('#149 the same key for something else is 409, and another key is another execution', async () => {
    const it = await world();
    await restore(it, 'k1');

    const other = await restore(it, 'k1', 'b2');
    expect([other.status, other.json['code']]).toEqual([409, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await restore(it, 'k2', 'b2')).status).toBe(200);
    expect(it.manager.of('restoreBackup').map(({ args }) => args[0])).toEqual(['b1', 'b2']);
  });

  it('#149 what was refused may be tried again with its key; after an hour a key is new', async () => {
    const it = await world();
    it.manager.instead.set('restoreBackup', () =>
      Promise.reject(new RecoveryError('RECOVERY_BAD_BACKUP', 'b1 is damaged')),
    );
    expect(await restore(it, 'k1')).toMatchObject({
      status: 422,
      json: { success: false, code: 'RECOVERY_BAD_BACKUP', message: 'b1 is damaged' },
    });
    it.manager.instead.clear();
    expect((await restore(it, 'k1')).status).toBe(200);
    expect((await restore(it, 'k1')).status).toBe(200);
    expect(it.manager.of('restoreBackup')).toHaveLength(2);

    await it.clock.advance(3_600_000);
    await restore(it, 'k1');
    expect(it.manager.of('restoreBackup')).toHaveLength(3);
  });

  it.each(['', 'a b', 'x'.repeat(101), 'a,b'])('#149 %j can be no key', async (key) => {
    const it = await world();

    expect((await restore(it, key)).status).toBe(400);
    expect(it.manager.calls).toEqual([]);
  });

  it('#150 one at a time: the second is 409, and when the first has ended another may', async () => {
    const it = await world();
    const { promise, reject } = deferred<unknown>();
    it.manager.instead.set('restoreBackup', () => promise);

    const first = restore(it, undefined);
    while (it.manager.calls.length === 0) await eventLoopTurns();
    for (const [path, body] of [
      [RESTORE, { backup_name: 'b2' }],
      ['/recovery/corruption/fix', {}],
      ['/recovery/backup/cleanup', { keep: 1 }],
    ] as const) {
      const { status, json } = await it.post(path, body);
      expect([path, status, json['code']]).toEqual([path, 409, 'RECOVERY_BUSY']);
    }
    reject(new Error('crashed'));
    expect((await first).status).toBe(500);
    it.manager.instead.clear();

    expect((await restore(it, undefined)).status).toBe(200);
    expect(it.manager.of('restoreBackup')).toHaveLength(2);
  });

  it('#151 shutdown is answered before it begins, and a second one is 409', async () => {
    const { post, manager } = await world();
    const { promise, resolve } = deferred();
    manager.instead.set('gracefulShutdown', () => promise);
    const path = '/recovery/shutdown';

    const answer = await post(path, { reason: 'maintenance' });
    expect([answer.status, answer.json]).toEqual([
      202,
      expect.objectContaining({ success: true, message: 'Graceful shutdown initiated' }),
    ]);
    while (manager.calls.length === 0) await eventLoopTurns();
    expect(manager.of('gracefulShutdown')).toMatchObject([
      { args: ['maintenance', { by: expect.stringMatching(/^danger-token/) }] },
    ]);
    const second = await post(path);
    expect([second.status, second.json['code']]).toEqual([409, 'RECOVERY_SHUTTING_DOWN']);
    resolve();
    expect(manager.of('gracefulShutdown')).toHaveLength(1);
  });

  it('#151 of many at once one shuts down, and all are answered', async () => {
    const { post, manager } = await world();
    manager.instead.set('gracefulShutdown', () => new Promise(() => {}));

    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/recovery/shutdown')));

    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([202, ...Array.from({ length: 19 }, () => 409)]);
    await eventLoopTurns();
    expect(manager.of('gracefulShutdown')).toHaveLength(1);
  });

  it('shutdown without attach is 409 and names the line that is missing', async () => {
    const { post, manager } = await world();
    manager.isAttached = false;

    const { status, json } = await post('/recovery/shutdown');

    expect([status, json['code']]).toEqual([409, 'RECOVERY_NOT_ATTACHED']);
    expect(json['message']).toContain('app.get(RecoveryManager).attach(app)');
    expect(manager.calls).toEqual([]);
  });

  it.each([
    ['checkCorruption', '/recovery/corruption/check', undefined],
    ['handleCorruption', '/recovery/corruption/fix', {}],
    ['restoreBackup', RESTORE, { backup_name: 'b1' }],
  ])('#157 a client that leaves calls %s off', async (method, path, body) => {
    const { app, manager, post } = await world();
    const aborted = deferred();
    manager.instead.set(method, (...args: unknown[]) => {
      const { signal } = args.at(-1) as { signal: AbortSignal };
      signal.addEventListener('abort', () => aborted.resolve());
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('left'))),
      );
    });

    const leave = start(app, { path, body });
    while (manager.calls.length === 0) await eventLoopTurns();
    leave();
    await aborted.promise;

    manager.instead.clear();
    expect((await post(path, body)).status).toBe(200);
  });

  it('#157 with a key the client is expected back, and nothing is called off', async () => {
    const it = await world();
    const { promise, resolve } = deferred();
    let signal: AbortSignal | undefined;
    it.manager.instead.set(
      'restoreBackup',
      async (_name: never, asked: { signal: AbortSignal }) => {
        signal = asked.signal;
        await promise;
        return {
          isDryRun: false,
          backup: { name: 'b1', summary: {} },
          components: [],
          lostCalls: 0,
          issues: [],
        };
      },
    );

    const leave = start(it.app, { path: RESTORE, body: { backup_name: 'b1' }, key: 'k1' });
    while (it.manager.calls.length === 0) await eventLoopTurns();
    leave();
    await eventLoopTurns();
    expect(signal!.aborted).toBe(false);
    resolve();

    expect((await restore(it, 'k1')).status).toBe(200);
    expect(it.manager.of('restoreBackup')).toHaveLength(1);
  });

  it('#143 every request that is denied or acts is in the audit once, and no token or body', async () => {
    const records: AuditRecord[] = [];
    const { ask, manager } = await gate(adapter, {
      ...EVERYTHING,
      danger: ['restore'],
      audit: (record) => {
        records.push(record);
        throw new Error('the audit is full');
      },
    });
    manager.instead.set('createCheckpoint', () => Promise.reject(new Error('disk')));
    const post = (path: string, token?: string, body?: unknown): Ask => ({
      method: 'POST',
      path,
      token,
      ...(body === undefined ? {} : { body }),
    });
    const requests: [Ask, object | undefined][] = [
      [{ path: '/recovery/status', token: READ }, undefined],
      [{ path: '/recovery/errors?limit=x', token: READ }, undefined],
      [
        { path: '/recovery/status' },
        { operation: 'status', outcome: 'denied', code: 'UNAUTHORIZED', actor: 'anonymous' },
      ],
      [post('/recovery/corruption/check', READ), { outcome: 'denied', code: 'LEVEL' }],
      [
        post('/recovery/corruption/check', OPERATE),
        { outcome: 'done', level: 'operate', actor: expect.stringMatching(/^operate-token:/) },
      ],
      [
        post('/recovery/corruption/check', OPERATE, { x: 1 }),
        { outcome: 'failed', code: 'BAD_REQUEST' },
      ],
      [post('/recovery/corruption/fix', DANGER), { outcome: 'denied', code: 'DANGER_DISABLED' }],
      [post(RESTORE, DANGER, { backup_name: 'b1' }), { outcome: 'done', operation: 'restore' }],
      [
        post('/recovery/backup/create', DANGER, { name: 'secret-name' }),
        { outcome: 'failed', code: 'INTERNAL' },
      ],
      [
        post('/recovery/circuit-breakers/nobody/reset', DANGER),
        { outcome: 'failed', code: 'RECOVERY_UNKNOWN' },
      ],
    ];

    for (const [asked, expected] of requests) {
      records.length = 0;
      const { headers } = await ask(asked);
      await eventLoopTurns();
      expect(records).toEqual(
        expected === undefined
          ? []
          : [
              expect.objectContaining({
                ...expected,
                address: '127.0.0.1',
                requestId: headers['x-request-id'],
              }),
            ],
      );
      const text = JSON.stringify(records);
      for (const secret of [READ, OPERATE, DANGER, 'secret-name'])
        expect(text).not.toContain(secret);
    }
  });

  it('#143 without a function the log has it, once', async () => {
    const { post, log } = await gate(adapter, { access: EVERYTHING.access! });

    await post('/recovery/corruption/check');
    await post('/recovery/corruption/fix');
    await eventLoopTurns();

    const lines = log.ours.filter(({ message }) => message.includes(', request '));
    expect(lines.map(({ level, message }) => [level, message.split(' for ')[0]])).toEqual([
      ['log', 'recovery: check done'],
      ['warn', 'recovery: fix denied (DANGER_DISABLED)'],
    ]);
  });

  /** Sends a request; the answer breaks it off. */
  function start(
    app: GateWorld['app'],
    { path, body = {}, key }: { path: string; body?: unknown; key?: string },
  ): () => void {
    const content = JSON.stringify(body);
    const sent = httpRequest({
      host: '127.0.0.1',
      port: portOf(app),
      method: 'POST',
      path,
      agent: false,
      headers: {
        Authorization: `Bearer ${DANGER}`,
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(content),
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
      },
    });
    sent.on('error', () => {});
    sent.end(content);
    return () => sent.destroy();
  }
});
