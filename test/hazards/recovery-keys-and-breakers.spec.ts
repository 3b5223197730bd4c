import { ResilienceRegistry } from 'nestjs-bulwark';
import { RecoveryError } from '../../lib/recovery/recovery.error.js';
import { ADAPTERS, closeAll, deferred, eventLoopTurns } from '../nest/support/app.js';
import {
  DANGER,
  EVERYTHING,
  gate,
  type GateWorld,
  type Reply,
} from '../nest/recovery/gate-host.js';

afterEach(closeAll);

describe.each(ADAPTERS)('on %s', (_, adapter) => {
  const restore = ({ ask }: GateWorld, key: string | undefined, name: string): Promise<Reply> =>
    ask({
      method: 'POST',
      path: '/recovery/backup/restore',
      token: DANGER,
      body: { backup_name: name },
      ...(key === undefined ? {} : { headers: { 'Idempotency-Key': key } }),
    });

  it('#149 requests that are refused drive out no answer that is kept', async () => {
    const it = await gate(adapter, EVERYTHING);
    for (let i = 0; i < 100; i += 1) await restore(it, `k${i}`, 'b1');
    it.manager.instead.set('restoreBackup', () =>
      Promise.reject(new RecoveryError('RECOVERY_UNKNOWN', 'there is none')),
    );
    expect((await restore(it, 'unknown', 'b2')).status).toBe(404);
    const { promise, resolve } = deferred<unknown>();
    it.manager.instead.set('restoreBackup', () => promise);
    const first = restore(it, undefined, 'b1');
    while (it.manager.of('restoreBackup').length < 102) await eventLoopTurns();
    expect((await restore(it, 'another', 'b1')).status).toBe(409);
    resolve({ isDryRun: false, backup: { name: 'b1' }, components: [], lostCalls: 0, issues: [] });
    await first;
    it.manager.instead.clear();

    for (let i = 0; i < 100; i += 1) expect((await restore(it, `k${i}`, 'b1')).status).toBe(200);

    expect(it.manager.of('restoreBackup').length).toBe(102);
  });

  it('a release and a reset say what state the circuit breaker is in: others may hold it', async () => {
    const it = await gate(adapter, EVERYTHING);
    const control = it.app.get(ResilienceRegistry).breakers.control('mining')!;
    const at = async (deed: string): Promise<unknown[]> => {
      const { json } = await it.post(`/recovery/circuit-breakers/mining/${deed}`);
      return [json['state'], json['message']];
    };

    expect(await at('isolate')).toEqual(['isolated', 'Circuit breaker mining isolated']);
    const letGo = control.isolate('by code too');
    const still = 'it is still isolated, by somebody else';
    expect(await at('release')).toEqual(['isolated', `Circuit breaker mining released; ${still}`]);
    expect(await at('reset')).toEqual(['isolated', `Circuit breaker mining reset; ${still}`]);
    letGo();
    expect(await at('reset')).toEqual(['closed', 'Circuit breaker mining reset']);
    await at('isolate');
    expect(await at('release')).toEqual(['closed', 'Circuit breaker mining released']);
  });
});
