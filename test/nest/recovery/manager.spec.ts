import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import {
  Checkpoint,
  CheckpointComponent,
  CheckpointService,
  CircuitBreaker,
  Durable,
  DurableMap,
  IntegrityCheck,
  Reconnect,
  type RecoveryConfig,
  RecoveryManager,
  RecoveryParticipant,
  ResilienceErrors,
  ResilienceHealthIndicator,
} from 'nestjs-bulwark';
import { boot, closeAll, type World } from '../support/app.js';

@Injectable()
@CheckpointComponent({ name: 'shop', primary: true })
@RecoveryParticipant()
class Shop {
  @Durable() readonly stock = new DurableMap<string, number>([['apple', 10]]);
  carried: unknown;
  checks = 0;

  @Checkpoint()
  async sell(amount: number): Promise<number> {
    return this.stock.update('apple', (left) => (left ?? 0) - amount);
  }

  @IntegrityCheck('stock')
  async *nothingOwed(): AsyncGenerator<string | undefined> {
    this.checks += 1;
    for (const [name, left] of this.stock) {
      await Promise.resolve();
      yield left < 0 ? `${name}: ${left} left` : undefined;
    }
  }

  beforeRestore(): number | undefined {
    return this.stock.get('apple');
  }

  afterRestore(carried: unknown): string {
    this.carried = carried;
    return 'noted';
  }

  describeState(): { apples: number } {
    return { apples: this.stock.get('apple')! };
  }
}

@Injectable()
class Dependency {
  isAway = false;

  @CircuitBreaker({ failureThreshold: 1 })
  async ask(): Promise<string> {
    if (this.isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    return 'here';
  }

  @Reconnect('dependency', { attempts: 1 })
  async reconnect(): Promise<boolean> {
    return !this.isAway;
  }
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulwark-manager-'));
});
afterEach(async () => {
  await closeAll();
  await rm(directory, { recursive: true });
});

async function start(recovery: RecoveryConfig = {}): Promise<{
  world: World;
  manager: RecoveryManager;
  shop: Shop;
  dependency: Dependency;
}> {
  const world = await boot({
    bulwark: { checkpoint: { directory, verify: false }, recovery },
    providers: [Shop, Dependency],
  });
  const manager = world.app.get(RecoveryManager);
  return { world, manager, shop: world.app.get(Shop), dependency: world.app.get(Dependency) };
}

