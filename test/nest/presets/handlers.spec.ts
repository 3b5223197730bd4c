import { Controller, Get, UseInterceptors } from '@nestjs/common';
import {
  ApplicationRuntime,
  CircuitBreakerInterceptor,
  ResilienceInterceptor,
  RetryInterceptor,
} from 'nestjs-bulwark';
import { ADAPTERS, boot, closeAll, serve } from '../support/app.js';
import { config, mistakesOf, policiesOf, still } from './config.js';

afterEach(closeAll);

describe('presets and overrides of handlers', () => {
  @Controller()
  class Pages {
    runs = 0;

    @Get('preset')
    @UseInterceptors(ResilienceInterceptor.with('page'))
    preset(): string {
      this.runs += 1;
      throw new Error('down');
    }

    @Get('apart')
    @UseInterceptors(
      RetryInterceptor,
      CircuitBreakerInterceptor,
      CircuitBreakerInterceptor.with({}),
    )
    apart(): string {
      return 'fine';
    }
  }
  const presets = {
    page: { retry: { maxAttempts: 2, ...still }, circuitBreaker: { failureThreshold: 5 } },
  };

  it.each(ADAPTERS)('are laid as those of methods, on %s', async (_, adapter) => {
    const policies = {
      'Pages.preset': { retry: { maxAttempts: 1 }, circuitBreaker: false },
    } as const;
    const world = await serve(adapter, {
      controllers: [Pages],
      bulwark: config({ presets, policies, defaults: { retry: { multiplier: 3 } } }),
    });

    expect(policiesOf(world, 'Pages.preset')).toEqual({
      retry: { maxAttempts: 1, multiplier: 3, ...still },
    });
    expect((await world.get('/preset')).status).toBe(500);
    expect(world.app.get(Pages).runs).toBe(1);
  });

  it('reach each interceptor that has the policy, and add none', async () => {
    const world = await boot({
      controllers: [Pages],
      bulwark: config({
        presets,
        policies: {
          'Pages.apart': { retry: { delay: 5 }, circuitBreaker: { openFor: 7 }, bulkhead: {} },
          'Pages.apart#2': { circuitBreaker: { openFor: 8 } },
        },
      }),
    });
    const all = world.app.get(ApplicationRuntime).allTargets();

    expect(
      all.filter(({ name }) => name.includes('apart')).map((t) => [t.name, t.policies]),
    ).toEqual([
      ['Pages.apart', { retry: { delay: 5 } }],
      ['Pages.apart', { circuitBreaker: { openFor: 7 } }],
      ['Pages.apart#2', { circuitBreaker: { openFor: 8 } }],
    ]);
  });

  it('with options that are wrong stop the boot, and only where they would be in force', async () => {
    const wrong = { circuitBreaker: { openFor: -1 }, rateLimit: {} } as never;

    expect(
      await mistakesOf({
        controllers: [Pages],
        bulwark: config({ presets, policies: { 'Pages.preset': wrong } }),
      }),
    ).toEqual([
      'Pages.preset @CircuitBreaker openFor: got -1, expected a number of milliseconds from 1 to 2147483647, or a function',
    ]);
  });

  it('that are unknown stop the boot, at the handler', async () => {
    expect(
      await mistakesOf({ controllers: [Pages], bulwark: config({ presets: { rpc: {} } }) }),
    ).toEqual(['Pages.preset ResilienceInterceptor: got "page", expected one of "rpc"']);
  });
});
