import {
  Controller,
  Get,
  Header,
  HttpCode,
  Injectable,
  Patch,
  Post,
  Redirect,
  Render,
  SetMetadata,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  Version,
} from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { Cron, Interval, Timeout } from '@nestjs/schedule';
import { SubscribeMessage } from '@nestjs/websockets';
import { CircuitBreaker, Retry } from 'nestjs-bulwark';
import { EMPTY, type Observable } from 'rxjs';

@Injectable()
class Pass {
  canActivate(): boolean {
    return true;
  }

  transform(value: unknown): unknown {
    return value;
  }

  intercept(_: unknown, next: { handle(): Observable<unknown> }): Observable<unknown> {
    return next.handle();
  }

  catch(): void {}
}

const THEIRS: (() => MethodDecorator)[] = [
  () => Get('a'),
  () => Post('b'),
  () => Patch('c'),
  () => Sse('d') as MethodDecorator,
  () => HttpCode(204),
  () => Header('x-a', 'b'),
  () => Redirect('/elsewhere'),
  () => Render('view'),
  () => Version('2'),
  () => UseGuards(Pass),
  () => UseInterceptors(Pass),
  () => UsePipes(Pass),
  () => UseFilters(Pass),
  () => SetMetadata('roles', ['admin']),
  () => SetMetadata(Symbol.for('theirs'), { deep: { list: [1, 2] } }) as MethodDecorator,
  () => Cron('0 0 * * *'),
  () => Interval('tick', 1_000),
  () => Timeout('tock', 1_000),
  () => OnEvent('paid', { async: true }),
  () => OnEvent('refunded'),
  () => MessagePattern({ cmd: 'sum' }),
  () => EventPattern('moved') as MethodDecorator,
  () => SubscribeMessage('chat'),
  () => SetMetadata('swagger/apiResponse', { 200: { description: 'ok' } }),
];

type Keys = Map<unknown, unknown>;

/** A handler with all decorators in this order, innermost first. */
function decorated(decorators: readonly MethodDecorator[]): { handler: object; metadata: Keys } {
  class Host {
    async handle(_a: string, _b: number): Promise<void> {}
  }
  Controller()(Host);
  const descriptor = Object.getOwnPropertyDescriptor(Host.prototype, 'handle')!;
  for (const decorate of decorators) decorate(Host.prototype, 'handle', descriptor);
  return { handler: descriptor.value as object, metadata: metadataOf(descriptor.value as object) };
}

function metadataOf(handler: object): Keys {
  const keys = Reflect.getMetadataKeys(handler) as unknown[];
  return new Map(keys.map((key) => [key, Reflect.getMetadata(key, handler) as unknown]));
}

const ours = (): MethodDecorator => Retry() as MethodDecorator;

describe('#3 metadata of other decorators', () => {
  const wanted = decorated(THEIRS.map((make) => make())).metadata;

  it('#3 is there to be lost: the 24 decorators leave their keys on the function', () => {
    expect(THEIRS).toHaveLength(24);
    expect(wanted.size).toBeGreaterThanOrEqual(20);
  });

  it.each([
    ['below ours', [...THEIRS, ours]],
    ['above ours', [ours, ...THEIRS]],
    ['on both sides', [...THEIRS.slice(0, 12), ours, ...THEIRS.slice(12)]],
    [
      'between two of ours',
      [
        ...THEIRS.slice(0, 12),
        ours,
        ...THEIRS.slice(12),
        () => CircuitBreaker() as MethodDecorator,
      ],
    ],
  ])('#3 is the same when they stand %s', (_, decorators) => {
    const { metadata } = decorated(decorators.map((make) => make()));

    expect(metadata).toEqual(wanted);
  });

  it('#3 keeps the order of arrays that are added to from both sides', () => {
    class A extends Pass {}
    class B extends Pass {}
    class C extends Pass {}

    const { metadata } = decorated([
      UseGuards(A),
      UseGuards(B),
      ours(),
      UseGuards(C),
      OnEvent('x'),
    ]);

    const plain = decorated([UseGuards(A), UseGuards(B), UseGuards(C), OnEvent('x')]).metadata;
    expect(metadata.get('__guards__')).toEqual(plain.get('__guards__'));
    expect(metadata.get('__guards__')).toHaveLength(3);
  });

  it('#3 set later on the decorated method does not leak to the original', () => {
    class Host {
      async handle(): Promise<void> {}
    }
    const original = Host.prototype.handle;
    const descriptor = Object.getOwnPropertyDescriptor(Host.prototype, 'handle')!;
    UseGuards(Pass)(Host.prototype, 'handle', descriptor);
    ours()(Host.prototype, 'handle', descriptor);

    UseGuards(Pass)(Host.prototype, 'handle', descriptor);
    SetMetadata('later', 1)(Host.prototype, 'handle', descriptor);

    expect(descriptor.value).not.toBe(original);
    expect(Reflect.getMetadata('__guards__', original)).toHaveLength(1);
    expect(Reflect.hasMetadata('later', original)).toBe(false);
    expect(Reflect.getMetadata('__guards__', descriptor.value as object)).toHaveLength(2);
  });

  it('#3 set on the class with the key of the method is untouched', () => {
    class Host {
      @Retry()
      @Reflect.metadata('mine', 1)
      async handle(_a: string): Promise<number> {
        return 1;
      }
    }

    expect(Reflect.getMetadata('mine', Host.prototype, 'handle')).toBe(1);
    expect(Reflect.getMetadata('design:returntype', Host.prototype, 'handle')).toBe(Promise);
    expect(Reflect.getMetadata('design:paramtypes', Host.prototype, 'handle')).toEqual([String]);
  });

  it('#3 that other libraries keep as properties of the function is kept too', () => {
    const tag = Symbol('tag');
    const Tag: MethodDecorator = (_t, _k, descriptor) => {
      Object.assign(descriptor.value as object, { tag: 'x', [tag]: [EMPTY] });
    };

    const { handler } = decorated([Tag, ours()]);

    expect({ ...handler }).toMatchObject({ tag: 'x', [tag]: [EMPTY] });
  });
});
