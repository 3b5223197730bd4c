import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  HealthMetric,
  HealthMonitor,
  ResilienceHealthIndicator,
  type ResilienceConfig,
} from 'nestjs-bulwark';
import type { ProcessFigures } from '../../../lib/health/inputs.js';
import { CALL_FIGURES, ERROR_FIGURES } from '../../../lib/nest/health/figures.js';
import { PROCESS_READINGS } from '../../../lib/nest/health/process-readings.js';
import { ADAPTERS, boot, closeAll, serve, type World } from '../support/app.js';

afterEach(closeAll);

@Injectable()
class Node {
  reads = 0;
  size = 5;

  @HealthMetric('mempool', { warn: 10, critical: 20 })
  mempool(): number {
    this.reads += 1;
    return this.size;
  }

  @CircuitBreaker({ failureThreshold: 1, openFor: 1_000, openJitter: 0, critical: true })
  async sync(): Promise<void> {
    throw new Error('down');
  }

  @CircuitBreaker({ failureThreshold: 1, key: (peer: string) => peer })
  async ask(peer: string): Promise<void> {
    if (peer === 'bad') throw new Error('down');
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
  full(): Promise<void> {
    return new Promise(() => {});
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0, key: (peer: string) => peer })
  async fullOf(_peer: string, end: Promise<void>): Promise<void> {
    await end;
  }
}

/** Instruments that tell what they are given, and what was done with them. */
class FakeReadings {
  readonly done: string[] = [];
  figures: ProcessFigures = {};
  open(): void {
    this.done.push('open');
  }
  close(): void {
    this.done.push('close');
  }
  read(): ProcessFigures {
    return this.figures;
  }
}

interface Watched extends World {
  readonly node: Node;
  readonly monitor: HealthMonitor;
  readonly readings: FakeReadings;
}

async function world(
  bulwark: ResilienceConfig = {},
  figures: [symbol, object][] = [],
  how = boot,
): Promise<Watched> {
  const readings = new FakeReadings();
  const served = await how({
    bulwark,
    providers: [Node],
    build: (builder) => {
      for (const [token, value] of figures) builder.overrideProvider(token).useValue(value);
      return builder.overrideProvider(PROCESS_READINGS).useValue(readings);
    },
  });
  const { app } = served;
  return { ...served, node: app.get(Node), monitor: app.get(HealthMonitor), readings };
}

const ignore = (): void => {};

describe('the monitor', () => {
  it('reads every minute, also when nobody asks', async () => {
    const { node, clock, monitor } = await world();
    expect(node.reads).toBe(0);
    await clock.advance(60_000);
    expect(node.reads).toBe(1);
    node.size = 30;
    await clock.advance(600_000);
    expect(node.reads).toBe(11);

    const { trend } = await monitor.status();
    expect(node.reads).toBe(11);
    expect(trend.direction).toBe('worsening');
    expect(trend.samples.map(({ score }) => score)).toEqual([100, ...Array<number>(10).fill(70)]);
  });

  it('reads as often as it is told', async () => {
    const { node, clock } = await world({ health: { sampleInterval: 5_000 } });
    await clock.advance(60_000);
    expect(node.reads).toBe(12);
  });

  it('#182 is read at most once a second however many ask', async () => {
    const { node, clock, monitor } = await world();
    for (let i = 0; i < 10; i += 1) {
      await Promise.all(Array.from({ length: 1_000 }, () => monitor.status()));
      await clock.advance(100);
    }
    expect(node.reads).toBe(1);
    await monitor.status();
    expect(node.reads).toBe(2);
  });

  it('keeps an hour at bounded size, whatever the rate', async () => {
    const { clock, monitor } = await world();
    for (let i = 0; i < 5_000; i += 1) {
      await monitor.status();
      clock.jump(1_000);
    }
    const { samples } = (await monitor.status()).trend;
    expect(samples).toHaveLength(60);
    expect(clock.epoch() - samples[0]!.at).toBeLessThanOrEqual(60 * 60_000);
  });

  it('sees breakers, bulkheads, calls and the process', async () => {
    const calls = { recent: () => ({ calls: 100, failures: 50 }) };
    const { node, monitor, readings } = await world({}, [[CALL_FIGURES, calls]]);
    readings.figures = { loopDelay: 150, heapUsed: 97, heapLimit: 100 };
    await node.ask('good');
    await node.ask('bad').catch(ignore);
    void node.full();
    let end = ignore;
    const ended = new Promise<void>((resolve) => (end = resolve));
    void node.fullOf('a', ended);

    const { explanation, score, ...reading } = await monitor.status();

    end();
    expect(explanation).toEqual([
      { what: 'error rate', value: 0.5, limit: 0.5, points: 40 },
      { what: 'heap after garbage collection', value: 0.97, limit: 0.95, points: 40 },
      { what: 'circuit breaker Node.ask', value: '1 of 2 keys open', limit: 'closed', points: 13 },
      { what: 'event loop delay', value: 150, limit: 100, points: 7 },
      { what: 'bulkhead Node.full', value: 'full', limit: 'room', points: 0 },
      { what: 'bulkhead Node.fullOf', value: 'full', limit: 'room', points: 0 },
    ]);
    expect(score).toBe(0);
    expect(reading).toMatchObject({
      status: 'critical',
      calls: { calls: 100, failures: 50 },
      process: readings.figures,
    });
  });

  it('knows a critical breaker', async () => {
    const { node, monitor } = await world();
    await node.sync().catch(ignore);
    expect(await monitor.status()).toMatchObject({ score: 39, status: 'critical' });
  });

  it('opens its instruments with the application, and closes them and its timer with it', async () => {
    const { app, readings, clock, node } = await world();
    expect([readings.done, clock.pending]).toEqual([['open'], 1]);
    await app.close();
    await app.close();
    expect([readings.done[1], clock.pending]).toEqual(['close', 0]);
    await clock.advance(600_000);
    expect(node.reads).toBe(0);
  });

  it('has no instruments and no timer with health: false, and answers who asks', async () => {
    const { readings, clock, monitor, node } = await world({ health: false });
    expect([readings.done, clock.pending]).toEqual([[], 0]);
    node.size = 20;
    expect(await monitor.status()).toMatchObject({ score: 70, status: 'degraded' });
  });

  it('that fails goes on, and says so', async () => {
    const calls = {
      recent: (): never => {
        throw new Error('a fault of ours');
      },
    };
    const { clock, log, node } = await world({}, [[CALL_FIGURES, calls]]);
    await clock.advance(120_000);

    expect(node.reads).toBe(2);
    expect(log.ours.map(({ message }) => message)).toContain('health: cannot be read: an Error');
  });
});

