// The same program with the engine (notes are taken) and without: nobody is to see a difference.
import type { ResilienceEvent } from '../../lib/kernel/event.js';
import type { PolicySet } from '../../lib/pipeline/policy-set.js';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import { currentCall } from '../../lib/pipeline/current-call.js';
import { seededRandom, settle } from '../../lib/testing/index.js';
import { World } from '../unit/pipeline/world.js';

type Dice = (n: number) => number;
const pick = <T>(upTo: Dice, list: readonly T[]): T => list[upTo(list.length)]!;

function policies(upTo: Dice, limited: number): PolicySet {
  const some = <T>(share: number, make: () => T): T | undefined =>
    upTo(100) < share ? make() : undefined;
  const optional = (o: object): object =>
    Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));
  return optional({
    circuitBreaker: some(75, () =>
      optional({
        failureThreshold: some(60, () => 1 + upTo(3)),
        ...some(30, () => ({ failureRate: 0.5, minimumCalls: 3 })),
        ...some(30, () => ({ slowCallDuration: 20, slowCallRate: 0.5, minimumCalls: 3 })),
        openFor: pick(upTo, [50, 100]),
        openJitter: 0,
        window: pick(upTo, [undefined, { calls: 20 }, 1_000]),
        mode: pick(upTo, ['enforce', 'enforce', 'shadow']),
        gradualClose: some(20, () => true),
        key: some(25, () => (args: unknown) => String(args)),
        maxKeys: some(50, () => 2),
        ignore: some(20, () => [RangeError]),
        isFailure: some(30, () =>
          pick<unknown>(upTo, [
            (s: { ok: boolean }) => !s.ok,
            ({ ok, value }: { ok: boolean; value?: number }) => !ok || value! % 2 === 0,
            () => {
              throw new Error('gotcha');
            },
          ]),
        ),
        name: some(30, () => 'shared'),
        successThreshold: some(40, () => 1),
      }),
    ),
    retry: some(40, () => ({
      maxAttempts: 1 + upTo(3),
      delay: 10,
      jitter: 'none',
      ...(upTo(2) === 0 ? { budget: { ratio: 0.4, minimum: 0 } } : {}),
      ...(upTo(5) === 0 ? { messageId: (id: unknown) => String(id) } : {}),
    })),
    bulkhead: some(40, () =>
      optional({
        maxConcurrent: 1 + upTo(3),
        maxQueue: upTo(3),
        key: some(25, () => (args: unknown) => String(args)),
        maxHold: some(40, () => pick(upTo, [false, 45])),
      }),
    ),
    rateLimit: some(25, () =>
      optional({
        limit: 1 + upTo(4),
        per: pick(upTo, [20, 100]),
        maxWait: pick(upTo, [undefined, 30]),
        key: some(25, () => (args: unknown) => String(args)),
        maxKeys: some(50, () => 2),
      }),
    ),
    fallback: some(25, () =>
      pick<object>(upTo, [
        { value: 'instead' },
        { handler: (e: unknown) => Promise.reject(e) },
        [
          {
            handler: (e: object) => {
              Object.assign(e, { status: 404 });
              throw e;
            },
          },
          { value: 'last' },
        ],
      ]),
    ),
    timeLimit: some(limited, () => pick(upTo, [30, 30, 100])),
  }) as PolicySet;
}

interface Seen {
  readonly left: { readonly inFlight: number };
  readonly [what: string]: unknown;
}

const kinds = [
  () => new Error('down'),
  () => Object.assign(new Error('x'), { code: 'ECONNRESET' }),
  () => new RangeError('r'),
  () => new TypeError('t'),
  () => Object.assign(new Error('no'), { status: 404 }),
  () => Object.assign(new Error('a'), { name: 'AbortError' }),
  () => undefined,
  () => 'text',
];

const shown = (e: unknown): unknown =>
  e instanceof Error
    ? {
        ...e,
        name: e.name,
        message: e.message,
        cause: undefined,
        stack: undefined,
        attempts: undefined,
      }
    : e;

function letGo(holds: (() => void)[]): void {
  for (const hold of holds.splice(0)) hold();
}

