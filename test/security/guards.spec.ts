import {
  type CanActivate,
  Controller,
  Get,
  Injectable,
  SetMetadata,
  type Type,
  UseGuards,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Bulkhead, CircuitBreaker, Fallback, Retry, TimeLimit } from 'nestjs-bulwark';
import { ADAPTERS, closeAll, serve, type World } from '../nest/support/app.js';

@Injectable()
class Deny implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
class Roles implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const roles = this.reflector.get<string[] | undefined>('roles', context.getHandler());
    return roles === undefined; // nobody has a role here: what asks for one is closed
  }
}

const OURS: Record<string, () => MethodDecorator> = {
  CircuitBreaker: () => CircuitBreaker() as MethodDecorator,
  Retry: () => Retry() as MethodDecorator,
  Bulkhead: () => Bulkhead() as MethodDecorator,
  TimeLimit: () => TimeLimit(1_000) as MethodDecorator,
  Fallback: () => Fallback({ value: 'SECRET' }) as MethodDecorator,
};

let bodyRuns = 0;

/** A controller with one handler under the decorators, the first of them outermost. */
function controller(path: string, decorators: readonly MethodDecorator[]): Type {
  class Secrets {
    async read(): Promise<string> {
      bodyRuns += 1;
      return 'SECRET';
    }
  }
  Object.defineProperty(Secrets, 'name', { value: `Secrets_${path}` });
  const descriptor = Object.getOwnPropertyDescriptor(Secrets.prototype, 'read')!;
  Reflect.defineMetadata('design:returntype', Promise, Secrets.prototype, 'read');
  for (const decorator of decorators.toReversed()) decorator(Secrets.prototype, 'read', descriptor);
  Object.defineProperty(Secrets.prototype, 'read', descriptor);
  Controller(path)(Secrets);
  return Secrets;
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) =>
    permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]),
  );
}

type Named = readonly [name: string, make: () => MethodDecorator];
const GET: Named = ['Get', () => Get()];
const GUARD: Named = ['UseGuards', () => UseGuards(Deny)];

const pathOf = (order: readonly Named[]): string => order.map(([name]) => name).join('-');

const orders = Object.entries(OURS).flatMap((ours) => permutations([ours as Named, GET, GUARD]));

describe.each(ADAPTERS)('#1 guards survive the decorators on %s', (_, adapter) => {
  let world: World;

  beforeAll(async () => {
    const all = Object.entries(OURS) as Named[];
    const stacks = [
      [GET, ...all, GUARD],
      [GUARD, ...all, GET],
      [...all, GET, GUARD],
      [GET, GUARD, ...all],
      [all[0]!, GUARD, ...all.slice(1), GET],
      [...all.slice(0, 2), GET, GUARD, ...all.slice(2)],
    ];
    const controllers = [...orders, ...stacks].map((order) =>
      controller(
        pathOf(order),
        order.map(([, make]) => make()),
      ),
    );
    world = await serve(adapter, { controllers });
    bodyRuns = 0;
  });

  afterAll(closeAll);

  it('#1 all 30 orders of one decorator, @Get and a denying guard answer 403', async () => {
    const statuses = await Promise.all(
      orders.map(async (order) => [pathOf(order), (await world.get(`/${pathOf(order)}`)).status]),
    );

    expect(statuses).toHaveLength(30);
    expect(statuses.filter(([, status]) => status !== 403)).toEqual([]);
    expect(bodyRuns).toBe(0);
  });

  it.each([
    'Get-CircuitBreaker-Retry-Bulkhead-TimeLimit-Fallback-UseGuards',
    'UseGuards-CircuitBreaker-Retry-Bulkhead-TimeLimit-Fallback-Get',
    'CircuitBreaker-Retry-Bulkhead-TimeLimit-Fallback-Get-UseGuards',
    'Get-UseGuards-CircuitBreaker-Retry-Bulkhead-TimeLimit-Fallback',
    'CircuitBreaker-UseGuards-Retry-Bulkhead-TimeLimit-Fallback-Get',
    'CircuitBreaker-Retry-Get-UseGuards-Bulkhead-TimeLimit-Fallback',
  ])('#1 the stack %s answers 403', async (path) => {
    const { status, text } = await world.get(`/${path}`);

    expect(status).toBe(403);
    expect(text).not.toContain('SECRET');
    expect(bodyRuns).toBe(0);
  });
});

describe.each(ADAPTERS)('#2 role metadata survives on %s', (_, adapter) => {
  afterEach(closeAll);

  it.each(permutations(['roles', 'guard', 'ours', 'get']).map((order) => [order.join('-')]))(
    '#2 the order %s asks for the role',
    async (path) => {
      const parts: Record<string, () => MethodDecorator> = {
        roles: () => SetMetadata('roles', ['admin']) as MethodDecorator,
        guard: () => UseGuards(Roles),
        ours: () => Retry() as MethodDecorator,
        get: () => Get(),
      };
      const decorators = path.split('-').map((part) => parts[part]!());
      const world = await serve(adapter, { controllers: [controller('secret', decorators)] });

      const { status } = await world.get('/secret');

      expect(status).toBe(403);
    },
  );

  it('#2 a fallback does not answer for a guard that refuses', async () => {
    @Controller('secret')
    class Secrets {
      @Get()
      @Fallback({ value: 'SECRET' })
      @UseGuards(Deny)
      async read(): Promise<string> {
        return 'SECRET';
      }
    }
    const world = await serve(adapter, { controllers: [Secrets] });

    expect((await world.get('/secret')).status).toBe(403);
  });
});
