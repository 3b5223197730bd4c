import { CheckpointEngine } from '../../../lib/checkpoint/engine/checkpoint-engine.js';
import { DurableList } from '../../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import type { CheckpointStore } from '../../../lib/checkpoint/checkpoint-store.js';
import { MemoryCheckpointStore } from '../../../lib/checkpoint/stores/memory-checkpoint-store.js';
import type { EventBody } from '../../../lib/kernel/event.js';
import { ActionLog } from '../../../lib/recovery/actions/action-log.js';
import { Backups } from '../../../lib/recovery/backups/backups.js';
import { Corruption } from '../../../lib/recovery/corruption/corruption.js';
import type { ParticipantHook } from '../../../lib/recovery/hooks.js';
import { OperationLock } from '../../../lib/recovery/operation-lock.js';
import type { IntegrityIssue } from '../../../lib/recovery/recovery-report.js';
import type { Custody, RunChecks } from '../../../lib/recovery/state-custody.js';
import { Verdict } from '../../../lib/recovery/verdict.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { run } from '../checkpoint/world.js';

/** Accounts whose money is never more nor less; and a log of who moved some. */
export class Bank {
  readonly balances = new DurableMap<string, number>([
    ['a', 100],
    ['b', 0],
  ]);
  readonly log = new DurableList<string>();

  sum(): number {
    return [...this.balances.values()].reduce((total, balance) => total + balance, 0);
  }

  issues(): IntegrityIssue[] {
    const sum = this.sum();
    return sum === 100 ? [] : [{ check: 'supply', at: 'balances', problem: `they hold ${sum}` }];
  }

  describeState(): { moves: number } {
    return { moves: this.log.length };
  }
}

/** Everything that takes care of a bank's state. */
export class Vault {
  readonly clock = new FakeClock();
  readonly events: EventBody[] = [];
  readonly participants: ParticipantHook[] = [];
  readonly lock = new OperationLock();
  readonly bank = new Bank();
  readonly engine: CheckpointEngine;
  readonly actions: ActionLog;
  readonly backups: Backups;
  readonly corruption: Corruption;
  /** What checks are made of beside that of the bank. */
  extra: () => readonly IntegrityIssue[] = () => [];
  checked = 0;

  constructor(readonly store: CheckpointStore) {
    const emit = (event: EventBody): void => void this.events.push(event);
    this.engine = new CheckpointEngine({ store, clock: this.clock, emit, verify: false });
    const report = (error: unknown): void => {
      throw error;
    };
    this.actions = new ActionLog({ clock: this.clock, emit, report, max: 100 });
    const { engine, clock, actions, lock, participants } = this;
    const custody: Custody = {
      engine,
      clock,
      actions,
      lock,
      verdict: new Verdict(),
      participants,
      runChecks: (options) => this.runChecks(options),
      breathe: async () => {},
    };
    this.backups = new Backups({
      ...custody,
      retention: { maxBackups: 3 },
      primary: () => 'bank',
      pathOf: ({ id }) => `named/${id}`,
    });
    this.corruption = new Corruption(custody, () => this.backups.retain());
  }

  static async open(store: CheckpointStore = new MemoryCheckpointStore()): Promise<Vault> {
    const vault = new Vault(store);
    await vault.engine.open();
    const options = { name: 'bank', primary: true };
    vault.engine.bind(vault.bank, { options, durable: ['balances', 'log'], label: 'Bank' });
    await vault.engine.ready();
    return vault;
  }

  move(amount: number, id = 'move'): Promise<void> {
    const { bank } = this;
    return run(bank, () => {
      bank.balances.update('a', (balance) => balance! - amount);
      bank.balances.update('b', (balance) => balance! + amount);
      bank.log.push(id);
    });
  }

  /** A call that does what it must not. */
  forge(amount: number): Promise<void> {
    const { bank } = this;
    return run(bank, () => {
      bank.balances.update('b', (balance) => balance! + amount);
      bank.log.push('forged');
    });
  }

  /** Behind everybody's back. */
  rot(amount: number): void {
    this.bank.balances.published.entries.set('b', amount);
  }

  get content(): unknown {
    return [[...this.bank.balances], this.bank.log.slice()];
  }

  statuses(): string[] {
    return this.actions
      .list(100)
      .toReversed()
      .map(({ type, status }) => `${type} ${status}`);
  }

  private async runChecks({
    within = (look) => look(),
    signal,
  }: Parameters<RunChecks>[0]): ReturnType<RunChecks> {
    this.checked += 1;
    signal?.throwIfAborted();
    const issues = within(() => [...this.bank.issues(), ...this.extra()]);
    return { issues, issueCount: issues.length, checks: ['supply'], duration: 0 };
  }
}
