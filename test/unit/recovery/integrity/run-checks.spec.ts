import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { CheckAnswer, IntegrityCheckHook } from '../../../../lib/recovery/hooks.js';
import {
  type CheckFindings,
  type CheckRun,
  runChecks,
} from '../../../../lib/recovery/integrity/run-checks.js';
import { FakeClock, settle } from '../../../../lib/testing/fake-clock.js';

const check = (run: (signal: AbortSignal) => unknown, name = 'supply'): IntegrityCheckHook => ({
  name,
  from: `Ledger.${name}`,
  run: run as () => CheckAnswer,
});

const run = (
  checks: readonly IntegrityCheckHook[],
  more: Partial<CheckRun> = {},
): Promise<CheckFindings> =>
  runChecks(checks, { clock: new FakeClock(), timeout: 60_000, ...more });

const found = async (run: Promise<CheckFindings>): Promise<string[]> =>
  (await run).issues.map(({ check, at, problem }) => `${check}|${at ?? '-'}|${problem}`);

describe('checks answer', () => {
  it.each<[string, (signal: AbortSignal) => CheckAnswer]>([
    ['an array', () => ['a', { at: 'block 3', problem: 'b' }]],
    ['a promise', async () => new Set(['a', { at: 'block 3', problem: 'b' }])],
    [
      'a generator',
      function* () {
        yield 'a';
        yield undefined;
        yield { at: 'block 3', problem: 'b' };
      },
    ],
    [
      'an async generator',
      async function* () {
        yield 'a';
        await Promise.resolve();
        yield { at: 'block 3', problem: 'b' };
      },
    ],
  ])('%s of issues', async (_, answer) => {
    expect(await found(run([check(answer)]))).toEqual(['supply|-|a', 'supply|block 3|b']);
  });

  it('one after the other, in their order, with how long it took', async () => {
    const clock = new FakeClock();
    const order: string[] = [];
    const findings = run(
      ['first', 'second'].map((name) =>
        check(async () => {
          order.push(`${name} begins`);
          await new Promise<void>((resolve) => clock.schedule(resolve, 20));
          order.push(`${name} ends`);
          return name === 'first' ? [] : ['x'];
        }, name),
      ),
      { clock },
    );
    await clock.advance(20);
    expect(order).toEqual(['first begins', 'first ends']);
    await turn();
    await clock.advance(20);
    await turn();

    expect(await findings).toEqual({
      issues: [{ check: 'second', problem: 'x' }],
      issueCount: 1,
      checks: ['first', 'second'],
      duration: 40,
    });
    expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
    expect(clock.pending).toBe(0);
  });

  it('places that are words, and no others', async () => {
    const answer = (): unknown => [5, '', null, {}].map((at) => ({ at, problem: 'a' }));
    const { issues } = await run([check(answer)]);
    expect(issues).toEqual(Array.from({ length: 4 }, () => ({ check: 'supply', problem: 'a' })));
  });

  it('at most 1,000 issues are kept, and all are counted', async () => {
    function* many(): Iterable<string> {
      for (let i = 0; i < 2_500; i += 1) yield `issue ${i}`;
    }
    const { issues, issueCount } = await run([check(many)]);
    expect([issues.length, issueCount, issues[999]!.problem]).toEqual([1_000, 2_500, 'issue 999']);
  });

  it('what they say is bounded, on one line, and without secrets', async () => {
    const problem = `no answer\nfrom postgres://me:hunter2secret@db/x ${'x'.repeat(5_000)}`;
    const { issues } = await run([check(() => [{ at: `block\n${'y'.repeat(500)}`, problem }])]);
    expect(issues[0]!.problem).not.toMatch(/hunter2secret|\n/);
    expect(issues[0]!.problem.length).toBeLessThanOrEqual(500);
    expect(issues[0]!.at).toMatch(/^block\\u000a/);
    expect(issues[0]!.at!.length).toBeLessThanOrEqual(200);
  });

  it('through the function that redacts for the application', async () => {
    const { issues } = await run([check(() => ['the king is dead'])], {
      clean: (text) => text.replace('king', '***'),
    });
    expect(issues[0]!.problem).toBe('the *** is dead');
  });
});

