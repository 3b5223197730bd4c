import {
  BulkheadFullError,
  BulkheadReentrancyError,
} from '../../../../lib/policies/bulkhead/bulkhead-full.error.js';
import { Bulkhead, type Ticket } from '../../../../lib/policies/bulkhead/bulkhead.js';

/** A bulkhead whose grants are written down. */
function watched(options: ConstructorParameters<typeof Bulkhead>[0]): {
  bulkhead: Bulkhead;
  granted: string[];
  join: (name: string, priority?: number) => Ticket | undefined;
} {
  const bulkhead = new Bulkhead(options);
  const granted: string[] = [];
  return {
    bulkhead,
    granted,
    join: (name, priority) => bulkhead.join(() => granted.push(name), priority),
  };
}

describe('slots and queue', () => {
  it('hands a freed slot to the head of the queue in the same step', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 1, maxQueue: 2 });
    bulkhead.enter();
    join('first');
    join('second');

    bulkhead.release();

    expect(granted).toEqual(['first']);
    expect(bulkhead.enter()).toBe(false);
    expect(bulkhead.snapshot()).toMatchObject({ running: 1, queued: 1 });
  });

  it('leaving twice, or after the grant, does nothing', () => {
    const { bulkhead, join } = watched({ maxConcurrent: 1, maxQueue: 2 });
    bulkhead.enter();
    const ticket = join('leaves')!;
    bulkhead.leave(ticket);
    bulkhead.leave(ticket);
    const granted = join('stays')!;
    bulkhead.release();
    bulkhead.leave(granted);

    expect(bulkhead.snapshot()).toMatchObject({ running: 1, queued: 0 });
  });

  it('says what it has, from the first moment on', () => {
    expect(new Bulkhead({}).snapshot()).toEqual({
      running: 0,
      queued: 0,
      orphaned: 0,
      maxConcurrent: 10,
      maxQueue: 10,
      utilisation: 0,
      peak: 0,
      refused: 0,
      reclaimed: 0,
      version: 1,
    });
  });

  it('remembers the most that ever ran at once, by entering or by a grant', () => {
    const { bulkhead, join } = watched({ maxConcurrent: 4, maxQueue: 4 });
    for (let i = 0; i < 3; i += 1) bulkhead.enter();
    for (let i = 0; i < 3; i += 1) bulkhead.release();
    expect(bulkhead.snapshot()).toMatchObject({ running: 0, peak: 3, utilisation: 0 });

    for (let i = 0; i < 4; i += 1) bulkhead.enter();
    for (let i = 0; i < 2; i += 1) join('waits');
    bulkhead.reconfigure({ maxConcurrent: 6 });

    expect(bulkhead.snapshot()).toMatchObject({ running: 6, peak: 6, utilisation: 1 });
  });

  it('#72 a release too many frees nothing that is not taken', () => {
    const bulkhead = new Bulkhead({ maxConcurrent: 1 });
    bulkhead.enter();
    bulkhead.release();
    bulkhead.release();

    expect(bulkhead.snapshot().running).toBe(0);
    expect(bulkhead.enter()).toBe(true);
    expect(bulkhead.enter()).toBe(false);
  });

  it('may be forgotten when nobody runs or waits', () => {
    const { bulkhead, join } = watched({ maxConcurrent: 1, maxQueue: 1 });
    expect(bulkhead.isIdle).toBe(true);
    bulkhead.enter();
    expect(bulkhead.isIdle).toBe(false);
    join('waits');
    bulkhead.release();
    expect(bulkhead.isIdle).toBe(false);
    bulkhead.release();
    expect(bulkhead.isIdle).toBe(true);
  });

  it('#77 a million refusals keep nothing and capture no stack', () => {
    const bulkhead = new Bulkhead({ maxConcurrent: 1, maxQueue: 0 });
    bulkhead.enter();
    let refused = 0;
    for (let i = 0; i < 1_000_000; i += 1) if (bulkhead.refuses()) refused += 1;

    expect(refused).toBe(1_000_000);
    expect(bulkhead.snapshot()).toMatchObject({ refused: 1_000_000, queued: 0 });
    expect(new BulkheadFullError('A.b', 1, 0).stack).not.toContain('    at ');
  });

  it('asking whether it refuses is counted once, and only if it does', () => {
    const { bulkhead, join } = watched({ maxConcurrent: 1, maxQueue: 1 });
    bulkhead.enter();

    expect(bulkhead.refuses()).toBe(false);
    expect(join('waits')).toBeDefined();
    expect(bulkhead.refuses()).toBe(true);
    expect(join('too many')).toBeUndefined();

    expect(bulkhead.snapshot()).toMatchObject({ queued: 1, refused: 2 });
  });
});

