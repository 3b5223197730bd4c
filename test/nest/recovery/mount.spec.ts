import { Controller, Get, Module, Post } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { ResilienceModule } from 'nestjs-bulwark';
import { ADAPTERS, bootError, closeAll } from '../support/app.js';
import { EVERYTHING, gate, READ, send, TOKENS } from './gate-host.js';

afterEach(closeAll);

describe.each(ADAPTERS)('mounting the recovery controller on %s', (_, adapter) => {
  const async = (
    make: () => object,
    recovery?: { path?: string; decorators?: ClassDecorator[] } | false,
  ): Parameters<typeof gate>[2] => ({
    bulwark: ResilienceModule.forRootAsync({
      useFactory: async () => ({ health: false, ...make() }),
      ...(recovery === undefined ? {} : { recovery }),
    }),
  });

  it('forRootAsync takes the path itself, and the rest from the factory', async () => {
    const { look, ask } = await gate(
      adapter,
      undefined,
      async(() => ({ recovery: EVERYTHING }), { path: 'ops' }),
    );

    expect((await look('/ops/status')).status).toBe(200);
    expect((await ask({ path: '/ops/status' })).status).toBe(401);
    expect((await look('/recovery/status')).status).toBe(404);
  });

  it.each([
    ['itself', () => ({}), false],
    ['the factory', () => ({ recovery: false }), undefined],
  ] as const)('#125 forRootAsync with recovery: false from %s mounts none', async (...row) => {
    const [, make, recovery] = row;
    const { look } = await gate(adapter, undefined, async(make, recovery));

    for (const path of ['/recovery', '/recovery/status'])
      expect((await look(path)).status).toBe(404);
  });

  it('a path from the factory comes too late, which stops the boot', async () => {
    const { bulwark } = async(() => ({ recovery: { ...EVERYTHING, path: 'ops' } }))!;

    expect((await bootError({ bulwark: bulwark! })).message).toContain(
      'ResilienceModule recovery path: comes too late from a factory',
    );
  });

  it.each([
    [{ path: '' }, 'recovery path: got "", expected a path without parameters'],
    [{ path: '/' }, 'recovery path: got "/"'],
    [{ path: 'a/:b' }, 'recovery path'],
    [{ path: '../x' }, 'recovery path'],
    [{ danger: ['all'] }, "recovery danger: got an array of 1, expected a list of 'restore'"],
    [{ allowedHosts: ['http://x'] }, 'recovery allowedHosts'],
    [{ loopbackOnly: 'yes' }, 'recovery loopbackOnly'],
    [{ decorators: [1] }, 'recovery decorators'],
    [{ audit: 1 }, 'recovery audit: got 1, expected a function'],
    [{ backupInterval: 999 }, 'recovery backupInterval: got 999, expected false, or a number'],
    [{ maxBackups: 0 }, 'recovery maxBackups'],
    [{ maxActions: 9 }, 'recovery maxActions'],
    [{ shutdown: { grace: -1 } }, 'recovery shutdown grace'],
    [{ tokens: TOKENS }, 'recovery tokens: unknown option'],
  ])('%j stops the boot', async (recovery, hint) => {
    const { message } = await bootError({ bulwark: { recovery: recovery as never } });

    expect(message).toContain(hint);
  });

  it('an option that is undefined counts as not given', async () => {
    const { look } = await gate(adapter, {
      ...EVERYTHING,
      path: undefined,
      danger: undefined,
      audit: undefined,
    } as never);

    expect((await look('/recovery/status')).status).toBe(200);
  });

  it("the host's own routes on that path win, with one warning", async () => {
    @Controller('recovery')
    class Own {
      @Get('status')
      read(): string {
        return 'own';
      }

      @Post('anything')
      act(): string {
        return 'own';
      }
    }
    @Module({ controllers: [Own] })
    class OwnModule {}
    const { look, log } = await gate(adapter, EVERYTHING, { imports: [OwnModule] });

    expect((await look('/recovery/status')).text).toBe('own');
    expect((await look('/recovery/health')).status).toBe(404);
    const warnings = log.ours.filter(({ message }) => message.startsWith('recovery: not mounted'));
    expect(warnings).toHaveLength(1);
    expect(log.ours.filter(({ message }) => message.includes('mounted at'))).toEqual([]);
  });

  it("a POST of the host's own on one of these paths wins too", async () => {
    @Controller('recovery')
    class Own {
      @Post('shutdown')
      stop(): string {
        return 'own';
      }
    }
    @Module({ controllers: [Own] })
    class OwnModule {}
    const { post, look } = await gate(adapter, EVERYTHING, { imports: [OwnModule] });

    expect((await post('/recovery/shutdown')).text).toBe('own');
    expect((await look('/recovery/status')).status).toBe(404);
  });

  it('the path of health is taken', async () => {
    const { look, log } = await gate(adapter, undefined, {
      bulwark: { recovery: { ...EVERYTHING, path: 'health' } },
    });

    expect((await look('/health')).json).toEqual({ status: 'ok' });
    expect((await look('/health/status')).status).toBe(404);
    expect(log.ours.some(({ message }) => message.includes('not mounted'))).toBe(true);
  });

  it("health.details: 'authorized' shows details to whoever may look, and to nobody else", async () => {
    const { app } = await gate(adapter, undefined, {
      bulwark: { health: { details: 'authorized' }, recovery: { access: { tokens: TOKENS } } },
    });

    for (const path of ['/health', '/health/ready']) {
      const shown = await send(app, { path, token: READ });
      expect([path, shown.status, Object.keys(shown.json).length > 1]).toEqual([path, 200, true]);
      for (const ask of [
        { path },
        { path, token: 'wrong' },
        { path, token: READ, headers: { Origin: 'https://evil.example' } },
      ])
        expect((await send(app, ask)).json).toEqual({ status: 'ok' });
    }
    expect((await send(app, { path: '/health/live', token: READ })).json).toEqual({ status: 'ok' });
  });

  it("health.details: 'authorized' without recovery stops the boot", async () => {
    const bulwark = { health: { details: 'authorized' }, recovery: false } as const;

    expect((await bootError({ bulwark })).message).toContain('ResilienceModule health details');
  });
});

describe('#139 loopbackOnly', () => {
  it('behind a proxy that is trusted warns at the start', async () => {
    const { log } = await gate(
      () => {
        const adapter = new ExpressAdapter();
        (adapter.getInstance() as { set(name: string, on: boolean): void }).set(
          'trust proxy',
          true,
        );
        return adapter;
      },
      { ...EVERYTHING, loopbackOnly: true },
    );

    const lines = log.ours.filter(({ message }) => message.includes('trusts a proxy'));
    expect(lines).toHaveLength(1);
  });
});
