import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  SetMetadata,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { APP_GUARD, DiscoveryService, DiscoveryModule, Reflector } from '@nestjs/core';
import { of } from 'rxjs';
import {
  type AuditRecord,
  type RecoveryAccessConfig,
  type RecoveryConfig,
  recoveryAskOf,
} from 'nestjs-bulwark';
import {
  mark,
  OPERATIONS,
  type RecoveryOperation,
} from '../../lib/nest/recovery/access/operations.js';
import { RecoveryGate } from '../../lib/nest/recovery/access/recovery-gate.js';
import { ADAPTERS, bootError, closeAll } from '../nest/support/app.js';
import {
  type Ask,
  DANGER,
  EVERYTHING,
  gate,
  type GateWorld,
  OPERATE,
  READ,
  TOKENS,
} from '../nest/recovery/gate-host.js';

afterEach(closeAll);

/** What there is, written down a second time: whoever adds a route says here who may use it. */
const ROUTES: Record<string, 'read' | 'operate' | 'danger'> = {
  'GET /recovery': 'read',
  'GET /recovery/status': 'read',
  'GET /recovery/health': 'read',
  'GET /recovery/circuit-breakers': 'read',
  'GET /recovery/bulkheads': 'read',
  'GET /recovery/components': 'read',
  'GET /recovery/backups': 'read',
  'GET /recovery/errors': 'read',
  'GET /recovery/actions': 'read',
  'GET /recovery/events': 'read',
  'POST /recovery/circuit-breakers/:name/reset': 'operate',
  'POST /recovery/circuit-breakers/:name/isolate': 'operate',
  'POST /recovery/circuit-breakers/:name/release': 'operate',
  'POST /recovery/backup/create': 'operate',
  'POST /recovery/backup/drill': 'operate',
  'POST /recovery/corruption/check': 'operate',
  'POST /recovery/network/reconnect': 'operate',
  'POST /recovery/backup/restore': 'danger',
  'POST /recovery/corruption/fix': 'danger',
  'POST /recovery/backup/delete': 'danger',
  'POST /recovery/backup/cleanup': 'danger',
  'POST /recovery/shutdown': 'danger',
};

/** A good body for each route that needs one. */
const BODIES: Record<string, unknown> = {
  '/recovery/backup/restore': { backup_name: 'b1' },
  '/recovery/backup/delete': { backup_name: 'b1' },
  '/recovery/backup/cleanup': { keep: 1 },
};

const ALL: Ask[] = Object.keys(ROUTES).map((route) => {
  const [method = '', path = ''] = route.split(' ');
  const body = BODIES[path];
  return { method, path: path.replace(':name', 'mining'), ...(body === undefined ? {} : { body }) };
});
const levelOf = ({ method, path }: Ask): string =>
  ROUTES[`${method} ${path.replace('/mining/', '/:name/')}`]!;

const bearer = (value: string): Partial<Ask> => ({ headers: { Authorization: `Bearer ${value}` } });
const twice = (...values: string[]): Partial<Ask> => ({
  headers: values.flatMap((value) => ['Authorization', `Bearer ${value}`]),
});

/** Every way to come without the right credential. */
const DENIED: [string, (ask: Ask) => Partial<Ask>][] = [
  ['no credential', () => ({})],
  ['a wrong one', () => bearer('w'.repeat(40))],
  ['an empty one', () => bearer('')],
  ['a prefix of the right one', () => bearer(DANGER.slice(0, -1))],
  ['the right one and a character', () => bearer(`${DANGER}x`)],
  ['the right one in lower case', () => bearer(DANGER.toLowerCase())],
  ['the right one twice', () => twice(DANGER, DANGER)],
  ['the right one after a wrong one', () => twice('wrong', DANGER)],
  ['the right one in the query', ({ path }) => ({ path: `${path}?access_token=${DANGER}` })],
  ['the right one in a cookie', () => ({ headers: { Cookie: `token=${DANGER}` } })],
  [
    'the right one as Basic',
    () => ({
      headers: { Authorization: `Basic ${Buffer.from(`:${DANGER}`).toString('base64')}` },
    }),
  ],
  ['the right one without Bearer', () => ({ headers: { Authorization: DANGER } })],
  ['the right one in another header', () => ({ headers: { 'X-Api-Key': DANGER } })],
];

