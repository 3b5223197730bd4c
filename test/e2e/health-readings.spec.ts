// What the process says of itself, by Node's own instruments and in real time.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NodeReadings } from '../../lib/nest/health/process-readings.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it('knows nothing before a span is over, and nothing when it is closed', async () => {
  const readings = new NodeReadings(60_000);
  expect(readings.read()).toEqual({});
  readings.open();
  readings.open();
  await sleep(30);
  expect(Object.keys(readings.read())).toEqual(['heapUsed', 'heapLimit']);
  expect(readings.read().heapLimit).toBeGreaterThan(10_000_000);
  readings.close();
  readings.close();
  expect(readings.read()).toEqual({});
});

it('feels an event loop that is blocked, and forgets it in the next span', async () => {
  const readings = new NodeReadings(200);
  readings.open();
  await sleep(50);
  block(1_000);
  await sleep(30);
  const { loopDelay, loopUtilisation } = readings.read();
  expect(loopDelay).toBeGreaterThan(900);
  expect(loopUtilisation).toBeGreaterThan(0.5);
  expect(loopUtilisation).toBeLessThanOrEqual(1);
  // the same until the next span is over, however often it is read
  expect(readings.read()).toMatchObject({ loopDelay, loopUtilisation });

  await sleep(400);
  expect(readings.read().loopDelay).toBeLessThan(loopDelay!);
  readings.close();
});

describe('a process of its own', () => {
  const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
  let place: string;
  beforeAll(() => {
    place = mkdtempSync(join(root, 'test/e2e/.health-'));
  });
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it('#60 ends by itself with health on and nothing closed, and has seen a full collection', () => {
    const file = join(place, 'ends.mjs');
    writeFileSync(
      file,
      `
      import 'reflect-metadata';
      import { NestFactory } from '@nestjs/core';
      import { HealthMonitor, ResilienceModule } from 'nestjs-bulwark';

      class App {}
      const app = await NestFactory.createApplicationContext(
        { module: App, imports: [ResilienceModule.forRoot()] },
        { logger: false },
      );
      gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { score, process: figures } = await app.get(HealthMonitor).status();
      const done = performance.now();
      process.on('exit', () =>
        console.log(JSON.stringify({ score, heap: figures.heapUsed > 0, soon: performance.now() - done < 2_000 })),
      );
      `,
    );

    const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', file], {
      timeout: 30_000,
      encoding: 'utf8',
    });
    expect([status, stdout.trim(), stderr]).toEqual([
      0,
      '{"score":100,"heap":true,"soon":true}',
      '',
    ]);
  }, 60_000);
});
