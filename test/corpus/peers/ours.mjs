import { setTimeout as sleep } from 'node:timers/promises';
import { decorate, guarded } from './nest.mjs';
import { common, down, ended, OPEN_FOR, outcomeOf, up, within } from './situations.mjs';

export async function ours() {
  await import('reflect-metadata');
  const { Test } = await import('@nestjs/testing');
  const { Bulkhead, ResilienceModule, ResilienceService, Retry, CircuitBreaker } =
    await import('nestjs-bulwark');
  const { NEVER, Observable } = await import('rxjs');
  const bulwark = () => ResilienceModule.forRoot({ health: false });
  const boot = async (...providers) => {
    const module = await Test.createTestingModule({ imports: [bulwark()], providers }).compile();
    module.useLogger(false);
    await module.init();
    return module;
  };
  let names = 0;
  const runner = async (policies, service) => {
    const resilience = service ?? (await boot()).get(ResilienceService);
    const name = `row ${(names += 1)}`;
    const run = (fn, signal) => resilience.execute(name, fn, policies, { signal });
    return { resilience, name, run };
  };
  const one = { failureThreshold: 1, openFor: OPEN_FOR, openJitter: 0 };
  const strict = { ...one, halfOpenCalls: 1, successThreshold: 1 };

  const breaker = async ({ ignore, byDefault, window, minimum } = {}) => {
    let options = byDefault ? one : { ...strict, ...(ignore && { ignore }) };
    if (window !== undefined) options = { failureRate: 0.5, minimumCalls: minimum, window };
    const { ResilienceRegistry } = await import('nestjs-bulwark');
    const module = await boot();
    const { run, name } = await runner({ circuitBreaker: options }, module.get(ResilienceService));
    return { run, state: () => module.get(ResilienceRegistry).breakers.reader(name).state };
  };
  const listening = async (works) => {
    const { run, resilience } = await runner({ circuitBreaker: strict });
    resilience.events$.subscribe(() => {
      throw new Error('listener');
    });
    let result;
    for (const work of works) {
      result = await within(500, run(work));
      await sleep(OPEN_FOR + 30);
    }
    return result;
  };
  const streams = async (method) => {
    class Streams {
      open() {
        return method();
      }
    }
    Reflect.defineMetadata('design:returntype', Observable, Streams.prototype, 'open');
    decorate(
      Streams,
      'open',
      Bulkhead({ maxConcurrent: 1, maxQueue: 0 }),
      CircuitBreaker(),
      Retry({ maxAttempts: 2 }),
    );
    return (await boot(Streams)).get(Streams);
  };

  return {
    openBreaker: async () => {
      const { run } = await runner({ circuitBreaker: { ...strict, openFor: 60_000 } });
      await ended(run(down));
    },
    cases: {
      ...common({
        breaker,
        bulkhead: async (places, queue) =>
          (await runner({ bulkhead: { maxConcurrent: places, maxQueue: queue } })).run,
        retry: async (times, places) => {
          const policies = { retry: { maxAttempts: times + 1, delay: 1 } };
          if (places !== undefined) {
            policies.bulkhead = { maxConcurrent: places, maxQueue: 0 };
            policies.timeLimit = 1_000;
          }
          return (await runner(policies)).run;
        },
      }),
      1: () => guarded(() => Retry(), [bulwark()]),
      '40a': async () => {
        const saw = outcomeOf(await listening([down]), 'down');
        return { ok: saw === 'own error', saw };
      },
      // the probe’s success is the one that listeners hear of
      '40b': async () => {
        const saw = outcomeOf(await listening([down, up]), 'down');
        return { ok: saw === 'success', saw };
      },
      S5: async () => {
        const service = await streams(() => NEVER);
        for (let i = 0; i < 10; i += 1) service.open();
        let refused = false;
        service.open().subscribe({ error: () => (refused = true) });
        await sleep(5);
        return { ok: !refused, saw: refused ? 'next caller rejected' : 'next caller runs' };
      },
      S6: async () => {
        let torn = 0;
        const service = await streams(() => new Observable(() => () => (torn += 1)));
        service.open().subscribe().unsubscribe();
        return { ok: torn === 1, saw: torn === 1 ? 'torn down' : 'goes on' };
      },
    },
  };
}
