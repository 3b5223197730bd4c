import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ResilienceModule } from 'nestjs-bulwark';
import { FakeClock, MemoryCheckpointStore } from 'nestjs-bulwark/testing';
import {
  BankingStage,
  type Receipt,
} from '../../../../sample/banking-stage/src/banking/banking-stage.js';
import { Chain } from '../../../../sample/banking-stage/src/chain/chain.js';
import { FeesClient } from '../../../../sample/banking-stage/src/fees/fees.client.js';
import type { Quote } from '../../../../sample/banking-stage/src/fees/quote.js';
import { Integrity } from '../../../../sample/banking-stage/src/integrity/integrity.js';
import { Ledger } from '../../../../sample/banking-stage/src/ledger/ledger.js';
import { Mempool } from '../../../../sample/banking-stage/src/mempool/mempool.js';
import { AcceptedOrders } from '../../../../sample/banking-stage/src/recovery/accepted-orders.js';
import { NodeSettings, SETTINGS_DEFAULTS } from '../../../../sample/banking-stage/src/settings.js';
import type { Transaction } from '../../../../sample/banking-stage/src/transaction/transaction.js';
import { CHECKPOINTS, type Checkpoints } from '../../../../lib/nest/checkpoint/checkpoints.js';
import { RecoveryHookRegistry } from '../../../../lib/nest/recovery/recovery-hooks.js';
import { ActionLog } from '../../../../lib/recovery/actions/action-log.js';
import { Backups } from '../../../../lib/recovery/backups/backups.js';
import { Corruption } from '../../../../lib/recovery/corruption/corruption.js';
import { runChecks } from '../../../../lib/recovery/integrity/run-checks.js';
import { OperationLock } from '../../../../lib/recovery/operation-lock.js';
import type { Custody } from '../../../../lib/recovery/state-custody.js';
import { Verdict } from '../../../../lib/recovery/verdict.js';
import { alice, bob, carol, pay, validator } from '../people.js';

const CLEARED: Quote = { fee: 1, verdict: 'cleared' };

/** A node without HTTP and without a remote service, which keeps its state and can recover it. */
export async function recoveryWorld() {
  const clock = new FakeClock();
  const store = new MemoryCheckpointStore({ clock });
  const settings: NodeSettings = {
    ...SETTINGS_DEFAULTS,
    upstreamUrl: 'none',
    dataDirectory: 'the store',
    allocations: [alice, bob].map(({ address }) => ({ owner: address, amount: 100_000 })),
    validator: validator.address,
  };
  @Module({})
  class World {}
  const app = await Test.createTestingModule({
    imports: [
      ResilienceModule.forRoot({ health: false, recovery: false, checkpoint: { store } }),
      {
        module: World,
        providers: [
          { provide: NodeSettings, useValue: settings },
          { provide: FeesClient, useValue: { quote: async () => CLEARED } },
          ...[Ledger, Mempool, Chain, BankingStage, Integrity, AcceptedOrders],
        ],
      },
    ],
  }).compile();
  await app.init();
  const of = <T>(type: new (...args: never[]) => T): T => app.get(type, { strict: false });
  const world = {
    banking: of(BankingStage),
    ledger: of(Ledger),
    mempool: of(Mempool),
    chain: of(Chain),
  };
  const { engine } = app.get<Checkpoints>(CHECKPOINTS, { strict: false });
  const desks = desksOf(engine!, of(RecoveryHookRegistry), clock);
  return { ...world, ...desks, clock, app, engine: engine!, integrity: of(Integrity) };
}

function desksOf(
  engine: NonNullable<Checkpoints['engine']>,
  hooks: RecoveryHookRegistry,
  clock: FakeClock,
) {
  const report = (error: unknown): void => {
    throw error;
  };
  const custody: Custody = {
    engine,
    clock,
    actions: new ActionLog({ clock, emit: () => {}, report, max: 100 }),
    lock: new OperationLock(),
    verdict: new Verdict(),
    participants: hooks.participants,
    runChecks: ({ within, signal }) =>
      runChecks(hooks.checks, {
        clock,
        timeout: 60_000,
        ...(within && { within }),
        ...(signal && { signal }),
      }),
    breathe: async () => {},
  };
  const backups = new Backups({
    ...custody,
    retention: { maxBackups: 2 },
    primary: () => 'chain',
    pathOf: ({ id }) => id,
  });
  return { backups, corruption: new Corruption(custody, () => backups.retain()) };
}

export type RecoveryWorld = Awaited<ReturnType<typeof recoveryWorld>>;

/** Three blocks with payments to and fro, a backup among them, and two pending. */
export async function busyRecoveryWorld(): Promise<RecoveryWorld> {
  const world = await recoveryWorld();
  for (const height of [1, 2, 3]) {
    await accepted(world, pay(alice, bob, 10 * height), height % 3);
    await accepted(world, pay(bob, carol, 5 * height));
    await world.banking.produceBlock(height);
    if (height === 2) await world.backups.create('early');
  }
  await accepted(world, pay(alice, bob, 7));
  await accepted(world, pay(bob, carol, 9));
  return world;
}

/** On the quote of a service that is not there. */
export function accepted({ banking }: RecoveryWorld, sent: Transaction, fee = 1): Promise<Receipt> {
  const verdict = fee === 2 ? 'provisional' : 'cleared';
  return banking.accept(sent, { fee, verdict });
}