describe.each(ADAPTERS)('who gets into the recovery controller on %s', (name, adapter) => {
  it.each([[false as const], [{ access: { tokens: TOKENS } }]])(
    '#125 off means absent: %j',
    async (recovery) => {
      const { ask, app } = await gate(adapter, undefined, {
        imports: [DiscoveryModule],
        bulwark: { health: false, recovery: recovery as never },
      });

      const controllers = app
        .get(DiscoveryService)
        .getControllers()
        .map((wrapper) => wrapper.name);
      expect(controllers.includes('RecoveryController')).toBe(recovery !== false);
      for (const one of ALL) {
        const { status } = await ask({ ...one, token: 'x' });
        expect(status === 404).toBe(recovery === false);
      }
    },
  );

  it('#129 every route of the router is listed with its level, and none beside', async () => {
    const seen = new Set<string>();
    const { app } = await gate(adapter, EVERYTHING, {
      prepare: (application) => {
        if (name !== 'Fastify') return;
        const server = application.getHttpAdapter().getInstance() as {
          addHook(hook: 'onRoute', then: (route: { method: string; url: string }) => void): void;
        };
        server.addHook('onRoute', ({ method, url }) => {
          if (method !== 'HEAD') seen.add(`${method} ${url}`);
        });
      },
    });
    if (name === 'Express') {
      const { router } = app.getHttpAdapter().getInstance() as {
        router: { stack: { route?: { path: string; methods: Record<string, boolean> } }[] };
      };
      for (const { route } of router.stack)
        for (const method of Object.keys(route?.methods ?? {}))
          seen.add(`${method.toUpperCase()} ${route!.path}`);
    }

    const ours = [...seen].map((route) => route.replace(/\/$/, ''));
    expect(ours.filter((route) => route.includes('/recovery')).toSorted()).toEqual(
      Object.keys(ROUTES).toSorted(),
    );
    for (const { method, path, level } of Object.values(OPERATIONS))
      expect(ROUTES[`${method} /recovery${path && `/${path}`}`]).toBe(level);
  });

  it.each(DENIED)('#130 on every route %s is denied, and nothing is done', async (_, change) => {
    const { ask, manager, clock } = await gate(adapter, EVERYTHING);
    const bodies = new Set<string>();

    for (const one of ALL) {
      const { status, text, headers } = await ask({ ...one, ...change(one) });

      expect([one.path, status]).toEqual([one.path, 401]);
      expect(headers['www-authenticate']).toBe('Bearer');
      bodies.add(text);
      await clock.advance(60_000);
    }

    expect([...bodies]).toEqual([
      '{"success":false,"code":"UNAUTHORIZED","message":"A valid credential is required."}',
    ]);
    expect(manager.calls).toEqual([]);
  });

  it('#131 a token opens its level and those before it, and no other', async () => {
    const levels = ['read', 'operate', 'danger'] as const;
    for (const level of levels) {
      const { ask, manager } = await gate(adapter, EVERYTHING);
      for (const one of ALL.filter(({ path }) => path !== '/recovery/events')) {
        manager.calls.length = 0;
        const isOpen = levels.indexOf(levelOf(one) as 'read') <= levels.indexOf(level);

        const { status, json } = await ask({ ...one, token: TOKENS[level] });

        const expected = one.path === '/recovery/shutdown' ? 202 : 200;
        // release has nothing to release, which is no matter of access
        if (isOpen) expect([one.path, status === 409 ? 200 : status]).toEqual([one.path, expected]);
        else expect([one.path, status, json['code']]).toEqual([one.path, 403, 'LEVEL']);
        if (!isOpen) expect(manager.calls).toEqual([]);
      }
      await closeAll();
    }
  });

  it('#138 two tokens of one level are good, so that one can be replaced', async () => {
    const next = 'Next-7c9e93b1f7d2e8a4d6051b3f0aQz';
    const { ask } = await gate(adapter, { access: { tokens: { read: [READ, next] } } });

    for (const token of [READ, next])
      expect((await ask({ path: '/recovery/status', token })).status).toBe(200);
    expect((await ask({ path: '/recovery/status', token: OPERATE })).status).toBe(401);
  });

  it('#148 a dangerous operation that is not enabled is 403 and names the option', async () => {
    const { post, manager } = await gate(adapter, { access: { tokens: TOKENS } });

    for (const { path, body } of ALL.filter((one) => levelOf(one) === 'danger')) {
      const { status, json } = await post(path, body);
      expect([path, status, json['code']]).toEqual([path, 403, 'DANGER_DISABLED']);
      expect(json['message']).toMatch(/recovery\.danger lacks '(?:restore|fix|delete|shutdown)'/);
    }
    expect(manager.calls).toEqual([]);
  });

  it('#135 a guard of the host for everything stays before ours, and cannot open it', async () => {
    @Injectable()
    class HostGuard implements CanActivate {
      constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

      canActivate(context: ExecutionContext): boolean {
        return this.reflector.get<boolean>('public', context.getClass()) === true;
      }
    }
    const providers = [{ provide: APP_GUARD, useClass: HostGuard }];

    const records: AuditRecord[] = [];
    const audit = (record: AuditRecord): unknown => records.push(record);
    const closed = await gate(adapter, { ...EVERYTHING, audit }, { providers });
    expect(await closed.look('/recovery/status')).toMatchObject({
      status: 403,
      json: { success: false, code: 'REFUSED' },
    });
    expect(records).toMatchObject([{ outcome: 'denied', code: 'REFUSED', operation: 'unknown' }]);

    const decorators = [SetMetadata('public', true)];
    const open = await gate(adapter, { ...EVERYTHING, decorators }, { providers });
    expect((await open.ask({ path: '/recovery/status' })).status).toBe(401);
    expect((await open.look('/recovery/status')).status).toBe(200);
  });

  it('#135 the routes of the host are none of our business', async () => {
    @Controller('other')
    class Other {
      @Get()
      read(): string {
        return 'open';
      }
    }
    const { ask } = await gate(adapter, EVERYTHING, { controllers: [Other] });

    const { status, headers } = await ask({ path: '/other' });

    expect(status).toBe(200);
    expect(headers['x-request-id']).toBeUndefined();
  });
});