describe('a check that could not be run is an issue, and the others run', () => {
  const hostile = new Proxy({}, { get: () => { throw new Error('hands off'); } }); // prettier-ignore
  it.each<[string, () => unknown, string]>([
    ['throws', () => { throw new Error('no disk'); }, 'check could not be run: Error: no disk'], // prettier-ignore
    [
      'rejects',
      () => Promise.reject(new Error('no disk')),
      'check could not be run: Error: no disk',
    ],
    ['throws no error', () => { throw undefined; }, 'check could not be run: undefined'], // prettier-ignore
    [
      'answers nothing',
      () => undefined,
      'check could not be run: it answered undefined, expected a list of issues',
    ],
    [
      'answers words',
      () => 'broken',
      'check could not be run: it answered "broken", expected a list of issues',
    ],
    [
      'answers true',
      async () => true,
      'check could not be run: it answered true, expected a list of issues',
    ],
    [
      'answers an object',
      () => ({}),
      'check could not be run: it answered an object, expected a list of issues',
    ],
    [
      'answers a number',
      () => [5],
      'check could not be run: it answered 5, expected words or { at, problem }',
    ],
    [
      'answers null',
      () => [null],
      'check could not be run: it answered null, expected words or { at, problem }',
    ],
    [
      'answers no words',
      () => [''],
      'check could not be run: it answered "", expected words or { at, problem }',
    ],
    [
      'answers no problem',
      () => [{ at: 'x' }],
      'check could not be run: it answered an object, expected words or { at, problem }',
    ],
    ['answers what cannot be read', () => hostile, 'check could not be run: Error: hands off'],
    ['lists what cannot be read', () => [hostile], 'check could not be run: Error: hands off'],
    [
      'iterates nonsense',
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => 5 }) }),
      'check could not be run: TypeError: its iterator answered 5',
    ],
    ['has no iterator', () => ({ [Symbol.iterator]: () => undefined }), ''],
  ])('because it %s', async (_, answer, expected) => {
    const { issues, checks: ran } = await run([
      check(answer, 'bad'),
      check(() => ['fine'], 'good'),
    ]);
    expect(ran).toEqual(['bad', 'good']);
    expect(issues.map(({ check }) => check)).toEqual(['bad', 'good']);
    expect(issues[0]!.problem).toContain(
      expected === '' ? 'check could not be run: TypeError' : expected,
    );
    expect(issues.at(-1)).toEqual({ check: 'good', problem: 'fine' });
  });

  it('with what it had found before', async () => {
    const findings = run([
      check(function* () {
        yield 'a';
        throw new Error('then');
      }),
    ]);
    expect(await found(findings)).toEqual([
      'supply|-|a',
      'supply|-|check could not be run: Error: then',
    ]);
  });
});

describe('#157 a long check blocks nobody', () => {
  it.each<[string, (clock: FakeClock) => Iterable<undefined> | AsyncIterable<undefined>]>([
    [
      'generator',
      function* (clock) {
        for (let i = 0; i < 1_000; i += 1) {
          clock.jump(1);
          yield undefined;
        }
      },
    ],
    [
      'async generator',
      async function* (clock) {
        for (let i = 0; i < 1_000; i += 1) {
          clock.jump(1);
          yield undefined;
        }
      },
    ],
    [
      'list',
      (clock) => ({
        *[Symbol.iterator]() {
          for (let i = 0; i < 1_000; i += 1) {
            clock.jump(1);
            yield undefined;
          }
        },
      }),
    ],
  ])('by a %s: others get their turn after each 10 ms', async (_, records) => {
    const clock = new FakeClock();
    const turns: number[] = [];
    await run([check(() => records(clock))], {
      clock,
      breathe: async () => void turns.push(clock.now()),
    });
    expect(turns).toHaveLength(90);
    expect(turns.map((at, i) => at - turns[0]! - 11 * i)).toEqual(turns.map(() => 0));
  });

  it('and by default it is a turn of the event loop', async () => {
    const clock = new FakeClock();
    let turns = 0;
    const count = (): void => {
      turns += 1;
      other = setImmediate(count);
    };
    let other = setImmediate(count);
    const seen: number[] = [];
    await run(
      [
        check(function* () {
          for (let i = 0; i < 50; i += 1) {
            seen.push(turns);
            clock.jump(11);
            yield undefined;
          }
        }),
      ],
      { clock },
    );
    clearImmediate(other);
    expect(seen).toEqual(seen.map((_, i) => i));
  });

  it('between two checks that cannot be interrupted, too', async () => {
    const clock = new FakeClock();
    const steps: string[] = [];
    const slow = (name: string): IntegrityCheckHook =>
      // oxlint-disable-next-line require-yield -- its last step is its first
      check(function* () {
        clock.jump(11);
        steps.push(name);
      }, name);
    await run([slow('first'), slow('second'), slow('third')], {
      clock,
      breathe: async () => void steps.push('others'),
    });
    expect(steps).toEqual(['first', 'others', 'second', 'others', 'third', 'others']);
  });

  it('short checks are not interrupted', async () => {
    const breathe = (): Promise<void> => Promise.reject(new Error('no need to'));
    const { issueCount } = await run([check(() => ['a']), check(() => ['b'], 'x')], { breathe });
    expect(issueCount).toBe(2);
  });
});

