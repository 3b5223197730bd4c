import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  currentCall,
  IntegrityCheck,
  OnInvalid,
  Reconnect,
  RecoveryManager,
  Remedy,
  ResilienceErrors,
  Resync,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { RecoveryHookRegistry } from '../../lib/nest/recovery/recovery-hooks.js';
import { runChecks } from '../../lib/recovery/integrity/run-checks.js';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

const actionsOf = (manager: RecoveryManager): string[] =>
  manager.actions().map(({ type, status, details }) => `${type}|${status}|${details}`);

const refused = (): Error =>
  Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

@Injectable()
class Peers {
  isUp = false;
  calls = 0;
  synced = 0;

  @Reconnect('peers', { attempts: 1 })
  @CircuitBreaker({ failureThreshold: 2, openFor: 60_000, openJitter: 0 })
  @Retry({ maxAttempts: 2, delay: 10, jitter: 'none' })
  async connect(): Promise<void> {
    this.calls += 1;
    if (!this.isUp) throw refused();
  }

  @Resync('peers')
  @TimeLimit(1_000)
  async sync(): Promise<void> {
    // the decorated method, within its call
    if (currentCall().target === 'Peers.sync') this.synced += 1;
  }
}

describe('hooks at work', () => {
  it('a connection has its policies, and comes back by itself when they let it', async () => {
    const world = await boot({ bulwark: {}, providers: [Peers] });
    const peers = world.app.get(Peers);
    const manager = world.app.get(RecoveryManager);
    const cut = async (): Promise<readonly string[]> =>
      (await manager.getRecoveryStatus()).partitions;

    const asked = manager.handleNetworkPartition('peers');
    await world.clock.advance(10);
    expect((await asked).connections).toMatchObject([{ outcome: 'failed', attempts: 1 }]);
    expect([peers.calls, await cut()]).toEqual([2, ['peers']]);

    peers.isUp = true;
    await world.clock.advance(30_000); // the circuit is open: an attempt that was refused
    expect([peers.calls, await cut()]).toEqual([2, ['peers']]);
    await world.clock.advance(60_000);
    expect([peers.calls > 2, peers.synced, await cut()]).toEqual([true, 1, []]);
    expect(actionsOf(manager).map((line) => line.split(':')[0])).toEqual([
      'network_partition|success|peers',
      'network_partition|failed|peers',
    ]);
  });

  it('an error is recovered from: remedy, reconnect, and the work again', async () => {
    const order: string[] = [];
    @Injectable()
    class Bank {
      private readonly name = 'bank';

      @Remedy('communication')
      forget({ component, error }: { component: string; error: { message: string } }): void {
        order.push(`${this.name} forgets ${component}: ${error.message}`);
      }

      @Reconnect('bank')
      connect(): void {
        order.push('connect');
      }
    }
    const world = await boot({ bulwark: {}, providers: [Bank] });
    const manager = world.app.get(RecoveryManager);
    const retry = (): string => (order.push('pay'), 'paid');
    const recovering = manager.recoverFromError(refused(), {
      serviceId: 'payments',
      operation: 'pay',
      retry,
    });
    await world.clock.advance(10_000);
    const recovery = await recovering;
    expect(recovery).toMatchObject({
      recovery_status: 'success',
      category: 'communication',
      strategy: ['remedy:Bank.forget', 'reconnect:bank', 'retry'],
      attempts: 1,
      result: 'paid',
    });
    expect(order).toEqual(['bank forgets payments.pay: connect ECONNREFUSED', 'connect', 'pay']);
    expect(world.app.get(ResilienceErrors).get(recovery.error_id)?.component).toBe('payments.pay');
  });

  it('checks of a provider see the state they are run within', async () => {
    const state = new AsyncLocalStorage<readonly number[]>();
    @Injectable()
    class Ledger {
      private readonly supply = 3;

      @IntegrityCheck('supply')
      *check(): Iterable<{ at: string; problem: string } | undefined> {
        for (const [i, amount] of state.getStore()!.entries())
          yield amount > this.supply
            ? { at: `block ${i}`, problem: `${amount} of ${this.supply}` }
            : undefined;
      }
    }
    const world = await boot({ bulwark: {}, providers: [Ledger] });
    const hooks = world.app.get(RecoveryHookRegistry);
    const { issues, checks } = await runChecks(hooks.checks, {
      clock: world.clock,
      timeout: 1_000,
      within: (step) => state.run([1, 4, 2, 5], step),
    });
    expect(checks).toEqual(['supply']);
    expect(issues).toEqual([
      { check: 'supply', at: 'block 1', problem: '4 of 3' },
      { check: 'supply', at: 'block 3', problem: '5 of 3' },
    ]);
  });

  it('invalid data is rejected and replaced', async () => {
    @Injectable()
    class Chain {
      readonly rejected: unknown[] = [];

      @OnInvalid('block', 'reject')
      reject(block: { height: number }): void {
        this.rejected.push(block.height);
      }

      @OnInvalid('block', 'request')
      async request(block: { height: number }): Promise<object> {
        return { height: block.height, isValid: true };
      }
    }
    const world = await boot({ bulwark: {}, providers: [Chain] });
    const manager = world.app.get(RecoveryManager);
    expect(await manager.handleInvalidBlock({ height: 7 })).toMatchObject({
      rejected: true,
      replacement: { height: 7, isValid: true },
      problems: [],
    });
    expect(world.app.get(Chain).rejected).toEqual([7]);
  });

  it('nothing goes on by itself in an application that was closed', async () => {
    const world = await boot({ bulwark: {}, providers: [Peers] });
    const peers = world.app.get(Peers);
    const manager = world.app.get(RecoveryManager);
    const asked = manager.handleNetworkPartition();
    await world.clock.advance(10);
    await asked;
    const { calls } = peers;
    await world.app.close();
    await world.clock.advance(600_000);
    expect(peers.calls).toBe(calls);
    await expect(manager.handleNetworkPartition()).rejects.toMatchObject({
      code: 'RECOVERY_SHUTTING_DOWN',
    });
  });

  it('what they say is redacted as the errors of the application are', async () => {
    const fail = (): never => {
      throw new Error('the king is in the cellar');
    };
    @Injectable()
    class Court {
      @Reconnect('court', { attempts: 1 })
      connect(): void {
        fail();
      }

      @Remedy('transient')
      heal(): void {
        fail();
      }

      @OnInvalid('transaction', 'reject')
      reject(): void {
        fail();
      }
    }
    const redact = (text: string): string => text.replaceAll('king', '***');
    const world = await boot({ bulwark: { errors: { log: { redact } } }, providers: [Court] });
    const manager = world.app.get(RecoveryManager);
    const { connections } = await manager.handleNetworkPartition();
    const { problems } = await manager.handleInvalidTransaction({});
    await manager.recoverFromError(new Error('hiccup'), { serviceId: 'court' });
    const said = JSON.stringify([connections, problems, manager.actions()]);
    expect(said.match(/the \*\*\* is/g)).toHaveLength(5);
    expect(said).not.toContain('king');
  });
});
