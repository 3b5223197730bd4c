import {
  type ArgumentsHost,
  BadRequestException,
  Catch,
  type ExceptionFilter,
  type PipeTransform,
} from '@nestjs/common';
import { OPERATIONS } from '../../lib/nest/recovery/access/operations.js';
import { ADAPTERS, closeAll } from '../nest/support/app.js';
import { type Ask, DANGER, EVERYTHING, gate, portOf, READ } from '../nest/recovery/gate-host.js';

afterEach(closeAll);

const HOSTILE: unknown[] = [
  '../x',
  '..%2fx',
  '%252e%252e',
  'a\0b',
  'a\\b',
  '/etc/passwd',
  'C:\\x',
  'CON',
  'nul.json',
  'com1.bak',
  '.',
  '..',
  '',
  ' ',
  '.hidden',
  'a'.repeat(5_000),
  'a'.repeat(101),
  'a/../b',
  'a/b',
  'a..b',
  'a.',
  'a b',
  'a\nb',
  '＂',
  '\u202Egnp.exe',
  'caf\u00e9',
  'cafe\u0301',
  '-rf',
  '--',
  '~root',
  '$HOME',
  '`id`',
  'a;b',
  'a|b',
  '*',
  '?',
  'a:b',
  '__proto__',
  { $ne: 1 },
  ['a'],
  42,
  true,
  null,
];

const NAMED: [string, string][] = [
  ['/recovery/backup/create', 'name'],
  ['/recovery/backup/restore', 'backup_name'],
  ['/recovery/backup/delete', 'backup_name'],
];

