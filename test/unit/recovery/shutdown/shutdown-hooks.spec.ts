import type { ShutdownHook } from '../../../../lib/recovery/hooks.js';
import { runShutdownHooks } from '../../../../lib/recovery/shutdown/shutdown-hooks.js';
import { FakeClock } from '../../../../lib/testing/index.js';

let clock: FakeClock;
let said: string[];
beforeEach(() => {
  clock = new FakeClock();
  said = [];
});

function hook(
  name: string,
  dependsOn: string[] = [],
  run: ShutdownHook['run'] = () => {},
): ShutdownHook {
  return {
    name,
    from: `Service.${name}`,
    dependsOn,
    run: async (reason, signal) => {
      said.push(`${name} begins`);
      await run(reason, signal);
      said.push(`${name} ends`);
    },
  };
}

const takes = (span: number) => (): Promise<void> =>
  new Promise((resolve) => void clock.schedule(resolve, span));
const never = (): Promise<never> => new Promise(() => {});

async function all(hooks: readonly ShutdownHook[]): Promise<string[]> {
  const problems = runShutdownHooks(hooks, 'SIGTERM', clock);
  await clock.advance(60_000);
  return problems;
}

it('what depends on something ends before that begins to, in whatever order they come', async () => {
  const [store, outbox, server] = [
    hook('store', [], takes(10)),
    hook('outbox', ['store'], takes(20)),
    hook('server', ['outbox', 'store'], takes(5)),
  ];
  const inOrder = ['server', 'outbox', 'store'].flatMap((n) => [`${n} begins`, `${n} ends`]);
  for (const hooks of [
    [store, outbox, server],
    [server, store, outbox],
  ]) {
    said = [];
    await expect(all(hooks)).resolves.toEqual([]);
    expect(said).toEqual(inOrder);
  }
});

it('those that have nothing to do with each other run side by side', async () => {
  await all([hook('a', [], takes(10)), hook('b', [], takes(5))]);

  expect(said).toEqual(['a begins', 'b begins', 'b ends', 'a ends']);
});

it('one that fails, however it does, keeps no other from its turn', async () => {
  const throwing: ShutdownHook = {
    ...hook('sync', ['last']),
    run: () => {
      throw new Error('at once');
    },
  };
  const odd: ShutdownHook = {
    ...hook('odd', ['last']),
    run: () => Promise.reject(undefined as unknown as Error),
  };
  const problems = await all([
    hook('last'),
    throwing,
    odd,
    hook('late', ['last'], () => Promise.reject(new Error('password=hunter2\nsecond line'))),
  ]);

  expect(said.at(-1)).toBe('last ends');
  expect(problems).toEqual([
    expect.stringContaining('shutdown hook sync of Service.sync failed: at once'),
    expect.stringContaining('shutdown hook odd of Service.odd failed'),
    expect.stringContaining('shutdown hook late of Service.late failed'),
  ]);
  expect(problems.join('')).not.toMatch(/hunter2|\n/);
});

it('one that never ends is left behind after five seconds, and its signal says so', async () => {
  let signal!: AbortSignal;
  const hanging = hook('hanging', ['last'], (_, given) => {
    signal = given;
    return never();
  });
  const problems = runShutdownHooks([hanging, hook('last')], 'SIGTERM', clock);
  await clock.advance(4_999);
  expect([said, signal.aborted]).toEqual([['hanging begins'], false]);
  await clock.advance(1);

  await expect(problems).resolves.toEqual([expect.stringContaining('timeout of 5000 ms')]);
  expect(said).toEqual(['hanging begins', 'last begins', 'last ends']);
  expect(signal.aborted).toBe(true);
  expect(clock.pending).toBe(0);
});

it('is told the reason', async () => {
  let told: unknown;
  await all([hook('a', [], (reason) => (told = reason))]);

  expect(told).toBe('SIGTERM');
});

it('a circle, which the boot refuses, keeps nobody from ending', async () => {
  await expect(all([hook('a', ['b']), hook('b', ['a']), hook('c', ['c'])])).resolves.toEqual([]);
  expect(said.filter((line) => line.endsWith('ends'))).toHaveLength(3);
});
