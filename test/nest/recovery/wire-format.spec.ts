import { ADAPTERS, closeAll } from '../support/app.js';
import { EVERYTHING, gate, Mining } from './gate-host.js';

afterEach(closeAll);

describe.each(ADAPTERS)('the wire format of the recovery controller on %s', (_, adapter) => {
  const world = (): ReturnType<typeof gate> => gate(adapter, EVERYTHING);

  it('GET status', async () => {
    const { look } = await world();

    const { status, json, headers } = await look('/recovery/status');

    expect(status).toBe(200);
    expect(json).toMatchObject({
      success: true,
      timestamp: expect.any(Number),
      recovery_status: {
        state: 'healthy',
        recovery_in_progress: false,
        health: { status: 'healthy', score: 95 },
        circuit_breakers: { mining: 'closed', validation: 'half_open' },
        backups_available: 10,
      },
    });
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('GET health', async () => {
    const { look } = await world();

    expect((await look('/recovery/health')).json).toMatchObject({
      success: true,
      health: { status: 'healthy', score: 100, metrics: {} },
    });
  });

  it('GET circuit-breakers', async () => {
    const { look, app } = await world();
    await app.get(Mining).mine();
    await app
      .get(Mining)
      .mine(true)
      .catch(() => {});
    await app.get(Mining).ask('a');

    expect((await look('/recovery/circuit-breakers')).json).toMatchObject({
      success: true,
      circuit_breakers: {
        mining: { state: 'open', failure_count: 1, success_count: 1, critical: false },
        keyed: { state: 'closed', success_count: 1, keys: { total: 1, open: 0 } },
      },
    });
  });

  it('GET bulkheads and components', async () => {
    const { look } = await world();

    expect((await look('/recovery/bulkheads')).json).toMatchObject({
      success: true,
      bulkheads: { pool: { running: 0, queued: 0, max_concurrent: 1 } },
    });
    expect((await look('/recovery/components')).json).toMatchObject({
      success: true,
      store: null,
      count: 0,
      components: [],
    });
  });

  it('GET backups', async () => {
    const { look } = await world();

    expect((await look('/recovery/backups')).json).toMatchObject({
      success: true,
      count: 1,
      backups: [
        {
          name: 'backup_1234567890.json',
          path: 'data/backups/backup_1234567890.json',
          timestamp: 1_234_567_890,
          chain_height: 1_000,
          size: 1_024_000,
        },
      ],
    });
  });

  it('GET errors, as many as asked for', async () => {
    const { look, app } = await world();
    await app
      .get(Mining)
      .mine(true)
      .catch(() => {});

    const { json } = await look('/recovery/errors?limit=5');

    expect(json).toMatchObject({
      success: true,
      count: 1,
      errors: [
        { timestamp: expect.any(Number), error: 'Block validation failed', severity: 'medium' },
      ],
    });
    expect((json as { errors: { operation: string }[] }).errors[0]!.operation).toBe('Mining.mine');
  });

  it('GET actions, 50 of them unless the query says otherwise', async () => {
    const { look, manager } = await world();

    expect((await look('/recovery/actions')).json).toMatchObject({
      success: true,
      count: 1,
      actions: [
        {
          timestamp: 1_234_567_890,
          type: 'corruption_recovery',
          status: 'success',
          details: 'Restored from backup: backup_1234567890.json',
        },
      ],
    });
    await look('/recovery/actions?limit=500');
    expect(manager.of('actions').map(({ args }) => args[0])).toEqual([50, 500]);
  });

  it('POST circuit-breakers/:name/reset', async () => {
    const { post, app, manager } = await world();
    await app
      .get(Mining)
      .mine(true)
      .catch(() => {});

    const { status, json } = await post('/recovery/circuit-breakers/mining/reset');

    expect(status).toBe(200);
    expect(json).toMatchObject({ success: true, message: 'Circuit breaker mining reset' });
    await expect(app.get(Mining).mine()).resolves.toBe('mined');
    expect(manager.of('noteAction')[0]!.args[0]).toMatchObject({
      type: 'circuit_breaker',
      by: expect.stringMatching(/^danger-token:[\da-f]{8}$/),
    });
  });

  it('POST backup/create, with a name and without', async () => {
    const { post, manager } = await world();

    expect(await post('/recovery/backup/create', { name: 'manual_backup' })).toMatchObject({
      status: 200,
      json: {
        success: true,
        backup_path: 'data/backups/manual_backup',
        message: 'Backup created successfully',
      },
    });
    expect((await post('/recovery/backup/create')).status).toBe(200);
    expect(manager.of('createCheckpoint').map(({ args }) => args[0])).toEqual([
      'manual_backup',
      undefined,
    ]);
  });

  it('POST backup/restore acts without dry_run, and only looks with it', async () => {
    const { post, manager } = await world();
    const backup_name = 'backup_1234567890.json';

    expect(await post('/recovery/backup/restore', { backup_name })).toMatchObject({
      status: 200,
      json: {
        success: true,
        message: 'Restored from backup: backup_1234567890.json',
        chain_height: 1_000,
        dry_run: false,
      },
    });
    expect((await post('/recovery/backup/restore', { backup_name, dry_run: true })).json).toEqual(
      expect.objectContaining({
        message: 'Would restore from backup: backup_1234567890.json',
        dry_run: true,
      }),
    );
    expect(manager.of('restoreBackup').map(({ args }) => args)).toMatchObject([
      [backup_name, { dryRun: false }],
      [backup_name, { dryRun: true }],
    ]);
  });

  it('POST corruption/check', async () => {
    const { post, manager } = await world();
    manager.instead.set('checkCorruption', () => ({
      isCorrupted: true,
      issues: [{ check: 'hashes', at: 'block 3', problem: 'does not match' }],
      issueCount: 1,
      warnings: [],
      checks: ['hashes'],
      duration: 3,
    }));

    expect((await post('/recovery/corruption/check')).json).toMatchObject({
      success: true,
      is_corrupted: true,
      issue_count: 1,
      issues: [{ check: 'hashes', at: 'block 3', problem: 'does not match' }],
    });
  });

  it('POST corruption/fix acts without dry_run', async () => {
    const { post, manager } = await world();

    expect(await post('/recovery/corruption/fix', { force_rollback: false })).toMatchObject({
      status: 200,
      json: { success: true, message: 'Corruption fixed successfully', dry_run: false },
    });
    await post('/recovery/corruption/fix', { force_rollback: true, dry_run: true });
    expect(manager.of('handleCorruption').map(({ args }) => args)).toMatchObject([
      [false, { dryRun: false }],
      [true, { dryRun: true }],
    ]);
  });

  it.each([
    ['refused', 409, 'FIX_REFUSED'],
    ['failed', 422, 'FIX_FAILED'],
  ])('POST corruption/fix that is %s is an error with what there is to know', async (...row) => {
    const [result, status, code] = row;
    const { post, manager } = await world();
    manager.instead.set('handleCorruption', () => ({
      isDryRun: false,
      result,
      message: 'two calls would be lost',
      issues: [],
      replayedCalls: 0,
      lostCalls: 2,
      handedBack: {},
      steps: [],
    }));

    expect(await post('/recovery/corruption/fix')).toMatchObject({
      status,
      json: { success: false, code, message: 'two calls would be lost', lost_calls: 2 },
    });
  });

  it('POST network/reconnect', async () => {
    const { post, manager } = await world();

    expect((await post('/recovery/network/reconnect')).json).toMatchObject({
      success: true,
      message: 'Network partition handled',
    });
    manager.instead.set('handleNetworkPartition', () => ({
      reconnected: false,
      connections: [{ name: 'peers', outcome: 'failed', attempts: 3, error: 'refused' }],
      isDegraded: true,
    }));
    expect((await post('/recovery/network/reconnect', { name: 'peers' })).json).toMatchObject({
      success: false,
      message: 'Not reconnected: peers; the application goes on without',
      is_degraded: true,
    });
  });

  it('POST backup/drill, backup/delete and backup/cleanup', async () => {
    const { post, manager } = await world();

    expect((await post('/recovery/backup/drill')).json).toMatchObject({
      success: true,
      backup: 'backup_1234567890.json',
      passed: true,
      duration_ms: 12,
    });
    expect((await post('/recovery/backup/delete', { backup_name: 'old' })).json).toMatchObject({
      success: true,
      message: 'Backup removed: old',
    });
    expect((await post('/recovery/backup/cleanup', { keep: 3 })).json).toMatchObject({
      success: true,
      removed: ['old-1', 'old-2'],
      count: 2,
    });
    expect(manager.of('cleanupOldBackups')[0]!.args[0]).toBe(3);
  });

  it('GET /recovery says what this credential may do', async () => {
    const { look } = await gate(adapter, { ...EVERYTHING, danger: ['fix'] });

    const read = (await look('/recovery')).json as { operations: { level: string }[] };
    expect(read).toMatchObject({ success: true, levels: ['read'] });
    expect(read.operations).toHaveLength(10);

    const danger = (await look('/recovery', EVERYTHING.access && dangerToken())).json;
    expect(danger).toMatchObject({ levels: ['read', 'operate', 'danger'] });
    const names = (danger['operations'] as { operation: string }[]).map((o) => o.operation);
    expect(names).toContain('fix');
    expect(names).not.toContain('restore');
  });
});

function dangerToken(): string {
  return (EVERYTHING.access as { tokens: { danger: string } }).tokens.danger;
}
