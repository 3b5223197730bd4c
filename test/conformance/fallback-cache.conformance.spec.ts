import { UnauthorizedException } from '@nestjs/common';
import type { FallbackCacheOptions, FallbackPlan, FallbackUsed } from 'nestjs-bulwark';
import { concat, EMPTY, Observable, of, throwError } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { type Face, FACES, Gate, itCanLeave, onEveryFace, Stage } from '../support/stage.js';

const down = (): Promise<never> => Promise.reject(new Error('down'));
const answering = (value: unknown) => (): Promise<unknown> => Promise.resolve(value);

/** A stage whose calls are those of `caller`; undefined: of nobody that is known. */
class CachedStage extends Stage {
  constructor(
    face: Face,
    readonly who: { caller: string | undefined } = { caller: 'alice' },
    cache: Partial<FallbackCacheOptions> = {},
    rest: FallbackPlan = [],
  ) {
    const first = { cache: { ttl: 1_000, key: () => who.caller, ...cache } };
    super(face, { fallback: [first, ...(rest as [])] });
  }

  get used(): FallbackUsed[] {
    return this.events.filter((event) => event.type === 'fallback-used');
  }

  get snapshot() {
    return this.pipeline.fallback!.snapshot();
  }
}

onEveryFace((face) => {
  it('the last good answer is given when the method fails, by identity, with its age', async () => {
    const stage = new CachedStage(face);
    const answer = { id: 1 };
    await stage.run(answering({ id: 0 }));
    await stage.run(answering(answer));
    await stage.clock.advance(400);

    const call = await stage.run(down);

    expect(call.value).toBe(answer);
    expect(call.values).toEqual([answer]);
    expect(stage.used).toEqual([
      expect.objectContaining({ target: 'Controller.handle', kind: 'cache', age: 400 }),
    ]);
    expect(stage.pipeline.counters.degraded).toBe(1);
  });

  it('within its time to live only; then the caller gets the error of the method', async () => {
    const stage = new CachedStage(face);
    await stage.run(answering(1));
    await stage.clock.advance(1_000);
    const error = new Error('down');

    const call = await stage.run(() => Promise.reject(error));

    expect(call.error).toBe(error);
    expect(stage.eventTypes()).toEqual([]);
  });

  it('#81 Bob never gets the answer of Alice', async () => {
    const who = { caller: 'alice' as string | undefined };
    const stage = new CachedStage(face, who);
    await stage.run(answering("Alice's profile"));

    who.caller = 'bob';
    expect((await stage.run(down)).error.message).toBe('down');
    who.caller = undefined;
    expect((await stage.run(down)).error.message).toBe('down');
    await stage.run(answering('nobody’s profile'));
    expect((await stage.run(down)).error.message).toBe('down');
    who.caller = 'alice';
    expect((await stage.run(down)).value).toBe("Alice's profile");
  });

  it('#81 a call keeps the key it came with, whoever the caller is when it ends', async () => {
    const who = { caller: 'alice' as string | undefined };
    const stage = new CachedStage(face, who);
    const gate = new Gate();
    const failing = new Gate();
    const alices = stage.call(gate.work);
    const alicesToo = stage.call(failing.work);
    await stage.run(answering('known'));

    who.caller = 'bob';
    gate.resolve("Alice's profile");
    await stage.clock.advance(0);
    expect(alices.value).toBe("Alice's profile");
    expect((await stage.run(down)).error.message).toBe('down');

    failing.reject(new Error('down'));
    await stage.clock.advance(0);
    expect(alicesToo.value).toBe("Alice's profile");
  });

  it('degraded answers are not kept', async () => {
    const stage = new CachedStage(face, undefined, {}, [{ value: 'degraded' }]);

    expect((await stage.run(down)).value).toBe('degraded');
    expect((await stage.run(down)).value).toBe('degraded');
    expect(stage.used.map(({ kind }) => kind)).toEqual(['value', 'value']);
    expect(stage.snapshot.entries).toBe(0);
  });

  it('an answer given again is not kept again: it does not live longer', async () => {
    const stage = new CachedStage(face);
    await stage.run(answering(1));
    await stage.clock.advance(900);
    expect((await stage.run(down)).value).toBe(1);
    await stage.clock.advance(100);

    expect((await stage.run(down)).error.message).toBe('down');
  });

  it.each([undefined, null, 0, ''])('%p is an answer like any other', async (value) => {
    const stage = new CachedStage(face, undefined, {}, [{ value: 'none' }]);
    await stage.run(answering(value));

    expect((await stage.run(down)).values).toEqual([value]);
  });

  it('#85 hides no refusal of access', async () => {
    const stage = new CachedStage(face);
    await stage.run(answering('secret'));
    const error = new UnauthorizedException();

    expect((await stage.run(() => Promise.reject(error))).error).toBe(error);
  });

  it('#82 a key that cannot be made costs the call nothing, and is reported', async () => {
    const stage = new CachedStage(face, undefined, {
      key: () => {
        throw new Error('key broke');
      },
    });

    expect((await stage.run(answering(1))).value).toBe(1);
    expect((await stage.run(down)).error.message).toBe('down');
    expect(stage.events).toEqual([
      expect.objectContaining({ type: 'predicate-failed', option: 'cache.key' }),
      expect.objectContaining({ type: 'predicate-failed', option: 'cache.key' }),
    ]);
  });

  it('is bounded, by number', async () => {
    const who = { caller: '' as string | undefined };
    const stage = new CachedStage(face, who, { maxEntries: 2 });
    for (const caller of ['a', 'b', 'c']) {
      who.caller = caller;
      await stage.run(answering(caller));
    }

    expect(stage.snapshot.entries).toBe(2);
    expect((await stage.run(down)).value).toBe('c');
    who.caller = 'a';
    expect((await stage.run(down)).error.message).toBe('down');
  });

  it('the answer of an attempt that came too late is not kept', async () => {
    const stage = new Stage(face, {
      fallback: { cache: { ttl: 1_000, key: () => 'all' } },
      timeLimit: 100,
    });
    const gate = new Gate();
    const call = stage.call(gate.work);
    await stage.clock.advance(100);
    gate.resolve('late');
    await stage.clock.advance(0);

    expect(call.error.name).toBe('CallTimeoutError');
    expect(stage.pipeline.fallback!.snapshot().entries).toBe(0);
    expect((await stage.run(down)).error.message).toBe('down');
  });

  it('the answer of a later attempt is kept', async () => {
    const stage = new Stage(face, {
      fallback: { cache: { ttl: 1_000, key: () => 'all' } },
      retry: { maxAttempts: 2, delay: 10, jitter: 'none' },
    });
    stage.call(() => (stage.executions === 1 ? down() : Promise.resolve('second')));
    await stage.clock.advance(10);
    const failed = stage.call(down);
    await stage.clock.advance(10);

    expect(failed.value).toBe('second');
  });

  itCanLeave(face, 'the answer to a caller who left is not kept', async () => {
    const stage = new CachedStage(face);
    const gate = new Gate();
    stage.call(gate.work).cancel();
    gate.resolve('late');
    await stage.clock.advance(0);

    expect(stage.snapshot.entries).toBe(0);
  });

  it('calls, degraded answers and failures are counted once each', async () => {
    const broken = (): never => {
      throw new Error('fallback broke');
    };
    const stage = new CachedStage(face, undefined, {}, [
      { alternative: [broken, broken], on: 'EX' },
    ]);
    await stage.run(answering(1));
    await stage.clock.advance(200);
    await stage.run(down); // from the cache
    stage.pipeline.fallback!.keep('alice', 1);
    await stage.clock.advance(1_000);
    await stage.run(down); // nobody stands in
    const { error } = await stage.run(() =>
      Promise.reject(Object.assign(new Error('x'), { code: 'EX' })),
    );

    expect(error.message).toBe('fallback broke');
    expect(stage.snapshot).toMatchObject({
      calls: 4,
      answered: 1,
      failed: 1,
      share: 1 / 4,
      cacheAge: 200,
      lastUsedAt: stage.clock.epoch() - 1_000,
    });
  });

  it('calls that need no engine are counted too', async () => {
    const stage = new Stage(face, { fallback: { value: 1 } });
    await stage.succeed(3);
    await stage.fail(1);

    expect(stage.pipeline.fallback!.snapshot()).toMatchObject({
      calls: 4,
      answered: 1,
      share: 0.25,
    });
  });
});