describe.each(ADAPTERS)('/health on %s', (_, adapter) => {
  const server = (bulwark: ResilienceConfig): Promise<Watched> =>
    world(bulwark, [], (setting) => serve(adapter, setting));

  it("shows score, metrics and reasons with details: 'always'", async () => {
    const { get, node } = await server({ health: { details: 'always' } });
    node.size = 12;

    expect((await get('/health')).json).toMatchObject({
      status: 'ok',
      band: 'healthy',
      score: 86,
      explanation: [{ what: 'metric mempool', value: 12, limit: 10, points: 14 }],
      metrics: { mempool: { value: 12, level: 'warn', warn: 10, critical: 20 } },
      process: {},
      trend: { direction: 'steady', samples: [{ score: 86, status: 'healthy' }] },
      details: { circuitBreakers: { status: 'up' } },
    });
    expect((await get('/health/ready')).json).not.toHaveProperty('score');
  });

  it('#178 shows none of it to anybody by default, and reads none of it', async () => {
    const { get, node } = await server({});
    node.size = 30;

    for (const path of ['/health', '/health/ready', '/health/live'])
      expect((await get(path)).text).toBe('{"status":"ok"}');
    expect(node.reads).toBe(0);
  });

  it('is no worse for a bad score: to withdraw traffic by a figure is up to the application', async () => {
    const { get, node } = await server({ health: { details: 'always' } });
    node.size = 30;
    expect(await get('/health')).toMatchObject({ status: 200, json: { status: 'ok', score: 70 } });
  });
});

describe('the indicators of the score', () => {
  it.each([
    [5, {}, 'up'],
    [20, {}, 'degraded'],
    [20, { downBelow: 70 }, 'degraded'],
    [20, { downBelow: 71 }, 'down'],
    [20, { downBelow: undefined }, 'degraded'],
  ])('with a mempool of %i and %j is %s', async (size, options, status) => {
    const { app, node } = await world();
    node.size = size;
    const { score } = await app.get(ResilienceHealthIndicator).score('score', options);
    expect(score).toMatchObject({ status, band: size === 20 ? 'degraded' : 'healthy' });
    expect(score['score']).toBe(size === 20 ? 70 : 100);
  });

  it('has another name, and says what is wrong with its option', async () => {
    const { app } = await world();
    const indicator = app.get(ResilienceHealthIndicator);
    expect(await indicator.score('mine')).toMatchObject({ mine: { score: 100, explanation: [] } });
    await expect(indicator.score('mine', { downBelow: 101 })).rejects.toThrow(
      'ResilienceHealthIndicator.score downBelow: got 101, expected a number from 0 to 100',
    );
  });
});

describe('the indicator of errors', () => {
  it.each([
    ['no-errors', [], 'up'],
    ['normal', [], 'up'],
    ['pattern', [], 'up'],
    ['normal', [{ kind: 'spike', component: 'Node.sync' }], 'degraded'],
  ])('that are %s with %j is %s', async (kind, active, status) => {
    const figures = { analyse: () => ({ kind, errors: 3 }), active: () => active };
    const { app } = await world({}, [[ERROR_FIGURES, figures]]);
    expect(app.get(ResilienceHealthIndicator).errors()).toEqual({
      errors: { status, kind, errors: 3, active },
    });
    expect(app.get(ResilienceHealthIndicator).errors('mine')).toHaveProperty('mine.kind', kind);
  });

  it('of an application without errors is up', async () => {
    const { app } = await world();
    expect(app.get(ResilienceHealthIndicator).errors()).toEqual({
      errors: { status: 'up', kind: 'no-errors', active: [] },
    });
  });
});
