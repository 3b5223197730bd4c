import fc from 'fast-check';
import type { Waiter } from '../../lib/kernel/waiting-line.js';
import { RateLimit } from '../../lib/policies/rate-limit/rate-limit.js';

interface Config {
  readonly limit: number;
  readonly per: number;
  readonly burst: number;
  readonly maxWait: number;
}

/** Time goes in eighths of a millisecond, money in parts so small that all reckoning is in whole numbers. */
const TICKS = 8n;
const PARTS = 1n << 40n;

/** A bucket that is filled drop by drop, and a list of who waits: whole numbers only. */
class NaiveBucket {
  queue: number[] = [];
  served: { id: number; at: bigint }[] = [];
  refused = 0;
  private level: bigint;

  constructor(
    private o: Config,
    private now: bigint,
  ) {
    this.level = this.full;
  }

  private get price(): bigint {
    return BigInt(this.o.per) * TICKS * PARTS;
  }

  private get full(): bigint {
    return BigInt(this.o.burst) * this.price;
  }

  private get flow(): bigint {
    return BigInt(this.o.limit) * PARTS;
  }

  pass(ticks: bigint): void {
    this.now += ticks;
    this.fill(ticks * this.flow);
  }

  enter(id: number): number {
    if (this.queue.length === 0 && this.level >= this.price) {
      this.start(id);
      return 0;
    }
    const missing = BigInt(this.queue.length + 1) * this.price - this.level;
    if (missing <= BigInt(this.o.maxWait) * TICKS * this.flow) {
      return Math.max(1, this.wholeMs(missing));
    }
    this.refused += 1;
    return -this.wholeMs(missing);
  }

  get nextTurn(): number | undefined {
    return this.queue.length === 0 ? undefined : Math.max(0, this.wholeMs(this.price - this.level));
  }

  get available(): number {
    return this.queue.length > 0 ? 0 : Number(this.level / this.price);
  }

  serve(): void {
    while (this.queue.length > 0 && this.level >= this.price) this.start(this.queue.shift()!);
  }

  reconfigure(o: Config): void {
    const debt = this.full - this.level;
    const before = this.price;
    this.o = o;
    const kept = (debt * this.price) / before;
    this.level = kept > this.full ? 0n : this.full - kept;
    this.serve();
  }

  private start(id: number): void {
    this.level -= this.price;
    this.served.push({ id, at: this.now });
  }

  private fill(drops: bigint): void {
    this.level = this.level + drops > this.full ? this.full : this.level + drops;
  }

  private wholeMs(missing: bigint): number {
    if (missing <= 0n) return 0;
    const perMs = TICKS * this.flow;
    return Number((missing + perMs - 1n) / perMs);
  }
}

const tick = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
  { weight: 1, arbitrary: fc.constant(8 * 3_600_000 * 8) },
);
const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('enter' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ticks: tick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('serve' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
);
const anyConfig: fc.Arbitrary<Config> = fc.record({
  limit: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constantFrom(999_983, 1_000_000)),
  per: fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constant(86_400_000)),
  burst: fc.integer({ min: 1, max: 8 }),
  maxWait: fc.constantFrom(0, 1, 50, 1_000, 86_400_000),
});
/** Of powers of two, which the machine divides exactly: so the twins must agree to the last bit. */
const exactConfig: fc.Arbitrary<Config> = fc.record({
  limit: fc.constantFrom(1, 2, 8, 64),
  per: fc.constantFrom(1, 16, 256, 1_024),
  burst: fc.integer({ min: 1, max: 8 }),
  maxWait: fc.constantFrom(0, 1, 50, 1_000),
});

type Act =
  | (typeof act extends fc.Arbitrary<infer A> ? A : never)
  | { readonly do: 'reconfigure'; readonly options: Config };

/** Runs both twins side by side; answers when calls started. */
function run(config: Config, acts: readonly Act[]): bigint[] {
  let now = 4_096n * TICKS;
  const clock = (): number => Number(now) / Number(TICKS);
  const limit = new RateLimit(config);
  const twin = new NaiveBucket(config, now);
  const served: { id: number; at: bigint }[] = [];
  const waiters = new Map<number, Waiter>();
  let entered = 0;
  let left = 0;
  for (const a of acts) {
    if (a.do === 'wait') {
      now += BigInt(a.ticks);
      twin.pass(BigInt(a.ticks));
    }
    if (a.do === 'enter') {
      entered += 1;
      const id = entered;
      const answer = limit.enter(clock());
      expect(answer).toBe(twin.enter(id));
      if (answer === 0) served.push({ id, at: now });
      if (answer > 0) {
        waiters.set(
          id,
          limit.join(() => served.push({ id, at: now })),
        );
        twin.queue.push(id);
      }
    }
    if (a.do === 'serve') {
      limit.serve(clock());
      twin.serve();
    }
    if (a.do === 'leave' && twin.queue.length > 0) {
      const [leaver] = twin.queue.splice(a.which % twin.queue.length, 1);
      left += 1;
      limit.leave(waiters.get(leaver!)!);
    }
    if (a.do === 'reconfigure') {
      limit.reconfigure(a.options, clock());
      twin.reconfigure(a.options);
    }
    const seen = limit.snapshot(clock());
    expect(served).toEqual(twin.served);
    expect(limit.nextTurn(clock())).toBe(twin.nextTurn);
    expect(seen).toMatchObject({
      available: twin.available,
      waiting: twin.queue.length,
      admitted: twin.served.length,
      refused: twin.refused,
    });
    expect(seen.admitted + seen.refused + seen.waiting + left).toBe(entered);
  }
  return served.map(({ at }) => at);
}

it('equals an exact bucket in every answer and every turn, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(anyConfig, fc.array(act, { maxLength: 120 }), (config, acts) => {
      run(config, acts);
    }),
    { numRuns: 1_000 },
  );
});

it('in any span of time t at most burst + t × limit / per calls start', () => {
  fc.assert(
    fc.property(anyConfig, fc.array(act, { maxLength: 120 }), (config, acts) => {
      const starts = run(config, acts);
      const { limit, per, burst } = config;
      for (let i = 0; i < starts.length; i += 1) {
        for (let j = i; j < starts.length; j += 1) {
          const over = BigInt(j - i + 1 - burst) * BigInt(per) * TICKS;
          if (over > (starts[j]! - starts[i]!) * BigInt(limit)) {
            throw new Error(`${j - i + 1} calls in ${starts[j]! - starts[i]!} ticks`);
          }
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

it('equals it also while it is reconfigured', () => {
  const change = fc.record({ do: fc.constant('reconfigure' as const), options: exactConfig });
  const acts = fc.array(fc.oneof({ weight: 8, arbitrary: act }, { weight: 1, arbitrary: change }), {
    maxLength: 120,
  });
  fc.assert(
    fc.property(exactConfig, acts, (config, steps) => {
      run(config, steps);
    }),
    { numRuns: 1_000 },
  );
});
