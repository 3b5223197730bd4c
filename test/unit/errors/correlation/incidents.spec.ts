import fc from 'fast-check';
import { incidentsOf } from '../../../../lib/errors/correlation/incidents.js';
import { entry } from './entries.js';

const graph = (edges: Record<string, readonly string[]>) => (name: string) => edges[name] ?? [];
const none = graph({});

/** Root and who suffers from it. */
const summary = (...args: Parameters<typeof incidentsOf>): string[] =>
  incidentsOf(...args).map(
    ({ root, symptoms }) => `${root} <- ${symptoms.map(({ component }) => component).join(' ')}`,
  );

describe('incidents', () => {
  it('are a dependency with all that suffer from it', () => {
    const entries = [
      entry('Fees.quote', 1, { port: 'upstream', fingerprint: 'v1:a' }),
      entry('Fees.quote', 2, { port: 'upstream', fingerprint: 'v1:a' }),
      entry('Compliance.check', 3, { port: 'upstream' }),
      entry('Orders.place', 4),
    ];
    const dependsOn = graph({ 'Orders.place': ['Fees.quote'] });

    expect(incidentsOf(entries, dependsOn)).toEqual([
      {
        root: 'upstream',
        errors: 3,
        first: 1_000,
        last: 4_000,
        symptoms: [
          {
            component: 'Fees.quote',
            errors: 2,
            first: 1_000,
            last: 2_000,
            fingerprints: ['v1:a'],
          },
          expect.objectContaining({ component: 'Compliance.check', errors: 1 }),
          expect.objectContaining({ component: 'Orders.place', first: 4_000 }),
        ],
      },
    ]);
  });

  it('are apart where nothing connects them, the one with most symptoms first', () => {
    const entries = [entry('A', 1), entry('A', 1), entry('B', 2), entry('C', 3)];

    expect(summary(entries, graph({ C: ['B'] }))).toEqual(['B <- C', 'A <- ']);
  });

  it('reach through what did not fail itself', () => {
    const dependsOn = graph({ top: ['middle'], middle: ['bottom'] });

    expect(summary([entry('top', 2), entry('bottom', 1)], dependsOn)).toEqual(['bottom <- top']);
  });

  it('have the deepest as their root', () => {
    const dependsOn = graph({ a: ['shallow', 'b'], b: ['c'], c: ['deep'] });
    const entries = ['a', 'b', 'c', 'shallow', 'deep'].map((name, i) => entry(name, i));

    expect(summary(entries, dependsOn)).toEqual(['deep <- a b c', 'shallow <- ']);
  });

  it('have, of components in a circle, the one that failed first as their root', () => {
    const circle = graph({ a: ['b'], b: ['c'], c: ['a'], d: ['a'] });
    const entries = [entry('d', 1), entry('c', 2), entry('a', 3), entry('b', 4)];

    expect(summary(entries, circle)).toEqual(['c <- d a b']);
  });

  it('have what lies below a circle as their root, wherever it hangs', () => {
    const dependsOn = graph({ a: ['b'], b: ['a', 'below'] });
    const entries = [entry('a', 1), entry('b', 2), entry('below', 3)];

    expect(summary(entries, dependsOn)).toEqual(['below <- a b']);
    expect(summary(entries, graph({ a: ['b', 'below'], b: ['a'] }))).toEqual(['below <- a b']);
  });

  it('do not come from callers who ask for what cannot be', () => {
    const entries = [
      entry('A', 1, { category: 'validation', port: 'p' }),
      entry('B', 1, { category: 'poison', port: 'p' }),
      entry('C', 1, { severity: 'info', port: 'p' }),
    ];

    expect(incidentsOf(entries, none)).toEqual([]);
  });

  it('may be of a component whose dependency has its own name, or depends on itself', () => {
    const entries = [entry('A', 1, { port: 'A' })];

    expect(summary(entries, graph({ A: ['A'] }))).toEqual(['A <- ']);
    expect(incidentsOf(entries, none)[0]?.errors).toBe(1);
  });

  it('name at most five kinds of errors of a symptom', () => {
    const entries = Array.from({ length: 9 }, (_, i) =>
      entry('A', i, { port: 'p', fingerprint: `v1:${i}` }),
    );
    const [incident] = incidentsOf(entries, none);

    expect(incident?.symptoms[0]?.fingerprints).toEqual(['v1:0', 'v1:1', 'v1:2', 'v1:3', 'v1:4']);
  });

  it('look at no more than 2,000 places of a graph without an end', () => {
    let asked = 0;
    const endless = (name: string): string[] => {
      asked += 1;
      return [`${name}'`.slice(-3_000)];
    };
    const dependsOn = (name: string): readonly string[] =>
      name === 'A' ? ['B', ...endless(name)] : endless(name);

    expect(summary([entry('A', 1), entry('B', 2)], dependsOn)).toEqual(['B <- A']);
    expect(asked).toBeLessThan(5_000);
  });
});

it('every failing component is in exactly one incident, below which nothing else fails', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const name = fc.constantFrom(...names);
  const edges = fc.array(fc.tuple(name, name), { maxLength: 12 });
  fc.assert(
    fc.property(edges, fc.array(name, { maxLength: 10 }), (pairs, failing) => {
      const next = (from: string): string[] => pairs.filter(([a]) => a === from).map(([, b]) => b);
      const reach = (from: string): Set<string> => {
        const seen = new Set<string>();
        const walk = (at: string): void => {
          for (const to of next(at)) {
            if (seen.has(to)) continue;
            seen.add(to);
            walk(to);
          }
        };
        walk(from);
        return seen;
      };
      const failed = [...new Set(failing)];
      const incidents = incidentsOf(
        failing.map((component, i) => entry(component, i)),
        next,
      );

      const members = incidents.flatMap(({ root, symptoms }) => [
        root,
        ...symptoms.map(({ component }) => component),
      ]);
      expect(members.toSorted()).toEqual(failed.toSorted());
      for (const { root, symptoms } of incidents) {
        const below = [...reach(root)].filter((to) => failed.includes(to));
        expect(below.every((to) => reach(to).has(root))).toBe(true); // at most its own circle
        for (const { component } of symptoms) expect(reach(component).has(root)).toBe(true);
      }
    }),
  );
});