describe('the closed default of the recovery controller', () => {
  const [, adapter] = ADAPTERS[0];
  const { env } = process;
  const { isTTY } = process.stdout;
  const before = env['NODE_ENV'];

  afterEach(() => {
    env['NODE_ENV'] = before;
    process.stdout.isTTY = isTTY;
  });

  const start = (nodeEnv: string, terminal: boolean): Promise<GateWorld> => {
    env['NODE_ENV'] = nodeEnv;
    process.stdout.isTTY = terminal;
    return gate(adapter, {});
  };

  it.each([
    ['production', false],
    ['production', true],
    ['test', false],
  ])('#126 NODE_ENV=%s, terminal %s: lets nobody in, and warns once', async (nodeEnv, terminal) => {
    const { ask, log, manager } = await start(nodeEnv, terminal);

    for (const one of ALL) {
      const { status, json } = await ask({ ...one, token: READ });
      expect([status, json['code']]).toEqual([403, 'RECOVERY_CLOSED']);
    }
    expect(manager.calls).toEqual([]);
    const warnings = log.ours.filter(({ message }) => message.includes('closed to everybody'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.message).toMatch(/recovery\.access.*guards, tokens or authorize/);
    expect(log.ours.some(({ message }) => message.includes('Bearer'))).toBe(false);
  });

  it.each([
    ['development', false],
    ['test', true],
  ])('#126 NODE_ENV=%s, terminal %s: a token of this run is logged once', async (...row) => {
    const { ask, log } = await start(...row);

    const lines = log.ours.filter(({ message }) => message.includes('Bearer '));
    expect(lines).toHaveLength(1);
    const token = /Bearer ([\w-]{43})$/.exec(lines[0]!.message)![1]!;
    expect((await ask({ path: '/recovery/status' })).status).toBe(401);
    expect((await ask({ path: '/recovery/status', token })).status).toBe(200);
    const danger = await ask({ method: 'POST', path: '/recovery/shutdown', token });
    expect([danger.status, danger.json['code']]).toEqual([403, 'DANGER_DISABLED']);

    const other = await start(...row);
    expect((await other.ask({ path: '/recovery/status', token })).status).toBe(401);
  });
});

describe('secrets that are none', () => {
  const boot = (access: unknown): Promise<Error> =>
    bootError({ bulwark: { health: false, recovery: { access } as never } });

  it.each([
    ['an empty text', '', 'empty'],
    ['blanks', '   ', 'empty'],
    ['a variable that is not set', undefined, 'environment variable'],
    ['changeme', 'changeme', 'example'],
    ['31 characters', 'k3'.repeat(15).concat('x'), '31 characters'],
    ['an example', 'example-4f9c2b7e1a6d3f8054c7b9e2a1', 'example'],
    ['one sign again and again', 'a'.repeat(64), 'same few signs'],
    ['a number', 42, 'got a number'],
    ['a text with blanks', 'a4f9 c2b7 e1a6 d3f8 054c 7b9e 2a1f', 'header'],
    ['three', [READ, OPERATE, DANGER], 'one token or two'],
    ['the same twice', [READ, READ], 'the same as'],
  ])('#127 %s: the application does not start', async (_, read, hint) => {
    const { message } = await boot({ tokens: { read } });

    expect(message).toContain('ResilienceModule recovery access tokens read: ');
    expect(message).toContain(hint);
    for (const secret of [READ, OPERATE, DANGER]) expect(message).not.toContain(secret);
  });

  it('#127 one token for two levels: the application does not start', async () => {
    const { message } = await boot({ tokens: { read: READ, danger: [OPERATE, READ] } });

    expect(message).toContain('tokens danger: got the same as');
  });

  it.each([
    ['nothing', null],
    ['no way', {}],
    ['two ways', { tokens: TOKENS, authorize: () => true }],
    ['no tokens', { tokens: {} }],
    ['another level', { tokens: { admin: READ } }],
    ['no guards', { guards: [] }],
    ['guards that are none', { guards: [class Nothing {}] }],
    ['no function', { authorize: true }],
  ])('#127 access that is %s: the application does not start', async (_, access) => {
    expect((await boot(access)).message).toContain('ResilienceModule recovery access');
  });
});

describe.each(ADAPTERS)('guards and functions of the host on %s', (_, adapter) => {
  const guardWith = (answer: () => unknown): Type<CanActivate> => {
    @Injectable()
    class HostGuard {
      canActivate(): never {
        return answer() as never;
      }
    }
    return HostGuard as never;
  };
  const status = async (access: RecoveryAccessConfig): Promise<number> => {
    const { ask, manager } = await gate(adapter, { ...EVERYTHING, access });
    const answer = await ask({ method: 'POST', path: '/recovery/corruption/fix' });
    expect(manager.calls).toHaveLength(answer.status === 200 ? 1 : 0);
    return answer.status;
  };

  const NO: [string, () => unknown, number][] = [
    ['false', () => false, 403],
    ['undefined', () => undefined, 403],
    ['0', () => 0, 403],
    ['1', () => 1, 403],
    ['an object', () => ({}), 403],
    ['a promise of false', async () => false, 403],
    ['a promise that rejects', () => Promise.reject(new Error('ldap://u:pw@h')), 403],
    [
      'an error',
      () => {
        throw new Error('broken');
      },
      403,
    ],
    ['a 401', () => Promise.reject(new UnauthorizedException()), 401],
    ['a 403', () => Promise.reject(new ForbiddenException()), 403],
  ];

  it.each([...NO, ['an Observable of false', () => of(false), 403] as const])(
    '#128 a guard that answers %s denies',
    async (_answer, answer, expected) => {
      expect(await status({ guards: [guardWith(answer)] })).toBe(expected);
      expect(await status({ guards: [guardWith(() => true), guardWith(answer)] })).toBe(expected);
    },
  );

  it.each([
    ['true', () => true],
    ['a promise of true', async () => true],
    ['an Observable of true', () => of(true)],
  ])('#128 a guard that answers %s lets in', async (_answer, answer) => {
    expect(await status({ guards: [guardWith(answer)] })).toBe(200);
    expect(await status({ guards: [new (guardWith(answer))()] })).toBe(200);
  });

  it.each(NO)('#128 authorize that answers %s denies', async (_answer, answer, expected) => {
    expect(await status({ authorize: answer as never })).toBe(expected);
  });

  it('authorize hears level and operation, and says who it is', async () => {
    const audit: unknown[] = [];
    const { ask } = await gate(adapter, {
      ...EVERYTHING,
      audit: (record) => audit.push(record),
      access: {
        authorize: (context, { level, operation }) => {
          const { headers } = context.switchToHttp().getRequest<{ headers: { who?: string } }>();
          return level === 'read' || (operation === 'fix' && (headers.who ?? false));
        },
      },
    });
    const headers = { who: 'ann' };

    expect((await ask({ path: '/recovery/status' })).status).toBe(200);
    expect((await ask({ method: 'POST', path: '/recovery/corruption/fix', headers })).status).toBe(
      200,
    );
    expect((await ask({ method: 'POST', path: '/recovery/shutdown', headers })).status).toBe(403);
    expect(audit).toMatchObject([
      { operation: 'fix', actor: 'ann', outcome: 'done' },
      { operation: 'shutdown', actor: 'anonymous', outcome: 'denied', code: 'FORBIDDEN' },
    ]);
    const { json } = await ask({ path: '/recovery', headers });
    const names = (json['operations'] as { operation: RecoveryOperation }[]).map(
      ({ operation }) => operation,
    );
    expect(names).toContain('fix');
    expect(names).not.toContain('restore');
  });

  it('a guard can tell levels apart, and the actor is who it put on the request', async () => {
    @Injectable()
    class ByRole implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const request = context.switchToHttp().getRequest<{ user?: object }>();
        request.user = { sub: 'ann' };
        return recoveryAskOf(context)?.level !== 'danger';
      }
    }
    const audit: { actor: string }[] = [];
    const { post } = await gate(adapter, {
      ...EVERYTHING,
      audit: (record) => audit.push(record),
      access: { guards: [ByRole] },
    });

    expect((await post('/recovery/corruption/check')).status).toBe(200);
    expect((await post('/recovery/corruption/fix')).status).toBe(403);
    expect(audit[0]).toMatchObject({ actor: 'ann', operation: 'check', outcome: 'done' });
  });

  it('#128 a guard is the instance of the application, with what it needs', async () => {
    @Injectable()
    class Users {
      readonly good = true;
    }
    @Injectable()
    class NeedsUsers implements CanActivate {
      constructor(@Inject(Users) private readonly users: Users) {}

      canActivate(): boolean {
        return this.users.good;
      }
    }
    const { ask } = await gate(
      adapter,
      { access: { guards: [NeedsUsers] } },
      { providers: [Users, NeedsUsers] },
    );

    expect((await ask({ path: '/recovery/status' })).status).toBe(200);
  });

  it('#128 a guard that cannot be resolved stops the boot', async () => {
    @Injectable()
    class NeedsNothingThatIs implements CanActivate {
      constructor(@Inject('nowhere') readonly nothing: unknown) {}

      canActivate(): boolean {
        return true;
      }
    }
    const recovery: RecoveryConfig = { access: { guards: [NeedsNothingThatIs] } };

    const { message } = await bootError({ bulwark: { health: false, recovery } });

    expect(message).toContain('recovery access guards function NeedsNothingThatIs: cannot be');
  });
});

describe('what the gate does not know', () => {
  const contextOf = (type: string, handler: object): ExecutionContext =>
    ({ getType: () => type, getHandler: () => handler }) as never;

  it('#129 #137 a handler without a level, and every context that is no HTTP, are denied', async () => {
    const known = (): void => {};
    mark(known, 'status');
    const door = new RecoveryGate({} as never, {} as never, {});

    expect(await door.canActivate(contextOf('http', () => {}))).toBe(false);
    for (const type of ['rpc', 'ws', 'graphql', 'telegraf'])
      expect(await door.canActivate(contextOf(type, known))).toBe(false);
  });
});
