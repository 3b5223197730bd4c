// What asking for health does to the application and its dependencies: as little as can be.
import { Injectable } from '@nestjs/common';
import {
  Checkpoint,
  CheckpointComponent,
  CircuitBreaker,
  Durable,
  DurableValue,
  type HealthConfig,
  HealthMetric,
  HealthMonitor,
  ResilienceRegistry,
  ResilienceService,
} from 'nestjs-bulwark';
import { MemoryCheckpointStore } from '../../../lib/checkpoint/stores/memory-checkpoint-store.js';
import { ADAPTERS, type Answer, closeAll, serve, type World } from '../support/app.js';

afterEach(closeAll);

@Injectable()
@CheckpointComponent({ name: 'ledger' })
class Ledger {
  @Durable() readonly height = new DurableValue(0);
  asked = 0;

  @Checkpoint()
  async append(): Promise<void> {
    this.height.set(this.height.get() + 1);
  }

  @HealthMetric('height', { warn: 1, critical: 0, direction: 'below' })
  read(): number {
    this.asked += 1;
    return this.height.get();
  }

  @CircuitBreaker({
    failureThreshold: 1,
    openFor: 1_000,
    openJitter: 0,
    successThreshold: 1,
    halfOpenCalls: 1,
    critical: true,
  })
  async sync(fail: boolean): Promise<void> {
    if (fail) throw new Error('down');
  }
}

const ignore = (): void => {};

describe.each(ADAPTERS)('asking for health on %s', (_, adapter) => {
  const world = async (
    health: HealthConfig,
    store: object = new MemoryCheckpointStore(),
  ): Promise<World & { ledger: Ledger }> => {
    const served = await serve(adapter, {
      bulwark: { health, checkpoint: { store: store as never } },
      providers: [Ledger],
    });
    return { ...served, ledger: served.app.get(Ledger) };
  };

  const ask = (get: World['get'], times: number, path = '/health'): Promise<Answer[]> =>
    Promise.all(Array.from({ length: times }, () => get(path)));

  it('#182 a thousand times in a second probes each dependency once, and reads each figure once', async () => {
    const probes = { db: 0, queue: 0, slow: 0 };
    let answer = ignore;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    const { get, ledger, clock } = await world({
      details: 'always',
      indicators: {
        db: () => (probes.db += 1),
        queue: async () => {
          probes.queue += 1;
          throw new Error('down');
        },
        slow: () => {
          probes.slow += 1;
          return slow;
        },
      },
    });
    const first = ask(get, 100);
    while (probes.slow === 0) await new Promise((resolve) => setImmediate(resolve));
    answer();
    await first;
    for (let i = 1; i < 10; i += 1) {
      clock.jump(99);
      const answers = await ask(get, 100, i % 2 === 0 ? '/health' : '/health/ready');
      expect(answers.every(({ status }) => status === 503)).toBe(true);
    }

    expect([probes, ledger.asked]).toEqual([{ db: 1, queue: 1, slow: 1 }, 1]);
    clock.jump(1_000 - 9 * 99);
    await ask(get, 10);
    expect([probes, ledger.asked]).toEqual([{ db: 2, queue: 2, slow: 2 }, 2]);
  });

  it('a store that keeps nothing any more costs points', async () => {
    const { app, clock } = await world({});
    const monitor = app.get(HealthMonitor);
    expect((await monitor.status()).explanation).toEqual([
      { what: 'metric height', value: 0, limit: 0, points: 30 },
    ]);
    await app.close();
    clock.jump(1_000);

    expect((await monitor.status()).explanation[0]).toEqual({
      what: 'checkpoint store',
      value: 'closed',
      limit: 'open',
      points: 30,
    });
  });

  it('#182 takes no place of a half-open breaker', async () => {
    const { get, ledger, clock, app } = await world({ details: 'always' });
    await ledger.sync(true).catch(ignore);
    clock.jump(1_000);
    await ask(get, 50);

    await expect(ledger.sync(false)).resolves.toBeUndefined();
    expect(app.get(ResilienceRegistry).breakers.reader('Ledger.sync')!.state).not.toBe('open');
  });

  it('#183 writes nothing and moves nothing', async () => {
    const touched: string[] = [];
    const store = new Proxy(new MemoryCheckpointStore(), {
      get: (target, key) => {
        touched.push(String(key));
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { get, ledger, clock, app } = await world({ details: 'always' }, store);
    const events: string[] = [];
    await ledger.append();
    await ledger.sync(true).catch(ignore);
    clock.jump(60_000);
    app.get(ResilienceService).events$.subscribe(({ type }) => events.push(type));
    const seen = (): unknown =>
      app.get(ResilienceRegistry).breakers.reader('Ledger.sync')!.snapshot();
    const before = JSON.stringify(seen());
    touched.splice(0);

    for (let i = 0; i < 20; i += 1) {
      await Promise.all(['/health', '/health/ready', '/health/live'].map(get));
      clock.jump(1_000);
    }

    // its age grows by itself
    expect(seen()).toMatchObject({ state: 'open', probeDue: true });
    expect(Object.keys(seen() as object)).toEqual(Object.keys(JSON.parse(before) as object));
    expect([touched, events]).toEqual([[], []]);
  });

  it('#185 a breaker that toggles a hundred times a minute changes readiness at most twice', async () => {
    const { get, ledger, clock, app } = await world({});
    const statuses: number[] = [];
    const control = app.get(ResilienceRegistry).breakers.control('Ledger.sync')!;
    for (let i = 0; i < 200; i += 1) {
      if (i % 2 === 0) await ledger.sync(true).catch(ignore);
      else control.reset();
      expect((await get('/health')).status).toBe(i % 2 === 0 ? 503 : 200);
      statuses.push((await get('/health/ready')).status);
      clock.jump(300);
    }
    clock.jump(5_000);
    statuses.push((await get('/health/ready')).status);

    const changes = statuses.filter((status, i) => i > 0 && status !== statuses[i - 1]);
    expect([statuses[0], statuses[1], statuses.at(-1), changes.length]).toEqual([503, 503, 200, 1]);
  });

  it('#185 readiness that is held says so under details, and how it is by now', async () => {
    const { get, ledger, clock, app } = await world({ details: 'always', recoverAfter: 2_000 });
    await ledger.sync(true).catch(ignore);
    await get('/health/ready');
    app.get(ResilienceRegistry).breakers.control('Ledger.sync')!.reset();

    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      json: { status: 'error', held: 'ok', details: { circuitBreakers: { status: 'up' } } },
    });
    clock.jump(2_000);
    const after = await get('/health/ready');
    expect(after).toMatchObject({ status: 200, json: { status: 'ok' } });
    expect(after.json).not.toHaveProperty('held');
  });

  it('#185 of indicators that fail readiness is taken back at once, and held as well', async () => {
    let isDown = false;
    const { get, clock } = await world({
      indicators: { db: () => !isDown },
    });
    const ready = async (): Promise<number> => (await get('/health/ready')).status;
    expect(await ready()).toBe(200);
    isDown = true;
    clock.jump(1_000);
    expect(await ready()).toBe(503);
    isDown = false;
    clock.jump(1_000);
    expect(await ready()).toBe(503);
    clock.jump(5_000);
    expect(await ready()).toBe(200);
  });
});