async function run(seed: number, trace: boolean): Promise<Seen> {
  const random = seededRandom(seed);
  const upTo: Dice = (n) => Math.floor(random() * n);
  const world = new World({ trace, sample: [0, 1, 3][upTo(3)]! });
  const failed: unknown[] = [];
  world.runtime.env.errors = {
    failed: (r: {
      classification: unknown;
      attempt: number;
      target: string;
      messageId?: unknown;
    }) => void failed.push([r.target, r.attempt, r.classification, r.messageId]),
  } as never;
  const log: unknown[] = [];
  const shared = new Error('shared');
  const cutOff = upTo(3) === 0;
  const targets = ['A', 'B'].map((name) => {
    // the end of an application finds the calls without a limit only where they have an engine
    const given = policies(upTo, cutOff ? 100 : 50);
    try {
      return world.target(name, given);
    } catch {
      // the other has a breaker of that name with other options
      return world.target(name, { circuitBreaker: { failureThreshold: 1 }, timeLimit: 30 });
    }
  });
  const { registry } = world.runtime;
  const release: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  let id = 0;
  for (let step = 0; step < 40; step += 1) {
    switch (upTo(12)) {
      case 0:
        await world.clock.advance(pick(upTo, [1, 10, 30, 60, 1_000]));
        if (upTo(4) === 0) world.clock.jump(pick(upTo, [10, 25, 60])); // a blocked event loop
        break;
      case 1:
        waiting.splice(upTo(waiting.length), 1)[0]?.();
        await settle();
        break;
      case 2: {
        const name = pick(upTo, ['A', 'B']);
        const patch = pick<object>(upTo, [
          { circuitBreaker: { failureThreshold: 2, slowCallDuration: 15 } },
          { circuitBreaker: false },
          { circuitBreaker: { mode: 'shadow' } },
          { circuitBreaker: { mode: 'enforce' } },
          { bulkhead: { maxConcurrent: 1 } },
          { bulkhead: false },
          { retry: false },
          { retry: { maxAttempts: 2, delay: 5 } },
          { fallback: false },
          { timeLimit: 15 },
          { rateLimit: { limit: 2 } },
          { rateLimit: false },
          { bulkhead: { maxHold: 20 } },
        ]);
        try {
          world.runtime.reconfigure(name, patch as never);
          log.push('patched');
        } catch (e) {
          log.push(String(e));
        }
        break;
      }
      case 3: {
        const list = registry.breakers.list();
        const one = list[upTo(list.length)];
        if (one === undefined) break;
        const control = registry.breakers.control(one.name)!;
        const how = upTo(5);
        if (how === 0) release.push(control.isolate('x'));
        else if (how === 1) release.push(control.disable('x'));
        else if (how === 2) control.open(40);
        else if (how === 3) control.reset();
        else letGo(release);
        break;
      }
      case 4:
        if (upTo(6) === 0 && !cutOff) world.runtime.setEnabled(upTo(2) === 0);
        break;
      default: {
        const target = pick(upTo, targets);
        const me = (id += 1);
        const plan = Array.from({ length: 4 }, () => [upTo(10), upTo(kinds.length)] as const);
        let attempt = 0;
        const key = pick(upTo, ['k', 'l', 'm']);
        const looks = upTo(2) === 0;
        const method = (): Promise<unknown> => {
          const [how, kind] = plan[Math.min(attempt, 3)]!;
          attempt += 1;
          const context = currentCall();
          const { attempt: n, target: t, deadline } = context;
          log.push(['start', me, n, t, deadline, context.remaining()]);
          if (looks) {
            const { signal } = context;
            const aborted = (): unknown =>
              log.push(['aborted', me, n, shown(signal.reason), context.remaining()]);
            signal.addEventListener('abort', aborted);
          }
          const error = kinds[kind]!();
          if (how < 3) return Promise.resolve(me);
          if (how === 3) throw error;
          if (how === 4) return { then: (ok: (v: unknown) => void) => ok(me) } as never;
          if (how === 5) return Promise.reject(shared);
          if (how < 8) return Promise.reject(error);
          return new Promise((resolve, reject) =>
            waiting.push(how === 8 ? () => resolve(me) : () => reject(error)),
          );
        };
        void runPromise(target, method, undefined, [key]).then(
          (v) => log.push(['good', me, v]),
          (e) => log.push(['bad', me, shown(e)]),
        );
        await settle();
      }
    }
  }
  if (cutOff) {
    world.runtime.drain();
    await world.clock.advance(pick(upTo, [0, 10, 40]));
    world.runtime.close();
    world.runtime.cut();
    await settle();
  }
  letGo(release);
  for (let i = 0; i < 10; i += 1) {
    while (waiting.length > 0) {
      waiting.pop()!();
      await settle();
    }
    await world.clock.advance(5_000);
  }
  const counters = ['A', 'B'].map((name) => {
    const { latency, ...c } = world.runtime.pipeline(name)!.counters as never as Record<
      string,
      unknown
    >;
    return { ...c, timed: (latency as { report(): object }).report() };
  });
  const left = {
    inFlight: world.runtime.inFlight,
    budgets: targets.map(({ pipeline }) => [pipeline.budget?.calls, pipeline.budget?.retries]),
    bulkheads: registry.bulkheads
      .list()
      .map((b) => [b.name, registry.bulkheads.reader(b.name)!.snapshot()]),
    rateLimits: targets.map(({ pipeline }) => pipeline.lane.rateLimit?.policy.snapshot()),
    pending: world.clock.pending,
  };
  const of = (line: unknown): number => (Array.isArray(line) ? (line[1] as number) : 0);
  return {
    log: log.toSorted((a, b) => of(a) - of(b)),
    failed,
    counters,
    left,
    breakers: registry.breakers.list().map((b) => registry.breakers.reader(b.name)!.snapshot()),
    events: world.events.map((e: ResilienceEvent) => ({
      ...e,
      error: shown((e as { error?: unknown }).error),
    })),
  };
}

/** JSON with what JSON leaves out. */
const text = (seen: object): string =>
  JSON.stringify(seen, (_key, value: unknown) => (value === undefined ? 'undefined' : value), 1);

it('a program of calls ends the same whether calls have an engine or not', async () => {
  for (let seed = 1; seed <= Number(process.env['PROGRAMS'] ?? 200); seed += 1) {
    const direct = await run(seed, false);
    expect(direct.left.inFlight).toBe(0);
    expect([seed, text(direct)]).toEqual([seed, text(await run(seed, true))]);
  }
});
