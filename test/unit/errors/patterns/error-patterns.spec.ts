import { ErrorPatterns } from '../../../../lib/errors/patterns/error-patterns.js';
import type { Finding } from '../../../../lib/errors/patterns/finding.js';
import type { PatternInput } from '../../../../lib/errors/patterns/pattern-input.js';
import type { ErrorPatternsOptions } from '../../../../lib/errors/patterns/patterns.options.js';
import { ResilienceConfigError } from '../../../../lib/kernel/check.js';

const START = 1_000_000;

/** Patterns with a clock, and what they told. */
class World {
  now = START;
  readonly told: string[] = [];
  readonly findings: Finding[] = [];
  readonly patterns: ErrorPatterns;

  constructor(options: ErrorPatternsOptions = {}) {
    this.patterns = new ErrorPatterns(
      options,
      (finding, phase) => {
        this.told.push(`${phase} ${finding.kind} ${finding.component ?? '-'}`);
        if (phase === 'raised') this.findings.push(finding);
      },
      START,
    );
  }

  fail(times = 1, input: Partial<PatternInput> = {}): void {
    for (let i = 0; i < times; i += 1) {
      this.patterns.failed({
        component: 'Fees.quote',
        fingerprint: 'v1:a',
        category: 'dependency',
        configuration: false,
        now: this.now,
        ...input,
      });
    }
  }

  /** Lets seconds pass, with something in each, and a look at the end of each. */
  pass(seconds: number, each: () => void = () => {}): void {
    for (let i = 0; i < seconds; i += 1) {
      this.now += 1_000;
      each();
      this.patterns.tick(this.now);
    }
  }

  observe(calls: number, failures: number, component = 'Fees.quote'): void {
    this.patterns.observe(component, calls, failures, this.now);
  }

  /** What was told since the last time. */
  news(): string[] {
    return this.told.splice(0);
  }
}

describe('a persistent failure', () => {
  it('is raised once by ten failures within 60 s without a success, and ended by a success', () => {
    const world = new World();
    world.pass(9, () => world.fail(1, { port: 'fees' }));
    expect(world.news()).toEqual([]);

    world.pass(20, () => world.fail(1, { port: 'fees' }));
    expect(world.news()).toContain('raised persistent Fees.quote');
    expect(world.findings.find(({ kind }) => kind === 'persistent')).toEqual({
      kind: 'persistent',
      component: 'Fees.quote',
      port: 'fees',
      category: 'dependency',
      since: START + 1_000,
      count: 10,
      details: { failures: 10, within: 9_000 },
    });

    world.patterns.succeeded('Fees.quote', world.now);
    world.pass(1);
    expect(world.news()).toEqual(['ended persistent Fees.quote']);
  });

  it('may take the whole window, and is not ended by more failures', () => {
    const world = new World({ minimumErrors: 1_000, persistentFailures: 2 });
    world.pass(1, () => world.fail());
    world.pass(59);
    world.pass(1, () => {
      world.fail();
      world.observe(1, 1);
    });
    expect(world.news()).toEqual(['raised persistent Fees.quote']);

    world.pass(1, () => {
      world.fail(3);
      world.observe(3, 3);
    });
    expect(world.news()).toEqual([]);
    world.pass(1, () => {
      world.fail(3);
      world.observe(4, 3);
    });
    expect(world.news()).toEqual(['ended persistent Fees.quote']);
  });

  it('may have its last failure up to a window ago', () => {
    const world = new World({ minimumErrors: 1_000 });
    world.fail(10);
    world.now += 59_000;
    world.pass(1);

    expect(world.news()).toEqual(['raised persistent Fees.quote']);
  });

  it('needs all of them within the window', () => {
    const world = new World({ minimumErrors: 1_000 });
    for (let i = 0; i < 30; i += 1) {
      world.fail(1, { fingerprint: `v1:${i}` });
      world.pass(7);
    }

    expect(world.news()).toEqual([]);
  });

  it('is not raised for a component that also works, however many calls of it fail', () => {
    const world = new World({ minimumErrors: 1_000_000, highRate: 1_000 });
    world.pass(300, () => {
      world.fail(100);
      world.observe(1_000, 100);
    });

    expect(world.news()).toEqual([]);
  });

  it('is not ended by silence for less than ten minutes: an open breaker keeps calls away', () => {
    const world = new World({ minimumErrors: 1_000 });
    world.fail(10);
    world.pass(599);
    expect(world.news()).toEqual(['raised persistent Fees.quote']);

    world.pass(2);
    expect(world.news()).toEqual(['ended persistent Fees.quote']);
  });

  it('is not raised late, by failures that are a window old', () => {
    const world = new World({ minimumErrors: 1_000 });
    world.fail(10);
    world.now += 61_000;
    world.pass(1);

    expect(world.news()).toEqual([]);
  });
});

