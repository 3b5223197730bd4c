import {
  type Forgetting,
  KeyedPolicies,
  type KeyLimits,
} from '../../../lib/pipeline/keyed-policies.js';
import { FakeClock } from '../../../lib/testing/index.js';

/** A policy whose worth a test decides. */
interface Thing {
  readonly key: string;
  idle: boolean;
  mayGo: boolean;
  mayExpire: boolean;
}

const forgetting: Forgetting<Thing> = {
  isIdle: ({ idle }) => idle,
  mayGo: ({ mayGo }) => mayGo,
  mayExpire: ({ mayExpire }) => mayExpire,
};

function keyed(limits: Partial<KeyLimits> = {}) {
  const clock = new FakeClock();
  let made = 0;
  const things = new KeyedPolicies<Thing>(
    'things',
    { maxKeys: 3, idleTtl: 1_000, ...limits },
    clock,
    (key) => {
      made += 1;
      return { key, idle: true, mayGo: true, mayExpire: true };
    },
    forgetting,
  );
  const use = (...keys: string[]): Thing => keys.map((key) => things.of(key).policy).at(-1)!;
  const keys = (): string[] => [...things.list()].map(([key]) => key);
  return { clock, things, use, keys, made: () => made };
}

it('makes one policy per key, named as all of them, and finds it again', () => {
  const { things, use, made } = keyed();

  expect(things.of('a')).toMatchObject({ name: 'things', policy: { key: 'a' } });
  expect(use('a')).toBe(use('a'));
  expect(use('b')).not.toBe(use('a'));
  expect(made()).toBe(2);
  expect(things.size).toBe(2);
});

it('looking makes nothing, and does not count as use', () => {
  const { things, use, keys } = keyed();
  use('a', 'b', 'c');

  expect(things.peek('x')).toBeUndefined();
  expect(things.peek('a')).toMatchObject({ key: 'a' });
  use('d');

  expect(keys()).toEqual(['b', 'c', 'd']);
});

it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])(
  'takes %j for a key like any other',
  (key) => {
    const { things, use } = keyed();
    expect(things.peek(key)).toBeUndefined();

    expect(use(key)).toBe(use(key));
    expect(use('other')).not.toBe(use(key));
    expect(things.peek(key)).toMatchObject({ key });
  },
);

describe('at the limit', () => {
  it('the key that was used longest ago goes', () => {
    const { things, use, keys } = keyed();
    use('a', 'b', 'c', 'a', 'd');

    expect(keys()).toEqual(['c', 'a', 'd']);
    expect(things).toMatchObject({ size: 3, evicted: 1 });
  });

  it('one that is not idle is passed over, as long as there is an idle one', () => {
    const { use, keys } = keyed();
    use('a').idle = false;
    use('b', 'c', 'd', 'e', 'f');

    expect(keys().toSorted()).toEqual(['a', 'e', 'f']);
  });

  it('where the idle one was used last of all, it alone goes', () => {
    const { things, use, keys } = keyed();
    for (const key of ['a', 'b']) use(key).idle = false;
    use('c', 'd');

    expect(keys().toSorted()).toEqual(['a', 'b', 'd']);
    expect(things.evicted).toBe(1);
  });

  it('of those that are not idle the one used longest ago goes', () => {
    const { things, use, keys } = keyed();
    for (const key of ['a', 'b', 'c']) use(key).idle = false;
    use('d');

    expect(keys()).toEqual(['b', 'c', 'd']);
    expect(things.evicted).toBe(1);
  });

  it('one that must not be forgotten stays beyond the limit, and goes when it may', () => {
    const { things, use, keys } = keyed();
    const busy = ['a', 'b', 'c', 'd', 'e'].map((key) =>
      Object.assign(use(key), { idle: false, mayGo: false }),
    );
    expect(things).toMatchObject({ size: 5, evicted: 0 });

    for (const thing of busy) Object.assign(thing, { idle: true, mayGo: true });
    use('f');

    expect(keys()).toEqual(['d', 'e', 'f']);
    expect(things).toMatchObject({ size: 3, evicted: 3 });
  });

  it('one that may go does, though another that must not was used before it', () => {
    const { use, keys } = keyed();
    Object.assign(use('a'), { idle: false, mayGo: false });
    use('b').idle = false;
    use('c').idle = false;
    use('d');

    expect(keys()).toEqual(['a', 'c', 'd']);
  });

  it('a lower limit is reached as new keys come', () => {
    const { things, use, keys } = keyed({ maxKeys: 10 });
    use(...'abcdefghij');
    things.limit({ maxKeys: 2, idleTtl: 1_000 });
    expect(things.size).toBe(10);
    use('a');
    expect(things.size).toBe(10);

    use('k');

    expect(keys()).toEqual(['a', 'k']);
  });

  it('a higher limit is used at once', () => {
    const { things, use } = keyed();
    use('a', 'b', 'c');
    things.limit({ maxKeys: 4, idleTtl: 1_000 });
    use('d');

    expect(things).toMatchObject({ size: 4, evicted: 0 });
  });

  it('a new key looks at a hundred others at most, and the next one at the next hundred', () => {
    const maxKeys = 1_000;
    const { things, use } = keyed({ maxKeys });
    let looks = 0;
    for (let i = 0; i < maxKeys; i += 1) {
      const thing = use(`busy${i}`);
      Object.defineProperty(thing, 'idle', {
        get: () => {
          looks += 1;
          return false;
        },
      });
      thing.mayGo = false;
    }
    things.peek('busy999')!.mayGo = true;

    use('new0');
    expect(looks).toBe(100);
    for (let i = 1; i < 10; i += 1) use(`new${i}`);

    expect(looks).toBe(1_000);
    expect(things.peek('busy999')).toBeUndefined();
  });
});

describe('after the idle time', () => {
  it('a key that nobody used is forgotten when a new one comes', async () => {
    const { clock, things, use, keys } = keyed({ maxKeys: 10 });
    use('a', 'b');
    await clock.advance(999);
    use('b', 'c');
    expect(keys()).toEqual(['a', 'b', 'c']);

    await clock.advance(1);
    use('d');

    expect(keys()).toEqual(['b', 'c', 'd']);
    expect(things.evicted).toBe(0);
  });

  it('one that may not expire stays, and those after it go', async () => {
    const { clock, use, keys } = keyed({ maxKeys: 10 });
    use('a').mayExpire = false;
    use('b');
    await clock.advance(1_000);
    use('c');

    expect(keys()).toEqual(['a', 'c']);
  });

  it('another idle time holds from now on', async () => {
    const { clock, things, use, keys } = keyed({ maxKeys: 10 });
    use('a');
    await clock.advance(500);
    things.limit({ maxKeys: 10, idleTtl: 500 });
    use('b');

    expect(keys()).toEqual(['b']);
  });

  it('a new key forgets a hundred at most: a crowd goes little by little', async () => {
    const { clock, things, use } = keyed({ maxKeys: 1_000 });
    for (let i = 0; i < 250; i += 1) use(`old${i}`);
    await clock.advance(1_000);

    const sizes = [1, 2, 3].map((i) => {
      use(`new${i}`);
      return things.size;
    });

    expect(sizes).toEqual([151, 52, 3]);
  });
});
