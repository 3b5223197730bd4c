import { Injectable } from '@nestjs/common';
import { Fallback, type ResilienceConfigError } from 'nestjs-bulwark';
import { boot, bootError, closeAll } from './support/app.js';

afterEach(closeAll);

describe('fallbacks that name methods', () => {
  it('#18 that lead in a circle stop the boot: a call would never end', async () => {
    @Injectable()
    class Client {
      @(Fallback({ method: 'b' }) as MethodDecorator)
      async a(): Promise<void> {}

      @(Fallback([{ method: 'c', on: RangeError }, { method: 'd' }]) as MethodDecorator)
      async b(): Promise<void> {}

      async c(): Promise<void> {}

      @(Fallback({ method: 'a' }) as MethodDecorator)
      async d(): Promise<void> {}
    }

    const { mistakes } = (await bootError({ providers: [Client] })) as ResilienceConfigError;

    expect(mistakes.map(({ at }) => at)).toEqual(
      ['a', 'b', 'd'].map((name) => `Client.${name} @Fallback method`),
    );
    expect(mistakes[0]!.problem).toContain('leads back to its own method (a -> b -> d -> a)');
  });

  it('may be fallbacks of each other as long as they come to an end, in a child too', async () => {
    @Injectable()
    class Parent {
      @(Fallback({ method: 'b' }) as MethodDecorator)
      async a(): Promise<string> {
        throw new Error('down');
      }

      @(Fallback({ method: 'c' }) as MethodDecorator)
      async b(): Promise<string> {
        throw new Error('down');
      }

      @(Fallback({ method: 'a' }) as MethodDecorator)
      async c(): Promise<string> {
        throw new Error('down');
      }
    }
    @Injectable()
    class Child extends Parent {
      override async c(): Promise<string> {
        return 'the child';
      }
    }
    const { app } = await boot({ providers: [Child] });

    await expect(app.get(Child).a()).resolves.toBe('the child');
  });
});