describe('a spike', () => {
  it('is raised by a rise of the failures that were observed, and ended when it is over', () => {
    const world = new World();
    world.pass(60, () => world.observe(100, 1));
    world.pass(10, () => world.observe(100, 21));

    expect(world.news()).toEqual(['raised spike Fees.quote']);
    expect(world.findings[0]).toEqual({
      kind: 'spike',
      component: 'Fees.quote',
      since: START + 60_000,
      count: 21,
      details: { usual: expect.closeTo(0.01, 3), rate: 0.21, calls: 100, failures: 21 },
    });
    world.pass(60, () => world.observe(100, 1));
    expect(world.news()).toEqual(['ended spike Fees.quote']);
  });

  it('is over when there were no calls for ten minutes; what was usual is still known', () => {
    const world = new World();
    world.pass(60, () => world.observe(100, 1));
    world.pass(3, () => world.observe(100, 50));
    world.pass(599);
    expect(world.news()).toEqual(['raised spike Fees.quote']);
    world.pass(1);
    expect(world.news()).toEqual(['ended spike Fees.quote']);

    world.pass(1, () => world.observe(100, 50));
    expect(world.news()).toEqual(['raised spike Fees.quote']);
  });

  it('is none of other components, and hears nothing of `failed`', () => {
    const world = new World({ minimumErrors: 1_000_000, highRate: 1_000 });
    world.pass(60, () => world.observe(100, 1));
    world.pass(60, () => {
      world.fail(50);
      world.observe(100, 1);
      world.observe(100, 50, 'Other.call');
    });

    expect(world.news()).toEqual([]);
  });
});

describe('an error that comes back', () => {
  it('may vary by up to two fifths once it was found', () => {
    const world = new World({ minimumErrors: 1_000 });
    const intervals = [100, 100, 100, 100, 100, 100, 170, 100];
    for (const seconds of intervals) {
      world.fail();
      world.pass(seconds);
    }
    world.fail();
    world.pass(1);
    expect(world.news()).toEqual(['raised recurring Fees.quote']); // 23 %

    world.pass(269);
    expect(world.news()).toEqual([]);
    world.fail();
    world.pass(1);
    expect(world.news()).toEqual(['ended recurring Fees.quote']); // 45 %
  });

  it('is raised by its regular intervals and ended when it stays away', () => {
    const world = new World({ minimumErrors: 1_000 });
    for (let i = 0; i < 8; i += 1) {
      world.fail(2, { port: 'db', now: world.now });
      world.pass(120);
    }

    expect(world.news()).toEqual(['raised recurring Fees.quote']);
    expect(world.findings[0]).toEqual({
      kind: 'recurring',
      component: 'Fees.quote',
      port: 'db',
      fingerprint: 'v1:a',
      category: 'dependency',
      since: START,
      count: 14,
      details: { period: 120_000, variation: 0, episodes: 7 },
    });
    world.pass(300);
    expect(world.news()).toEqual(['ended recurring Fees.quote']);
  });
});

describe('a configuration error', () => {
  it('is raised by the first one while the application starts', () => {
    const world = new World();
    world.now = START + 60_000;
    world.fail(1, { configuration: true, fingerprint: 'v1:c' });
    world.pass(5);

    expect(world.news()).toEqual(['raised configuration Fees.quote']);
    expect(world.findings[0]).toEqual({
      kind: 'configuration',
      component: 'Fees.quote',
      fingerprint: 'v1:c',
      since: START + 60_000,
      count: 1,
      details: { failures: 1, boot: 1 },
    });
  });

  it('is raised by the third one later', () => {
    const world = new World();
    world.now = START + 60_001;
    world.fail(2, { configuration: true });
    world.pass(1);
    expect(world.news()).toEqual([]);

    world.fail(1, { configuration: true });
    world.pass(1);
    expect(world.news()).toEqual(['raised configuration Fees.quote']);
    expect(world.findings[0]).toMatchObject({
      since: START + 60_001,
      count: 3,
      details: { failures: 3, boot: 0 },
    });
  });

  it('is over when there was none for ten minutes, and counted anew', () => {
    const world = new World();
    world.fail(1, { configuration: true });
    world.pass(1);
    world.pass(597);
    expect(world.news()).toEqual(['raised configuration Fees.quote']);
    world.pass(3);
    expect(world.news()).toEqual(['ended configuration Fees.quote']);

    world.fail(2, { configuration: true });
    world.pass(1);
    expect(world.news()).toEqual([]);
  });
});