describe.each(ADAPTERS)('what the recovery controller takes on %s', (_, adapter) => {
  it.each(NAMED)('#111 hostile names to %s are 400, and nobody is asked', async (path, field) => {
    const { post, manager } = await gate(adapter, EVERYTHING);

    for (const value of HOSTILE) {
      const { status, json, text } = await post(path, { [field]: value });
      expect([value, status]).toEqual([value, 400]);
      expect(json['success']).toBe(false);
      expect(text.length).toBeLessThan(500);
    }
    expect(HOSTILE.length).toBeGreaterThanOrEqual(40);
    expect(manager.calls).toEqual([]);
  });

  it('#111 names and numbers of generations are taken', async () => {
    const { post } = await gate(adapter, EVERYTHING);

    for (const backup_name of ['backup_1.json', '12', 'A', 'before-2.0'])
      expect((await post('/recovery/backup/restore', { backup_name })).status).toBe(200);
  });

  const BAD: [string, string, unknown][] = [
    ...['false', 1, [], {}, null, 'yes'].flatMap((value): [string, string, unknown][] => [
      ['#145 force_rollback', '/recovery/corruption/fix', { force_rollback: value }],
      ['#145 dry_run', '/recovery/backup/restore', { backup_name: 'b', dry_run: value }],
    ]),
    ['#146 an unknown field', '/recovery/corruption/check', { more: 1 }],
    ['#146 an unknown field', '/recovery/corruption/fix', { forceRollback: true }],
    [
      '#146 something deep',
      '/recovery/corruption/fix',
      { a: { b: { c: { d: { e: { f: 1 } } } } } },
    ],
    ['#146 a list', '/recovery/corruption/fix', []],
    ['#146 a body without its name', '/recovery/backup/restore', {}],
    ['#146 no body', '/recovery/backup/restore', undefined],
    ['#146 a query', '/recovery/corruption/fix?dry_run=true', undefined],
    ...[-1, 1.5, '3', 10_001, null].map((keep): [string, string, unknown] => [
      '#146 keep',
      '/recovery/backup/cleanup',
      { keep },
    ]),
    ...[999, 86_400_001, '5000', 0].map((ttl_ms): [string, string, unknown] => [
      '#146 ttl_ms',
      '/recovery/circuit-breakers/mining/isolate',
      { ttl_ms },
    ]),
    ['#146 a long reason', '/recovery/shutdown', { reason: 'x'.repeat(201) }],
    ['#156 an address', '/recovery/network/reconnect', { url: 'http://169.254.169.254' }],
  ];

  class Strip implements PipeTransform {
    transform(): unknown {
      return {};
    }
  }
  class Refuse implements PipeTransform {
    transform(): unknown {
      throw new BadRequestException('not declared');
    }
  }
  class Convert implements PipeTransform {
    transform(value: unknown): unknown {
      return JSON.parse(JSON.stringify(value ?? {}).replaceAll('"false"', 'false')) as unknown;
    }
  }

  it.each([
    ['no pipe', []],
    ['a pipe that strips', [new Strip()]],
    ['a pipe that refuses what is not declared', [new Refuse()]],
    ['a pipe that converts', [new Convert()]],
  ])('#144 bad bodies are 400 and good ones taken, with %s', async (_, pipes) => {
    const { post, look, manager } = await gate(adapter, EVERYTHING, {
      prepare: (app) => void app.useGlobalPipes(...pipes),
    });

    for (const [what, path, body] of BAD) {
      const { status, json } = await post(path, body);
      expect([what, path, body, status]).toEqual([what, path, body, 400]);
      expect(json['success']).toBe(false);
    }
    expect(manager.calls).toEqual([]);
    const good = { backup_name: 'b1', dry_run: true };
    expect((await post('/recovery/backup/restore', good)).status).toBe(200);
    expect(manager.calls).toMatchObject([{ args: ['b1', { dryRun: true }] }]);
    expect((await look('/recovery/actions?limit=7')).status).toBe(200);
  });

  it('#144 a body with __proto__ does nothing', async () => {
    const { ask, manager } = await gate(adapter, EVERYTHING);

    const raw = '{"__proto__":{"force_rollback":true}}';
    const answer = await ask({
      method: 'POST',
      path: '/recovery/corruption/fix',
      raw,
      token: DANGER,
    });

    expect(answer.status).toBe(400);
    expect(manager.calls).toEqual([]);
  });

  it('#146 a limit is one plain number from 1 to 500', async () => {
    const { look } = await gate(adapter, EVERYTHING);

    for (const path of ['/recovery/errors', '/recovery/actions']) {
      for (const query of [
        'limit=1&limit=2',
        'limit[]=1',
        'limit=NaN',
        'limit=1e9',
        'limit=-1',
        'limit=0x10',
        'limit=0',
        'limit=501',
        'limit=1.5',
        'limit=',
        'limit=%00',
        'limit=1%20',
        'other=1',
      ])
        expect([query, (await look(`${path}?${query}`)).status]).toEqual([query, 400]);
      for (const query of ['', '?limit=1', '?limit=500'])
        expect((await look(path + query)).status).toBe(200);
    }
    expect((await look('/recovery/status?limit=1')).status).toBe(400);
  });

  it('#146 a body above 16 KB is 413', async () => {
    const { ask, manager } = await gate(adapter, EVERYTHING);
    const path = '/recovery/backup/create';
    const raw = (size: number): string => `{"name":"${'a'.repeat(size - 11)}"}`;

    expect((await ask({ method: 'POST', path, token: DANGER, raw: raw(16_385) })).status).toBe(413);
    expect((await ask({ method: 'POST', path, token: DANGER, raw: raw(16_384) })).status).toBe(400);
    const headers = { 'Transfer-Encoding': 'chunked' };
    expect(
      (await ask({ method: 'POST', path, token: DANGER, raw: raw(20_000), headers })).status,
    ).toBe(413);
    expect(manager.calls).toEqual([]);
  });

  it('#144 a body that is null is none of ours: a fix was not asked for', async () => {
    const { ask, manager } = await gate(adapter, EVERYTHING);
    const path = '/recovery/corruption/fix';

    expect((await ask({ method: 'POST', path, token: DANGER, raw: 'null' })).status).toBe(400);
    expect(manager.deeds).toEqual([]);
  });

  it('#141 only JSON is taken', async () => {
    const { ask, manager } = await gate(adapter, EVERYTHING);
    const path = '/recovery/corruption/fix';

    for (const [type, raw] of [
      ['text/plain', '{"force_rollback":true}'],
      ['application/x-www-form-urlencoded', 'force_rollback=true'],
      ['application/json-patch+json', '{}'],
      ['multipart/form-data; boundary=x', '--x--'],
    ] as const) {
      const headers = { 'Content-Type': type };
      const { status } = await ask({ method: 'POST', path, token: DANGER, raw, headers });
      expect([type, status]).toEqual([type, 415]);
    }
    expect(manager.calls).toEqual([]);
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    expect(
      (await ask({ method: 'POST', path, token: DANGER, raw: '{"dry_run":true}', headers })).status,
    ).toBe(200);
  });

  it('#147 names are looked up in a Map', async () => {
    const { post, manager } = await gate(adapter, EVERYTHING);

    for (const unknown of [
      'constructor',
      '__proto__',
      'toString',
      'hasOwnProperty',
      'nobody',
      '..%2f..%2fetc%2fpasswd',
      'a%00b',
    ]) {
      for (const act of ['reset', 'isolate', 'release']) {
        const { status } = await post(`/recovery/circuit-breakers/${unknown}/${act}`);
        expect([unknown, status]).toEqual([unknown, 404]);
      }
    }
    for (const word of ['constructor', '__proto__', 'toString']) {
      expect((await post('/recovery/network/reconnect', { name: word })).status).toBe(404);
    }
    expect(manager.calls).toEqual([]);
  });

  it('#132 HEAD asks for the same credential, OPTIONS grants nothing, and a GET never acts', async () => {
    const { ask, manager } = await gate(adapter, EVERYTHING);
    const gets = Object.values(OPERATIONS).filter(({ method }) => method === 'GET');

    for (const { path } of gets.filter((one) => one.path !== 'events')) {
      const at = `/recovery${path && `/${path}`}`;
      expect((await ask({ method: 'HEAD', path: at })).status).toBe(401);
      expect((await ask({ method: 'HEAD', path: at, token: READ })).status).toBe(200);
      const { headers } = await ask({ method: 'OPTIONS', path: at, token: READ });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      for (let i = 0; i < 10; i += 1) await ask({ path: at, token: DANGER });
      for (const method of ['PUT', 'DELETE', 'PATCH'])
        expect([404, 405]).toContain((await ask({ method, path: at, token: DANGER })).status);
    }
    expect(manager.deeds).toEqual([]);
    for (const { path } of Object.values(OPERATIONS).filter(({ method }) => method === 'POST')) {
      const at = `/recovery/${path.replace(':name', 'mining')}`;
      for (const method of ['GET', 'HEAD'])
        expect([404, 405]).toContain((await ask({ method, path: at, token: DANGER })).status);
    }
    expect(manager.deeds).toEqual([]);
  });

  it('#134 what says that it is another method is not', async () => {
    const { ask, manager } = await gate(adapter, EVERYTHING);

    for (const header of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const headers = { [header]: 'POST' };
      const path = '/recovery/corruption/fix?_method=POST';
      expect((await ask({ path, token: DANGER, headers })).status).toBe(404);
    }
    expect(manager.deeds).toEqual([]);
  });

  it.each([
    ['cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['same-site', { 'Sec-Fetch-Site': 'same-site' }],
    ['another origin', { Origin: 'https://evil.example' }],
    ['the origin null', { Origin: 'null' }],
    ['the host in another port', { Origin: 'http://127.0.0.1:1' }],
  ])('#141 a request that is %s is refused, whatever it carries', async (_, headers) => {
    const { ask, manager } = await gate(adapter, EVERYTHING, {
      prepare: (app) => app.enableCors({ origin: true, credentials: true }),
    });

    for (const one of [
      { path: '/recovery/status' },
      { method: 'POST', path: '/recovery/corruption/fix' },
    ]) {
      const answer = await ask({ ...one, token: DANGER, headers: { ...headers, Cookie: 'sid=1' } });
      expect([answer.status, answer.json['code']]).toEqual([403, 'CROSS_SITE']);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(manager.calls).toEqual([]);
  });

  it('#141 a page of its own origin is let in', async () => {
    const { ask, app } = await gate(adapter, EVERYTHING);
    const headers = {
      Origin: `http://127.0.0.1:${portOf(app)}`,
      'Sec-Fetch-Site': 'same-origin',
    };

    expect((await ask({ path: '/recovery/status', token: READ, headers })).status).toBe(200);
  });

  it('#142 another host name than the allowed ones is 421, for reads and writes', async () => {
    const { ask, manager } = await gate(adapter, { ...EVERYTHING, allowedHosts: ['localhost'] });
    const answer = async (Host: string, one: Ask): Promise<number> =>
      (await ask({ ...one, token: DANGER, headers: { Host } })).status;

    for (const one of [
      { path: '/recovery/status' },
      { method: 'POST', path: '/recovery/corruption/fix' },
    ]) {
      for (const host of ['evil.com', 'localhost.evil.com', 'evil.com:80', '127.0.0.1'])
        expect([host, await answer(host, one)]).toEqual([host, 421]);
    }
    expect(manager.calls).toEqual([]);
    for (const host of ['localhost', 'LOCALHOST', 'localhost:3000'])
      expect(await answer(host, { path: '/recovery/status' })).toBe(200);
  });

  it('#139 loopbackOnly believes the socket, and lets nothing in that came through a proxy', async () => {
    const { ask } = await gate(adapter, { ...EVERYTHING, loopbackOnly: true });
    const path = '/recovery/status';

    expect((await ask({ path, token: READ })).status).toBe(200);
    for (const [header, value] of [
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-For', '8.8.8.8'],
      ['Forwarded', 'for=127.0.0.1'],
      ['X-Real-IP', '127.0.0.1'],
    ] as const) {
      const { status } = await ask({ path, token: READ, headers: { [header]: value } });
      expect([header, status]).toEqual([header, 403]);
    }
    const headers = { Host: 'evil.com' };
    expect((await ask({ path, token: READ, headers })).status).toBe(421);
  });

  it('#140 six wrong tokens a minute, and then 429, whatever they say of their address', async () => {
    const { ask, clock } = await gate(adapter, EVERYTHING);
    const guess = (i: number): Promise<{ status: number; headers: Record<string, unknown> }> =>
      ask({
        path: '/recovery/status',
        token: `guess-${i}`,
        headers: { 'X-Forwarded-For': `10.0.0.${i}` },
      });

    for (let i = 0; i < 6; i += 1) expect((await guess(i)).status).toBe(401);
    for (let i = 6; i < 106; i += 1) {
      const { status, headers } = await guess(i);
      expect([status, headers['retry-after']]).toEqual([429, '60']);
    }
    // whoever has the right one is not kept out by others behind the same proxy
    expect((await ask({ path: '/recovery/status', token: READ })).status).toBe(200);
    await clock.advance(60_000);
    expect((await guess(200)).status).toBe(401);
  });

  it('#140 the access control of the host is not asked again by an address that fails', async () => {
    let asked = 0;
    const { look } = await gate(adapter, {
      access: {
        authorize: () => {
          asked += 1;
          return false;
        },
      },
    });

    for (let i = 0; i < 20; i += 1)
      expect((await look('/recovery/status')).status).toBe(i < 6 ? 403 : 429);
    expect(asked).toBe(6);
  });

  it('#158 errors say what we said, and nothing of what a driver said', async () => {
    const { post, look, manager, log } = await gate(adapter, EVERYTHING);
    const secret = 'connect postgres://u:pw@db/x failed: SELECT * FROM t at /srv/app/db.js:3:7';
    manager.instead.set('listBackups', () => Promise.reject(new Error(secret)));
    manager.instead.set('checkCorruption', () =>
      Promise.reject(
        Object.assign(new Error(secret), { status: 418, statusCode: 418, expose: true }),
      ),
    );
    manager.instead.set('createCheckpoint', () => {
      // oxlint-disable-next-line no-throw-literal -- anybody may
      throw 'a text';
    });

    for (const answer of [
      await look('/recovery/backups'),
      await post('/recovery/corruption/check'),
      await post('/recovery/backup/create'),
    ]) {
      expect(answer.status).toBe(500);
      expect(Object.keys(answer.json).toSorted()).toEqual([
        'code',
        'message',
        'requestId',
        'success',
      ]);
      expect(answer.text).not.toMatch(/postgres|SELECT|srv|text/);
      const { requestId } = answer.json as { requestId: string };
      expect(answer.headers['x-request-id']).toBe(requestId);
      const line = log.ours.find(
        ({ level, message }) => level === 'error' && message.includes(requestId),
      );
      expect(line).toBeDefined();
      expect(line!.message).not.toContain('pw@');
    }
  });

  it('#158 filters of the host do not change the answers', async () => {
    @Catch()
    class HostFilter implements ExceptionFilter {
      catch(error: unknown, host: ArgumentsHost): void {
        const response = host.switchToHttp().getResponse<{
          status(code: number): { send(body: unknown): void };
        }>();
        response.status(200).send({ fine: true, stack: String((error as Error).stack) });
      }
    }
    const { ask } = await gate(adapter, EVERYTHING, {
      prepare: (app) => void app.useGlobalFilters(new HostFilter()),
    });

    expect((await ask({ path: '/recovery/status' })).status).toBe(401);
    const wrong = await ask({ method: 'POST', path: '/recovery/shutdown', token: READ });
    expect([wrong.status, wrong.json['code']]).toEqual([403, 'LEVEL']);
  });

  it('what a refusal tells is cleaned as well', async () => {
    const { post, manager } = await gate(adapter, EVERYTHING);
    const uri = 'redis://u:hunter2@h';
    manager.instead.set('handleCorruption', () => ({
      isDryRun: false,
      result: 'refused',
      message: `two calls would be lost at ${uri}`,
      issues: [{ check: 'c', problem: uri }],
      replayedCalls: 0,
      lostCalls: 2,
      handedBack: {},
      steps: [uri],
    }));

    const { status, text } = await post('/recovery/corruption/fix');

    expect(status).toBe(409);
    expect(text).not.toContain('hunter2');
  });

  it('what the application says of itself is cleaned on its way out', async () => {
    const { look, manager } = await gate(adapter, EVERYTHING);
    manager.instead.set('listBackups', () => [
      {
        name: 'b',
        kind: 'named',
        path: 'p',
        createdAt: 0,
        size: 1,
        summary: { note: 'redis://u:hunter2@h', password: 'hunter2', name: 'forged\u202e' },
      },
    ]);

    const { text, json } = await look('/recovery/backups');

    expect(text).not.toContain('hunter2');
    expect(json).toMatchObject({ backups: [{ name: 'b', verified: null }] });
  });
});