describe('a run that nobody wants any more', () => {
  it.each<[string, (signal: AbortSignal) => unknown]>([
    ['hangs', () => new Promise(() => {})],
    [
      'hangs between two issues',
      async function* () {
        yield 'a';
        await new Promise(() => {});
        yield 'b';
      },
    ],
    [
      'never ends',
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    ],
  ])('ends at its timeout, though a check %s, and says where it was', async (_, hang) => {
    const clock = new FakeClock();
    const running = run([check(() => [], 'first'), check(hang, 'second')], { clock });
    const ended = running.catch((error: unknown) => error);
    await clock.advance(59_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);

    expect(await ended).toMatchObject({
      name: 'RecoveryError',
      code: 'RECOVERY_ABORTED',
      message: 'the check for corruption took longer than 60000 ms, at "second"',
    });
    expect(clock.pending).toBe(0);
  });

  it('ends at its timeout where the checks never let a timer fire', async () => {
    const clock = new FakeClock();
    const running = run(
      [
        check(function* () {
          for (;;) {
            clock.jump(30_000);
            yield undefined;
          }
        }),
      ],
      { clock, breathe: async () => {} },
    );
    await expect(running).rejects.toMatchObject({ code: 'RECOVERY_ABORTED' });
  });

  it('ends when its signal aborts; the check hears of it, generators clean up, and no other begins', async () => {
    const heard: string[] = [];
    const caller = new AbortController();
    const running = run(
      [
        check(async function* (signal) {
          signal.addEventListener('abort', () => heard.push('abort'));
          try {
            yield 'a';
            caller.abort();
            yield 'b';
            yield 'c';
          } finally {
            heard.push('clean-up');
          }
        }),
        check(() => {
          heard.push('next');
          return [];
        }),
      ],
      { signal: caller.signal },
    );
    await expect(running).rejects.toMatchObject({
      code: 'RECOVERY_ABORTED',
      message: 'the check for corruption was ended by whoever asked for it, at "supply"',
    });
    await settle();
    expect(heard).toEqual(['abort', 'clean-up']);
  });

  it('a generator whose clean-up throws, or is no method, harms nobody', async () => {
    const ends: unknown[] = [
      () => { throw new Error('x'); }, // prettier-ignore
      () => Promise.reject(new Error('x')),
      5,
    ];
    for (const end of ends) {
      const clock = new FakeClock();
      const next = (): unknown => new Promise(() => {});
      const running = run([check(() => ({ [Symbol.asyncIterator]: () => ({ next, return: end }) }))], { clock }); // prettier-ignore
      const ended = running.catch((error: unknown) => error);
      await clock.advance(60_000);
      expect(await ended).toMatchObject({ code: 'RECOVERY_ABORTED' });
    }
    await turn();
  });

  it('does not begin where the signal has aborted before', async () => {
    let began = false;
    const begin = (): string[] => ((began = true), []);
    const running = run([check(begin)], { signal: AbortSignal.abort() });
    await expect(running).rejects.toMatchObject({ code: 'RECOVERY_ABORTED' });
    expect(began).toBe(false);
  });

  it('leaves no timer and no listener behind, and what comes late is ignored', async () => {
    const clock = new FakeClock();
    const caller = new AbortController();
    let fail: (error: Error) => void = () => {};
    const late = check(() => new Promise((_, reject) => (fail = reject)));
    const running = run([late], { clock, signal: caller.signal }).catch((e: unknown) => e);
    await settle();
    caller.abort();
    expect(await running).toMatchObject({ code: 'RECOVERY_ABORTED' });
    fail(new Error('late'));
    await turn();
    expect([clock.pending, getEventListeners(caller.signal, 'abort')]).toEqual([0, []]);
  });

  it('a run that was whole has told every check by then that nobody waits any more', async () => {
    let heard: AbortSignal | undefined;
    await run([check((signal) => ((heard = signal), []))]);
    expect(heard!.reason).toEqual(new Error('the checks are over'));
  });
});

describe('what checks see', () => {
  it('is what they are run within: each step, each answer, and what an async one goes on to', async () => {
    const view = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const look = (): void => void seen.push(view.getStore());
    const list = (): Iterable<undefined> => ({
      [Symbol.iterator]: () => {
        look();
        let i = 0;
        return { next: () => (look(), { done: (i += 1) > 1, value: undefined }) };
      },
    });
    const checks = [
      check(() => (look(), [{ get problem() { return (look(), 'x'); } }])), // prettier-ignore
      check(async () => (look(), await Promise.resolve(), look(), [])),
      check(function* () {
        look();
        yield 'a';
        look();
      }),
      check(async function* () {
        look();
        await Promise.resolve();
        look();
        yield 'a';
        look();
      }),
      check(list),
    ];
    await run(checks, { within: (step) => view.run('the state', step) });
    expect(seen).toEqual(Array.from({ length: 12 }, () => 'the state'));
  });

  it('a state that cannot be shown is an issue of each check', async () => {
    const within = (): never => {
      throw new Error('no such state');
    };
    expect(await found(run([check(() => [])], { within }))).toEqual([
      'supply|-|check could not be run: Error: no such state',
    ]);
  });
});
