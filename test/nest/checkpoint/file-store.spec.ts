import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplicationContext, Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Checkpoint,
  CheckpointComponent,
  CheckpointService,
  Durable,
  DurableList,
  DurableMap,
  ResilienceModule,
} from 'nestjs-bulwark';

@Injectable()
@CheckpointComponent({ name: 'orders', snapshot: { calls: 10 } })
class Orders {
  @Durable() readonly stock = new DurableMap<string, { left: number; since: Date }>([
    ['bolt', { left: 100, since: new Date(0) }],
  ]);
  @Durable() readonly taken = new DurableList<string>();

  @Checkpoint({ idempotencyKey: (id: string) => id })
  async take(id: string, what: string): Promise<number> {
    const { left, since } = this.stock.get(what)!;
    this.stock.set(what, { left: left - 1, since });
    this.taken.push(id);
    return left - 1;
  }
}

let directory: string;
const apps: INestApplicationContext[] = [];

async function start(dir = directory): Promise<INestApplicationContext> {
  const app = await NestFactory.createApplicationContext(
    {
      module: class AppModule {},
      imports: [
        ResilienceModule.forRoot({ checkpoint: { directory: dir, verify: true }, health: false }),
      ],
      providers: [Orders],
    },
    { logger: false, abortOnError: false },
  );
  apps.push(app);
  return app;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulwark-orders-'));
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  await rm(directory, { recursive: true });
});

it('keeps state in a directory, for one application at a time', async () => {
  const first = await start();
  for (let i = 0; i < 25; i += 1) await first.get(Orders).take(`o${i}`, 'bolt');
  expect(await first.get(Orders).take('o3', 'bolt')).toBe(96);
  await expect(start()).rejects.toMatchObject({ code: 'CHECKPOINT_LOCKED' });
  await first.close();
  const second = await start();
  const orders = second.get(Orders);
  expect(orders.stock.get('bolt')).toEqual({ left: 75, since: new Date(0) });
  expect(orders.taken.length).toBe(25);
  expect(await orders.take('o3', 'bolt')).toBe(96);
  const report = await second.get(CheckpointService).verify();
  expect(report).toMatchObject({ ok: true, findings: [] });
});

it('starts beside a saved state that has rotted, and saves a whole one in its place', async () => {
  for (const life of [1, 2]) {
    const app = await start();
    await app.get(Orders).take(`o${life}`, 'bolt');
    await app.close();
  }
  const newest = (await readdir(directory)).filter((name) => name.startsWith('s-')).toSorted();
  const file = join(directory, newest.at(-1)!);
  const bytes = await readFile(file);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(file, bytes);

  const app = await start();

  expect([...app.get(Orders).taken]).toEqual(['o1', 'o2']);
  const report = await app.get(CheckpointService).verify();
  expect(report.checkpoints[0]?.id).toBe('3');
});

it('two applications in one process have a directory each', async () => {
  const other = await mkdtemp(join(tmpdir(), 'bulwark-orders-'));
  const [one, two] = [await start(), await start(other)];
  await one.get(Orders).take('a', 'bolt');
  expect([one.get(Orders).taken.length, two.get(Orders).taken.length]).toEqual([1, 0]);
  await two.close();
  await rm(other, { recursive: true });
});

it('is nobody else’s to read', async () => {
  await start(join(directory, 'made', 'here'));
  const { mode } = await stat(join(directory, 'made', 'here'));
  expect(mode & 0o777).toBe(0o700);
  for (const name of await readdir(join(directory, 'made', 'here'))) {
    const file = await stat(join(directory, 'made', 'here', name));
    if (file.isFile()) expect(file.mode & 0o777).toBe(0o600);
  }
});

it('restores a named checkpoint, through a restart', async () => {
  const first = await start();
  await first.get(Orders).take('a', 'bolt');
  await first.get(CheckpointService).create('before-the-sale');
  for (let i = 0; i < 5; i += 1) await first.get(Orders).take(`s${i}`, 'bolt');
  await first.get(CheckpointService).restore('before-the-sale');
  await first.get(Orders).take('b', 'bolt');
  await first.close();
  const second = await start();
  expect([...second.get(Orders).taken]).toEqual(['a', 'b']);
});