describe('the whole application', () => {
  it('has a high rate of errors above 10 a second, until it is below 8', () => {
    const world = new World({ persistentFailures: 1_000 });
    world.pass(70, () => world.fail(11, { category: 'timeout' }));
    expect(world.news()).toEqual(['raised pattern -', 'raised high-error-rate -']);
    expect(world.findings.find(({ kind }) => kind === 'high-error-rate')).toMatchObject({
      category: 'timeout',
      count: 605,
      details: { total: 605 },
    });

    world.pass(70, () => world.fail(9, { category: 'timeout' }));
    expect(world.news()).toEqual([]);
    world.pass(70, () => world.fail(7, { category: 'timeout' }));
    expect(world.news()).toEqual(['ended high-error-rate -']);
    expect(world.patterns.analyse(world.now).kind).toBe('pattern');
  });

  it('has a pattern where more than half of at least ten errors are of one category', () => {
    const world = new World();
    world.fail(9, { category: 'timeout' });
    world.patterns.succeeded('Fees.quote', world.now);
    world.pass(1);
    expect(world.news()).toEqual([]);

    world.fail(1, { category: 'resource' });
    world.pass(1);
    expect(world.news()).toEqual(['raised pattern -']);
    expect(world.findings[0]).toEqual({
      kind: 'pattern',
      category: 'timeout',
      since: START + 2_000 - 60_000,
      count: 9,
      details: { count: 9, total: 10, share: 0.9 },
    });
  });

  it('keeps the pattern until its share is below 0.4, whatever else is most common', () => {
    const world = new World();
    world.fail(20, { category: 'timeout', component: 'A' });
    world.pass(1);
    world.fail(25, { category: 'resource', component: 'B' });
    world.pass(1);
    expect(world.news().filter((line) => line.includes('pattern'))).toEqual(['raised pattern -']);

    world.fail(6, { category: 'resource', component: 'B' });
    world.pass(1);
    world.pass(1);
    expect(world.news().filter((line) => line.includes('pattern'))).toEqual([
      'ended pattern -',
      'raised pattern -',
    ]);
    expect(world.patterns.active().map(({ kind, category }) => [kind, category])).toContainEqual([
      'pattern',
      'resource',
    ]);
  });
});

