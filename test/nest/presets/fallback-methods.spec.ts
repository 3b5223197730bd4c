import { Injectable } from '@nestjs/common';
import { ResilienceService, Resilient, Retry } from 'nestjs-bulwark';
import { boot, closeAll } from '../support/app.js';
import { config, down, mistakesOf, still } from './config.js';

afterEach(closeAll);

describe('fallback methods named in presets and overrides', () => {
  @Injectable()
  class Client {
    @Resilient('kind')
    async a(): Promise<string> {
      return down();
    }

    @Retry({ maxAttempts: 2, ...still })
    async b(): Promise<string> {
      return down();
    }

    last(): string {
      return 'last';
    }
  }

  it('are methods of the class', async () => {
    const { app, clock } = await boot({
      providers: [Client],
      bulwark: config({
        presets: { kind: { fallback: { method: 'b' } } },
        policies: { 'Client.b': { fallback: { method: 'last' } } },
      }),
    });
    const answer = app.get(Client).a();
    await clock.advance(1);

    expect(await answer).toBe('last');
  });

  it('that the class has not stop the boot', async () => {
    expect(
      await mistakesOf({
        providers: [Client],
        bulwark: config({
          presets: { kind: { fallback: { method: 'gone' } } },
          policies: { 'Client.b': { fallback: [{ method: 'b' }, { value: '' }] } },
        }),
      }),
    ).toEqual([
      'Client.a @Fallback method: got "gone", expected a method of the class',
      'Client.b @Fallback [0] method: got "b", expected a method of the class',
    ]);
  });

  it('#18 that lead in a circle stop the boot, also when an override closes it', async () => {
    const bulwark = config({
      presets: { kind: { fallback: { method: 'b' } } },
      policies: { 'Client.b': { fallback: { method: 'a' } } },
    });

    expect(await mistakesOf({ providers: [Client], bulwark })).toEqual([
      expect.stringMatching(/^Client.a @Fallback method: leads back .*\(a -> b -> a\)/),
      expect.stringMatching(/^Client.b @Fallback method: leads back .*\(b -> a -> b\)/),
    ]);
  });

  it('#18 that lead in a circle are no mistake where an override breaks it', async () => {
    @Injectable()
    class Circle {
      @Resilient('to-b')
      async a(): Promise<void> {}

      @Resilient('to-a')
      async b(): Promise<void> {}
    }
    const bulwark = config({
      presets: { 'to-a': { fallback: { method: 'a' } }, 'to-b': { fallback: { method: 'b' } } },
      policies: { 'Circle.b': { fallback: false } },
    });

    await expect(boot({ providers: [Circle], bulwark })).resolves.toBeDefined();
  });

  it('#18 that lead in a circle are refused while it runs too, and nothing has changed', async () => {
    const { app } = await boot({
      providers: [Client],
      bulwark: config({ presets: { kind: { fallback: { method: 'b' } } } }),
    });
    const service = app.get(ResilienceService);

    expect(() => service.reconfigure('Client.b', { fallback: { method: 'a' } })).toThrow(
      'leads back to its own method (b -> a -> b)',
    );
    expect(() => service.reconfigure('Client.b', { fallback: { method: 'b' } })).toThrow(
      'expected a method of the class',
    );
    expect(service.reconfigure('Client.b', { fallback: { method: 'last' } })).toBe(2);
    expect(() => service.reconfigure('Client.a', { retry: {}, fallback: false })).not.toThrow();
    expect(service.reconfigure('Client.b', { fallback: { method: 'a' } })).toBe(3);
  });

  it('have no class in execute', async () => {
    const { app } = await boot({
      bulwark: config({ presets: { kind: { fallback: { method: 'b' } } } }),
    });

    await expect(app.get(ResilienceService).execute('x', down, 'kind')).rejects.toThrow(
      'x @Fallback method: got "b", expected a handler or a value: there is no class here',
    );
  });
});