/** Lets everything that waits for no timer go on, the disk too. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

test('the state of an application that is well is healthy, with what an operator asks first', async () => {
  const { manager, shop } = await start();
  await shop.sell(1);
  await manager.createCheckpoint('one');

  const status = await manager.getRecoveryStatus();

  expect(status).toMatchObject({
    state: 'healthy',
    reasons: [],
    recoveryInProgress: false,
    health: { status: 'healthy', score: 100 },
    circuitBreakers: { 'Dependency.ask': 'closed' },
    partitions: [],
    isShuttingDown: false,
  });
  expect(status.backupsAvailable).toBe((await manager.listBackups()).length);
  expect((await manager.listBackups()).find(({ name }) => name === 'one')).toMatchObject({
    path: join(directory, 'named', 'one'),
    summary: { apples: 9 },
  });
});

test('corruption is found in a copy, mended, noted, and handed back; the actions survive a restart', async () => {
  const first = await start();
  await first.shop.sell(3);
  await first.manager.createCheckpoint('good');
  await first.shop.sell(100);
  expect(await first.manager.checkCorruption()).toMatchObject({
    isCorrupted: true,
    issues: [{ check: 'stock', problem: 'apple: -93 left' }],
    checks: ['stock', 'store'],
  });
  expect(await first.manager.getRecoveryStatus()).toMatchObject({ state: 'critical' });

  expect(await first.manager.handleCorruption()).toMatchObject({ result: 'refused', lostCalls: 1 });
  expect(first.shop.stock.get('apple')).toBe(-93);
  const outcome = await first.manager.handleCorruption(true, { by: 'ann' });

  expect(outcome).toMatchObject({ result: 'fixed', lostCalls: 1, handedBack: { Shop: 'noted' } });
  expect(first.shop.stock.get('apple')).toBe(7);
  expect(first.shop.carried).toBe(-93);
  expect(await first.manager.getRecoveryStatus()).toMatchObject({ state: 'healthy' });
  await closeAll();
  const second = await start();
  expect(second.shop.stock.get('apple')).toBe(7);
  expect(second.manager.actions(2)).toMatchObject([
    { type: 'corruption_recovery', status: 'success', by: 'ann' },
    { type: 'corruption_recovery', status: 'started', by: 'ann' },
  ]);
  expect(await readdir(join(directory, 'recovery'))).toHaveLength(1);
});

test('a restore can be undone by the backup it makes before', async () => {
  const { manager, shop } = await start();
  await manager.createCheckpoint('full');
  await shop.sell(4);
  const { before, lostCalls } = await manager.restoreBackup('full');
  expect([shop.stock.get('apple'), lostCalls]).toEqual([10, 1]);
  await manager.restoreBackup(before!);
  expect(shop.stock.get('apple')).toBe(6);
  await expect(manager.restoreBackup('nothing')).rejects.toMatchObject({ status: 404 });
});

test('backups, checks and drills come by the clock, and the oldest backups go', async () => {
  const { world, manager, shop } = await start({
    backupInterval: 10_000,
    corruptionCheckInterval: 25_000,
    maxBackups: 2,
  });
  const done = (type: string): number =>
    manager.actions(100).filter((action) => action.type === type && action.status === 'success')
      .length;

  // one that still runs is not begun again, so each span is given as long as it needs
  await until(() => {
    world.clock.advance(1_000);
    return done('backup') > 3 && done('restore_drill') > 0;
  });

  await closeAll();
  expect(await readdir(join(directory, 'named'))).toHaveLength(2);
  expect(done('corruption_check')).toBeGreaterThan(0);
  expect(shop.checks).toBeGreaterThan(1);
  expect(manager.actions(1)[0]!.by).toBe('schedule');
});

test('autoFix mends what the scheduled check finds, where that loses no call', async () => {
  const { world, manager, shop } = await start({ autoFix: true, corruptionCheckInterval: 5_000 });
  await shop.sell(1);
  shop.stock.published.entries.set('apple', -5);
  world.clock.advance(5_000);
  await until(() => shop.stock.get('apple') === 9);
  await until(() => manager.actions(1)[0]?.status === 'success');
  world.clock.advance(2_000); // what the health was meanwhile is kept for a second
  await until(async () => !(await manager.getRecoveryStatus()).recoveryInProgress);
  expect(await manager.getRecoveryStatus()).toMatchObject({ state: 'healthy' });
});

test('a connection that is cut makes it degraded; calls go on', async () => {
  const { world, manager, dependency, shop } = await start();
  dependency.isAway = true;
  expect(await manager.handleNetworkPartition()).toMatchObject({
    reconnected: false,
    isDegraded: true,
    connections: [{ name: 'dependency', outcome: 'failed' }],
  });
  expect(await manager.getRecoveryStatus()).toMatchObject({
    state: 'degraded',
    partitions: ['dependency'],
    reasons: ['the connection dependency is cut'],
  });
  expect(await shop.sell(1)).toBe(9);
  expect(await world.app.get(ResilienceHealthIndicator).recovery()).toMatchObject({
    recovery: { corrupted: false, partitions: ['dependency'] },
  });
});

test('an operation that is wrapped answers its error, and is protected by a breaker of its name', async () => {
  const { manager } = await start();
  expect(await manager.wrapOperation('mining', async () => 7)).toEqual({
    success: true,
    result: 7,
  });
  const error = new Error('no');
  const fail = (): Promise<never> => Promise.reject(error);
  expect(await manager.wrapOperation('mining', fail)).toEqual({ success: false, error });
  expect(await manager.getRecoveryStatus()).toMatchObject({
    circuitBreakers: { mining: 'closed' },
  });
});

test('counters begin anew by hand; state and breakers stay', async () => {
  const { world, manager, dependency } = await start();
  dependency.isAway = true;
  await dependency.ask().catch(() => {});
  expect(world.app.get(ResilienceErrors).list()).toHaveLength(1);
  manager.resetCounters();
  expect(world.app.get(ResilienceErrors).list()).toEqual([]);
  expect(await manager.getRecoveryStatus()).toMatchObject({
    circuitBreakers: { 'Dependency.ask': 'open' },
  });
});

test('without checkpoints there is nothing to restore, and a clear error says so', async () => {
  const world = await boot({ providers: [Dependency] });
  const manager = world.app.get(RecoveryManager);
  expect(await manager.listBackups()).toEqual([]);
  for (const refused of [manager.createCheckpoint('x'), manager.restoreDrill()])
    await expect(refused).rejects.toMatchObject({ code: 'RECOVERY_NO_STORE', status: 409 });
  expect(await manager.checkCorruption()).toMatchObject({ isCorrupted: false, checks: [] });
});

test('#150 a restore by the service of checkpoints beside a check harms neither', async () => {
  const { world, manager, shop } = await start();
  await manager.createCheckpoint('full');
  await shop.sell(4);
  const [report] = await Promise.all([
    manager.checkCorruption(),
    world.app.get(CheckpointService).restore('full'),
  ]);
  expect(report.isCorrupted).toBe(false);
  expect(shop.stock.get('apple')).toBe(10);
});
