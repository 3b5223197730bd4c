import { Injectable } from '@nestjs/common';
import {
  Checkpoint,
  CheckpointComponent,
  Durable,
  DurableMap,
  IntegrityCheck,
  Reconnect,
  RecoveryManager,
} from 'nestjs-bulwark';
import { MemoryCheckpointStore } from 'nestjs-bulwark/testing';
import { ADAPTERS, closeAll, serve, type World } from '../support/app.js';
import { EVERYTHING, READ, DANGER, type Reply, send } from './gate-host.js';

afterEach(closeAll);

@CheckpointComponent({ name: 'ledger', primary: true })
@Injectable()
class Ledger {
  @Durable() readonly accounts = new DurableMap<string, number>();

  @Checkpoint()
  async put(name: string, amount: number): Promise<void> {
    this.accounts.set(name, amount);
  }

  @IntegrityCheck('no debts')
  debts(): string[] {
    return [...this.accounts].filter(([, amount]) => amount < 0).map(([name]) => `${name} owes`);
  }

  describeState(): object {
    return { chain_height: this.accounts.size };
  }

  @Reconnect('peers', { attempts: 1 })
  async connect(): Promise<boolean> {
    return true;
  }
}

describe.each(ADAPTERS)('the recovery controller over the real manager on %s', (_, adapter) => {
  const world = (): Promise<World> =>
    serve(adapter, {
      providers: [Ledger],
      bulwark: {
        health: false,
        checkpoint: { store: new MemoryCheckpointStore() },
        recovery: EVERYTHING,
      },
    });
  const look = ({ app }: World, path: string): Promise<Reply> =>
    send(app, { path: `/recovery/${path}`, token: READ });
  const post = ({ app }: World, path: string, body: object = {}): Promise<Reply> =>
    send(app, { method: 'POST', path: `/recovery/${path}`, token: DANGER, body });

  it('makes, lists, tries and restores backups, and notes it all', async () => {
    const it = await world();
    const ledger = it.app.get(Ledger);
    await ledger.put('ann', 1);

    expect(await post(it, 'backup/create', { name: 'manual_backup' })).toMatchObject({
      status: 200,
      json: { success: true, name: 'manual_backup', chain_height: 1 },
    });
    const again = await post(it, 'backup/create', { name: 'manual_backup' });
    expect([again.status, again.json['success']]).toEqual([409, false]);
    await ledger.put('bob', 2);

    const preview = { backup_name: 'manual_backup', dry_run: true };
    expect(await post(it, 'backup/restore', preview)).toMatchObject({
      status: 200,
      json: { dry_run: true, lost_calls: 1, components: ['ledger'] },
    });
    expect(ledger.accounts.size).toBe(2);
    expect(await post(it, 'backup/restore', { backup_name: 'manual_backup' })).toMatchObject({
      status: 200,
      json: { message: 'Restored from backup: manual_backup', chain_height: 1 },
    });
    expect([...ledger.accounts]).toEqual([['ann', 1]]);

    const { json } = await look(it, 'backups');
    expect(json['backups']).toContainEqual(
      expect.objectContaining({ name: 'manual_backup', kind: 'named', chain_height: 1 }),
    );
    expect((await post(it, 'backup/drill')).json).toMatchObject({ success: true, passed: true });
    const actions = (await look(it, 'actions')).json['actions'] as { type: string; by: string }[];
    expect(actions.map(({ type }) => type)).toEqual(expect.arrayContaining(['backup', 'restore']));
    expect(actions.every(({ by }) => by.startsWith('danger-token:'))).toBe(true);

    const unknown = await post(it, 'backup/restore', { backup_name: 'nobody' });
    expect([unknown.status, unknown.json['success']]).toEqual([404, false]);
    expect((await post(it, 'backup/delete', { backup_name: 'manual_backup' })).status).toBe(200);
    expect((await post(it, 'backup/cleanup', { keep: 0 })).status).toBe(200);
  });

  it('backups without a name that are made at once all get one', async () => {
    const it = await world();

    const manager = it.app.get(RecoveryManager);
    const all = Array.from({ length: 5 }, () => manager.createCheckpoint());

    expect(new Set((await Promise.all(all)).map(({ name }) => name)).size).toBe(5);
  });

  it('finds corruption, and mends it', async () => {
    const it = await world();
    const ledger = it.app.get(Ledger);
    await ledger.put('ann', 1);
    await post(it, 'backup/create', { name: 'good' });
    await ledger.put('eve', -5);

    expect((await post(it, 'corruption/check')).json).toMatchObject({
      success: true,
      is_corrupted: true,
      issue_count: 1,
      issues: [{ check: 'no debts', problem: 'eve owes' }],
    });
    expect((await look(it, 'status')).json).toMatchObject({
      recovery_status: { state: 'critical', recovery_in_progress: false },
    });
    const refused = await post(it, 'corruption/fix', { force_rollback: false });
    expect([refused.status, refused.json['code']]).toEqual([409, 'FIX_REFUSED']);
    expect(ledger.accounts.get('eve')).toBe(-5);

    const fixed = await post(it, 'corruption/fix', { force_rollback: true });
    expect(fixed).toMatchObject({
      status: 200,
      json: { success: true, message: 'Corruption fixed successfully' },
    });
    expect([...ledger.accounts]).toEqual([['ann', 1]]);
    expect((await post(it, 'corruption/fix')).json).toMatchObject({ result: 'sound' });
  });

  it('reconnects by name, and shuts down only what is attached', async () => {
    const it = await world();

    expect((await post(it, 'network/reconnect', { name: 'peers' })).json).toMatchObject({
      success: true,
      connections: [{ name: 'peers', outcome: 'connected' }],
    });
    expect((await post(it, 'network/reconnect', { name: 'nobody' })).status).toBe(404);
    const ending = await post(it, 'shutdown', { reason: 'maintenance' });
    expect([ending.status, ending.json['code']]).toEqual([409, 'RECOVERY_NOT_ATTACHED']);
    expect((await look(it, 'components')).json).toMatchObject({
      store: 'open',
      components: [{ name: 'ledger', is_primary: true, durability: 'sync' }],
    });
  });
});
