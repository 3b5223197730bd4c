import type { InvalidDataHook } from '../../../../lib/recovery/hooks.js';
import { InvalidData } from '../../../../lib/recovery/invalid/invalid-data.js';
import type {
  CorruptionOutcome,
  CorruptionReport,
} from '../../../../lib/recovery/recovery-report.js';
import { RecoveryError } from '../../../../lib/recovery/recovery.error.js';
import { FakeClock } from '../../../../lib/testing/fake-clock.js';
import { ActionBook } from '../action-book.js';

const hook = (
  kind: 'block' | 'transaction',
  step: 'reject' | 'request',
  run: (item: unknown) => unknown = () => {},
  from = `Node.${step}`,
): InvalidDataHook => ({ kind, step, from, run });

const mended = (result: CorruptionOutcome['result'], message = 'done'): CorruptionOutcome => ({
  isDryRun: false,
  result,
  message,
  issues: [],
  replayedCalls: 0,
  lostCalls: 0,
  handedBack: {},
  steps: [],
});

class World {
  readonly clock = new FakeClock();
  readonly actions = new ActionBook();
  readonly steps: unknown[] = [];
  isCorrupted: boolean | Error = false;
  outcome: CorruptionOutcome | Error = mended('fixed');
  readonly desk: InvalidData;

  constructor(readonly invalid: InvalidDataHook[]) {
    this.desk = new InvalidData({
      hooks: { invalid },
      corruption: {
        check: async () => {
          this.steps.push('check');
          if (this.isCorrupted instanceof Error) throw this.isCorrupted;
          return { isCorrupted: this.isCorrupted } as CorruptionReport;
        },
        handle: async (force) => {
          this.steps.push(['handle', force]);
          if (this.outcome instanceof Error) throw this.outcome;
          return this.outcome;
        },
      },
      actions: this.actions,
      clock: this.clock,
    });
  }
}

describe('an invalid block', () => {
  it('is rejected, has done no harm, and a valid one is asked for', async () => {
    const block = { height: 3 };
    const world: World = new World([
      hook('block', 'request', (item) => (world.steps.push(['request', item]), 'valid')),
      hook('block', 'reject', async (item) => void world.steps.push(['reject', item])),
      hook('transaction', 'reject', () => world.steps.push('not me')),
    ]);
    expect(await world.desk.handle('block', block)).toEqual({
      rejected: true,
      isCorrupted: false,
      replacement: 'valid',
      problems: [],
    });
    expect(world.steps).toEqual([['reject', block], 'check', ['request', block]]);
    expect(world.actions.lines).toEqual([
      'invalid_block|success|-|block: rejected; valid one received',
    ]);
  });

  it('that has done harm has the state mended, without losing calls, before a valid one is asked for', async () => {
    const world: World = new World([
      hook('block', 'reject'),
      hook('block', 'request', () => void world.steps.push('request')),
    ]);
    world.isCorrupted = true;
    expect(await world.desk.handle('block', {})).toEqual({
      rejected: true,
      isCorrupted: true,
      corruption: world.outcome,
      problems: [],
    });
    expect(world.steps).toEqual(['check', ['handle', false], 'request']);
    expect(world.actions.lines).toEqual(['invalid_block|success|-|block: rejected; state mended']);
  });

  it.each<[string, CorruptionOutcome | Error, string]>([
    ['is refused', mended('refused', '3 calls would be lost'), '3 calls would be lost'],
    ['fails', mended('failed', 'no way back'), 'no way back'],
    [
      'throws',
      new RecoveryError('RECOVERY_NO_STORE', 'no checkpoints'),
      'the state could not be mended: RecoveryError: no checkpoints',
    ],
  ])('and a state whose mending %s: no valid one is asked for', async (_, outcome, problem) => {
    const world: World = new World([
      hook('block', 'reject'),
      hook('block', 'request', () => world.steps.push('request')),
    ]);
    world.isCorrupted = true;
    world.outcome = outcome;
    const { rejected, isCorrupted, problems } = await world.desk.handle('block', {});
    expect([rejected, isCorrupted]).toEqual([true, true]);
    expect(problems).toEqual([problem, 'no valid one was asked for: the state is corrupted']);
    expect(world.steps).not.toContain('request');
    expect(world.actions.lines[0]).toMatch(
      /^invalid_block\|failed\|-\|block: rejected; state corrupted; /,
    );
  });

  it('and a state that cannot be checked: that is a problem, and a valid one is asked for', async () => {
    const world = new World([hook('block', 'reject'), hook('block', 'request', () => 'valid')]);
    world.isCorrupted = new RecoveryError('RECOVERY_BUSY', 'another one is under way');
    expect(await world.desk.handle('block', {})).toEqual({
      rejected: true,
      isCorrupted: false,
      replacement: 'valid',
      problems: ['the state could not be checked: RecoveryError: another one is under way'],
    });
  });

  it('asks one after the other, until somebody has a valid one', async () => {
    const asked: string[] = [];
    const ask = (name: string, answer: () => unknown): InvalidDataHook =>
      hook('block', 'request', () => (asked.push(name), answer()), name);
    const world = new World([
      hook('block', 'reject'),
      ask('first', () => undefined),
      ask('second', () => Promise.reject(new Error('no route'))),
      ask('third', async () => null),
      ask('fourth', () => 'never'),
    ]);
    const { replacement, problems } = await world.desk.handle('block', {});
    expect(replacement).toBeNull();
    expect(problems).toEqual(['second: Error: no route']);
    expect(asked).toEqual(['first', 'second', 'third']);
  });
});