describe('of a stream', () => {
  const [observable] = FACES.filter(({ name }) => name === 'observable');
  const open = (stage: Stage, make: () => Observable<unknown>): unknown[] => {
    const seen: unknown[] = [];
    runObservable(stage.target, make, undefined, []).subscribe({
      next: (value) => seen.push(value),
      error: () => seen.push('error'),
      complete: () => seen.push('end'),
    });
    return seen;
  };
  const failing = (): Observable<unknown> => throwError(() => new Error('down'));

  it('a single value is kept when it completes', () => {
    const stage = new CachedStage(observable!);
    open(stage, () => of(1));

    expect(open(stage, failing)).toEqual([1, 'end']);
  });

  it.each<[string, () => Observable<unknown>]>([
    ['several values', () => of(1, 2)],
    ['no value', () => EMPTY],
    ['a value and then an error', () => concat(of(1), failing())],
    ['a value and no end yet', () => new Observable((s) => s.next(1))],
  ])('%s are not kept', (_, make) => {
    const stage = new CachedStage(observable!);
    open(stage, make);

    expect(stage.snapshot.entries).toBe(0);
    expect(open(stage, failing)).toEqual(['error']);
  });

  it('a key function that makes its caller leave keeps the method from being called', () => {
    let calls = 0;
    const teardown: (() => void)[] = [];
    const stage = new CachedStage(observable!, undefined, {
      key: () => {
        for (const leave of teardown) leave();
        return 'all';
      },
    });
    const source = runObservable(stage.target, () => of((calls += 1)), undefined, []);
    new Observable<unknown>((subscriber) => {
      teardown.push(() => subscriber.unsubscribe());
      source.subscribe(subscriber);
    }).subscribe();

    expect(calls).toBe(0);
  });
});
