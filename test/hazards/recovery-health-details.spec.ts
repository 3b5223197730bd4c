import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { recoveryAskOf } from 'nestjs-bulwark';
import { ADAPTERS, closeAll } from '../nest/support/app.js';
import { gate, send } from '../nest/recovery/gate-host.js';

afterEach(closeAll);

const CREDENTIAL = { Authorization: 'Bearer of the host' };

const Public = (): ClassDecorator => SetMetadata('is public', true) as ClassDecorator;

/** As the documentation of Nest has it. */
@Injectable()
class Auth implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>('is public', places)) return true;
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return request.headers['authorization'] === 'Bearer of the host';
  }
}

/** Of no opinion on what is not recovery. */
const OnlyRecovery: CanActivate = {
  canActivate: (context) => {
    const ask = recoveryAskOf(context);
    if (ask === undefined) return true;
    const { headers } = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string | undefined> }>();
    return headers['authorization'] === 'Bearer of the host' && ask.level === 'read';
  },
};

describe.each(ADAPTERS)("health.details: 'authorized' on %s", (_, adapter) => {
  it.each([
    ['a guard that heeds @Public(), for the sake of /health', Auth],
    ['a guard that asks what of recovery is wanted', OnlyRecovery],
  ])('are for those who may read, with %s', async (_what, guard) => {
    const { app } = await gate(adapter, undefined, {
      bulwark: {
        health: { details: 'authorized', decorators: [Public()] },
        recovery: { access: { guards: [guard] }, audit: () => {} },
      },
    });

    expect((await send(app, { path: '/health' })).json).toEqual({ status: 'ok' });
    const shown = await send(app, { path: '/health', headers: CREDENTIAL });
    expect(Object.keys(shown.json)).toContain('score');
  });

  it('GET /recovery says what a guard that tells levels apart lets in for', async () => {
    const { app } = await gate(adapter, {
      access: { guards: [OnlyRecovery] },
      danger: ['fix'],
      audit: () => {},
    });

    const { json } = await send(app, { path: '/recovery', headers: CREDENTIAL });
    expect(json['levels']).toEqual(['read']);
  });

  it('warns where a guard of the whole application is asked again, and decorators may have told it to let everybody in', async () => {
    const warnings = async (
      decorators: ClassDecorator[],
      guard: typeof Auth,
    ): Promise<string[]> => {
      const { log } = await gate(
        adapter,
        { access: { guards: [guard] }, decorators, audit: () => {} },
        { providers: [{ provide: APP_GUARD, useClass: Auth }] },
      );
      return log.ours.filter(({ level }) => level === 'warn').map(({ message }) => message);
    };

    expect(await warnings([Public()], Auth)).toEqual([
      expect.stringContaining('Auth stands before every route already'),
    ]);
    expect(await warnings([], Auth)).toEqual([]);
    expect(await warnings([Public()], class Own extends Auth {})).toEqual([]);
  });
});