describe('an invalid transaction', () => {
  it('is rejected, and nobody looks for harm', async () => {
    const world = new World([
      hook('transaction', 'reject'),
      hook('transaction', 'request', () => 7),
    ]);
    expect(await world.desk.handle('transaction', 'tx')).toEqual({
      rejected: true,
      isCorrupted: false,
      replacement: 7,
      problems: [],
    });
    expect(world.steps).toEqual([]);
    expect(world.actions.lines).toEqual([
      'invalid_transaction|success|-|transaction: rejected; valid one received',
    ]);
  });

  it('in a storm is noted once a minute', async () => {
    const world = new World([hook('transaction', 'reject')]);
    for (let i = 0; i < 100; i += 1) await world.desk.handle('transaction', i);
    expect(world.actions.lines).toHaveLength(1);
  });
});

describe.each(['block', 'transaction'] as const)('an invalid %s', (kind) => {
  it('that nobody rejects is not rejected, and the report says what is missing', async () => {
    const report = await new World([]).desk.handle(kind, {});
    expect(report).toEqual({
      rejected: false,
      isCorrupted: false,
      problems: [`nobody rejects it: no method has @OnInvalid('${kind}', 'reject')`],
    });
  });

  it.each<[string, () => unknown, string]>([
    ['throws', () => { throw new Error('no'); }, 'Node.reject: Error: no'], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('no')), 'Node.reject: Error: no'],
    ['answers false', () => false, 'Node.reject: answered false'],
    ['hangs', () => new Promise(() => {}), 'Node.reject: took longer than 10000 ms'],
    ['tells a secret', () => { throw new Error('api_key=hunter2secret'); }, 'Node.reject: Error: api_key='], // prettier-ignore
  ])(
    'where a hook %s is not rejected; the others are run all the same',
    async (_, run, problem) => {
      let others = 0;
      const other = (): void => void (others += 1);
      const world = new World([
        hook(kind, 'reject', run),
        hook(kind, 'reject', other, 'Other.reject'),
      ]);
      const handled = world.desk.handle(kind, {});
      await world.clock.advance(10_000);
      const { rejected, problems } = await handled;
      expect([rejected, problems.length, others]).toEqual([false, 1, 1]);
      expect(problems[0]).toContain(problem);
      expect(JSON.stringify([problems, world.actions.lines])).not.toContain('hunter2secret');
      expect(world.actions.lines[0]).toContain(`invalid_${kind}|failed|-|${kind}: not rejected; `);
      expect(world.clock.pending).toBe(0);
    },
  );
});