describe('the facade', () => {
  it('refuses options that cannot be used, naming them', () => {
    expect(() => new World({ share: 2 })).toThrow(ResilienceConfigError);
    expect(() => new World({ share: 2 })).toThrow(/errors\.patterns share: got 2/);
  });

  it('lists what holds, oldest first', () => {
    const world = new World();
    world.fail(1, { configuration: true, component: 'A' });
    world.pass(1);
    world.fail(1, { configuration: true, component: 'B' });
    world.pass(1);

    expect(world.patterns.active()).toEqual(world.findings);
    expect(world.findings.map(({ component }) => component)).toEqual(['A', 'B']);
  });

  it('looks at most once a second', () => {
    const world = new World();
    world.patterns.tick(START);
    world.fail(1, { configuration: true });
    world.patterns.tick(START + 999);
    expect(world.news()).toEqual([]);

    world.patterns.tick(START + 1_000);
    expect(world.news()).toEqual(['raised configuration Fees.quote']);
  });

  it('ends everything and forgets it at a reset', () => {
    const world = new World();
    world.pass(60, () => world.observe(100, 1));
    world.fail(20, { configuration: true });
    world.pass(1);
    const raised = world.news().length;
    world.patterns.reset();

    expect(world.news()).toHaveLength(raised);
    expect(world.patterns.active()).toEqual([]);
    expect(world.patterns.analyse(world.now)).toEqual({ kind: 'no-errors' });
    world.pass(5, () => world.observe(100, 50)); // learns anew
    expect(world.news()).toEqual([]);
    world.fail(20);
    world.pass(1);
    expect(world.news()).toEqual(['raised pattern -', 'raised persistent Fees.quote']);
  });

  it('finds everything anew right after a reset, and has room for it', () => {
    const world = new World({ maxSeries: 1 });
    const storm = (component: string): string[] => {
      world.fail(700, { component, fingerprint: component, configuration: true });
      world.pass(1);
      return world.news().filter((line) => line.startsWith('raised'));
    };
    const raised = storm('A');
    expect(raised).toHaveLength(4);
    storm('B');
    expect(world.patterns.ignored).toBe(1_400);
    world.patterns.reset();
    expect(world.patterns.ignored).toBe(0);
    world.news();

    expect(storm('C')).toEqual(raised.map((line) => line.replace('A', 'C')));
    expect(world.patterns.ignored).toBe(0);
  });

  it('tells every finding although the listener throws, and may be asked by it', () => {
    const seen: number[] = [];
    const patterns: ErrorPatterns = new ErrorPatterns(
      {},
      () => {
        seen.push(patterns.active().length);
        throw new Error('listener');
      },
      START,
    );
    for (const component of ['A', 'B']) {
      const input = { component, fingerprint: 'v1:a', category: 'permanent' } as const;
      patterns.failed({ ...input, configuration: true, now: START });
    }

    expect(() => patterns.tick(START)).toThrow('listener');
    expect(seen).toEqual([2, 2]);
    expect(() => patterns.tick(START + 1_000)).not.toThrow();
  });

  it('#168 watches no more than maxSeries components and kinds; the rest counts as ignored', () => {
    const world = new World({ maxSeries: 10 });
    for (let i = 0; i < 100; i += 1) {
      world.fail(1, { component: `C${i}`, fingerprint: `v1:${i}`, configuration: true });
    }
    world.pass(1);

    expect(world.patterns.ignored).toBe(180);
    const configured = world.findings.filter(({ kind }) => kind === 'configuration');
    expect(configured).toHaveLength(10);
    expect(world.patterns.analyse(world.now)).toMatchObject({ kind: 'pattern', total: 100 });
  });

  it('makes room for what is new by what was not heard of for ten minutes, if it is full', () => {
    const world = new World({ maxSeries: 2 });
    world.fail(1, { component: 'Old', fingerprint: 'v1:old' });
    world.fail(10, { component: 'Holds', fingerprint: 'v1:holds' });
    world.pass(1);
    world.fail(1, { component: 'New', fingerprint: 'v1:new' });
    expect(world.patterns.ignored).toBe(2);

    world.pass(661, () => world.fail(1, { component: 'Holds', fingerprint: 'v1:holds' }));
    world.fail(3, { component: 'New', configuration: true, fingerprint: 'v1:new' });
    world.pass(1);
    expect(world.patterns.ignored).toBe(2);
    expect(world.told).toContain('raised configuration New');
    expect(world.told.filter((line) => line === 'raised persistent Holds')).toHaveLength(1);
    expect(world.patterns.active()).toContainEqual(
      expect.objectContaining({ kind: 'persistent', component: 'Holds' }),
    );
  });

  it('keeps a kind that comes back at long intervals although it is full', () => {
    const world = new World({ maxSeries: 1, minimumErrors: 1_000 });
    for (let i = 0; i < 7; i += 1) {
      world.fail();
      if (i === 6) break;
      world.pass(500);
    }
    world.pass(1_000);
    expect(world.news()).toEqual(['raised recurring Fees.quote']);
    world.fail(1, { fingerprint: 'v1:new' });
    expect(world.patterns.ignored).toBe(1);

    world.pass(1_000);
    expect(world.news()).toEqual(['ended recurring Fees.quote']);
    world.fail(1, { fingerprint: 'v1:new' });
    expect(world.patterns.ignored).toBe(1);
  });

  it('remembers for two hours while there is room', () => {
    const world = new World();
    world.pass(60, () => world.observe(100, 1));
    world.pass(7_100);
    world.pass(3, () => world.observe(100, 50));
    expect(world.news()).toEqual(['raised spike Fees.quote']);

    world.pass(60, () => world.observe(100, 1, 'Other.call'));
    world.pass(7_300);
    world.pass(3, () => world.observe(100, 50, 'Other.call'));
    expect(world.news()).toEqual(['ended spike Fees.quote']);
  });

  it('observes nothing where there were no calls', () => {
    const world = new World({ maxSeries: 1 });
    world.observe(0, 0, 'A');
    world.observe(1, 0, 'B');

    expect(world.patterns.ignored).toBe(0);
  });
});