describe('priority', () => {
  it('the highest goes first, in order of arrival within one', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 1 });
    bulkhead.enter();
    join('low');
    join('high', 9);
    join('middle', 4);
    join('high too', 9);
    join('low too', 0);

    for (let i = 0; i < 5; i += 1) bulkhead.release();

    expect(granted).toEqual(['high', 'high too', 'middle', 'low', 'low too']);
  });

  it('#75 a hundred of one priority start in order of arrival', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 1, maxQueue: 100 });
    bulkhead.enter();
    const names = Array.from({ length: 100 }, (_, i) => `${i}`);
    for (const name of names) join(name, 3);

    for (const _ of names) {
      bulkhead.release();
      expect(bulkhead.enter()).toBe(false); // a newcomer
    }

    expect(granted).toEqual(names);
  });

  it('#74 in a full queue a higher newcomer is refused, not somebody who was accepted', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 1, maxQueue: 1 });
    bulkhead.enter();
    join('accepted');

    expect(join('higher', 9)).toBeUndefined();
    bulkhead.release();

    expect(granted).toEqual(['accepted']);
  });

  it('a place left in a priority is nobody: the next one is found', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 1 });
    bulkhead.enter();
    const gone = join('gone', 9)!;
    join('stays', 2);
    bulkhead.leave(gone);
    bulkhead.release();

    expect(granted).toEqual(['stays']);
  });
});

describe('orphans', () => {
  it('#80 a slot held too long is another call’s, and the late end gives nothing back', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 1, maxQueue: 1 });
    bulkhead.enter();
    join('next');

    bulkhead.orphan();
    expect(granted).toEqual(['next']);
    expect(bulkhead.snapshot()).toMatchObject({ running: 1, orphaned: 1, reclaimed: 1 });

    bulkhead.orphanEnded();
    expect(bulkhead.snapshot()).toMatchObject({ running: 1, orphaned: 0, reclaimed: 1 });
    expect(bulkhead.hasRoom).toBe(false);
  });

  it('#80 two hung calls in a bulkhead of two: both slots come back', () => {
    const bulkhead = new Bulkhead({ maxConcurrent: 2 });
    bulkhead.enter();
    bulkhead.enter();

    bulkhead.orphan();
    bulkhead.orphan();

    expect([bulkhead.enter(), bulkhead.enter(), bulkhead.enter()]).toEqual([true, true, false]);
    expect(bulkhead.snapshot()).toMatchObject({ running: 2, orphaned: 2, peak: 2 });
  });

  it('without a running call there is nothing to orphan, and no orphan ends twice', () => {
    const bulkhead = new Bulkhead({ maxConcurrent: 1 });
    bulkhead.orphan();
    bulkhead.orphanEnded();

    expect(bulkhead.snapshot()).toMatchObject({ running: 0, orphaned: 0, reclaimed: 0 });
  });
});

describe('reconfigure', () => {
  it('new slots go to the queue at once, in its order', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 1, maxQueue: 5 });
    bulkhead.enter();
    for (const name of ['a', 'b', 'c']) join(name);

    bulkhead.reconfigure({ maxConcurrent: 3, maxQueue: 5 });

    expect(granted).toEqual(['a', 'b']);
    expect(bulkhead.version).toBe(2);
    expect(bulkhead.snapshot()).toMatchObject({ running: 3, queued: 1, version: 2 });
  });

  it('fewer slots: who runs ends, and nobody starts until there are few enough', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 3, maxQueue: 5 });
    for (let i = 0; i < 3; i += 1) bulkhead.enter();
    join('waits');

    bulkhead.reconfigure({ maxConcurrent: 1, maxQueue: 5 });
    expect(bulkhead.snapshot()).toMatchObject({ running: 3, utilisation: 3 });
    bulkhead.release();
    bulkhead.release();
    expect(granted).toEqual([]);
    expect(bulkhead.enter()).toBe(false);
    bulkhead.release();

    expect(granted).toEqual(['waits']);
    expect(bulkhead.snapshot()).toMatchObject({ running: 1, queued: 0 });
  });

  it('#74 a shorter queue keeps who is in it and refuses who comes', () => {
    const { bulkhead, granted, join } = watched({ maxConcurrent: 1, maxQueue: 3 });
    bulkhead.enter();
    for (const name of ['a', 'b', 'c']) join(name);

    bulkhead.reconfigure({ maxConcurrent: 1, maxQueue: 1 });
    expect(join('d')).toBeUndefined();
    for (let i = 0; i < 3; i += 1) bulkhead.release();

    expect(granted).toEqual(['a', 'b', 'c']);
  });

  it('an option that is not given is its default again', () => {
    const bulkhead = new Bulkhead({
      maxConcurrent: 1,
      maxQueue: 1,
      queueTimeout: 50,
      maxHold: false,
    });
    expect(bulkhead.queueTimeout).toBe(50);
    expect(bulkhead.maxHold).toBe(false);

    bulkhead.reconfigure({});

    expect(bulkhead.queueTimeout).toBeUndefined();
    expect(bulkhead.maxHold).toBeUndefined();
    expect(bulkhead.snapshot()).toMatchObject({ maxConcurrent: 10, maxQueue: 10 });
  });
});

it('#79 a call that would wait for itself is told so', () => {
  const error = new BulkheadReentrancyError('A.b');

  expect(error).toMatchObject({
    name: 'BulkheadReentrancyError',
    message: 'bulkhead A.b: a call inside it may not wait for another place in it',
    code: 'BULKHEAD_REENTRANCY',
    policy: 'bulkhead',
    target: 'A.b',
    status: 503,
  });
  expect(error.retryAfter).toBeUndefined();
});
