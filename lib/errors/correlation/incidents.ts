import type { Milliseconds } from '../../kernel/duration.js';
import type { ErrorContext } from '../error-context.js';

/** The components, and other dependencies, that one needs directly. */
export type DependsOn = (component: string) => readonly string[];

/** What a component suffered from the root of an incident. */
export interface Symptom {
  readonly component: string;
  readonly errors: number;
  /** Wall clock, as in the entries. */
  readonly first: Milliseconds;
  readonly last: Milliseconds;
  /** At most 5, the first ones. */
  readonly fingerprints: readonly string[];
}

/** Errors with one root. */
export interface Incident {
  /** The failing component or dependency that nothing failing lies below of. */
  readonly root: string;
  /** Errors of the root: of a dependency, those of everybody who called it. */
  readonly errors: number;
  /** Wall clock: the first and the last error of root and symptoms. */
  readonly first: Milliseconds;
  readonly last: Milliseconds;
  /** The components above it that failed too, the one that failed first before the others. */
  readonly symptoms: readonly Symptom[];
}

const FINGERPRINTS = 5;
/** Of a graph that is larger than this the rest is not looked at. */
const LARGEST_GRAPH = 2_000;

/** A failing component or dependency. */
class Node {
  errors = 0;
  first = Number.POSITIVE_INFINITY;
  last = Number.NEGATIVE_INFINITY;
  readonly fingerprints = new Set<string>();
  readonly ports = new Set<string>();

  constructor(readonly name: string) {}

  add({ fingerprint, lastOccurrence: at, port }: ErrorContext, isComponent: boolean): void {
    this.errors += 1;
    this.first = Math.min(this.first, at);
    this.last = Math.max(this.last, at);
    if (this.fingerprints.size < FINGERPRINTS) this.fingerprints.add(fingerprint);
    if (isComponent && port !== undefined) this.ports.add(port);
  }

  get symptom(): Symptom {
    const { name: component, errors, first, last } = this;
    return { component, errors, first, last, fingerprints: [...this.fingerprints] };
  }
}

/** Says whether something is broken, and not that the caller asked for what cannot be. */
function isFault({ category, severity }: ErrorContext): boolean {
  return category !== 'validation' && category !== 'poison' && severity !== 'info';
}

/**
 * Groups errors by what they come from: for each failing component the deepest failing thing that it
 * depends on, directly or not, also where what lies between did not fail. A component that called a
 * `port` depends on it. Of components that depend on each other in a circle the one that failed first
 * is the root.
 *
 * @param entries oldest first, of about the same time
 */
export function incidentsOf(
  entries: readonly ErrorContext[],
  dependsOn: DependsOn,
): readonly Incident[] {
  const nodes = failing(entries);
  const roots = new Roots(nodes, dependsOn);
  const groups = new Map<string, Node[]>();
  for (const node of nodes.values()) {
    const root = roots.of(node.name);
    const group = groups.get(root) ?? [];
    group.push(node);
    groups.set(root, group);
  }
  return [...groups]
    .map(([root, group]) => incident(nodes.get(root)!, group))
    .toSorted((a, b) => b.symptoms.length - a.symptoms.length || b.errors - a.errors);
}

function failing(entries: readonly ErrorContext[]): Map<string, Node> {
  const nodes = new Map<string, Node>();
  const node = (name: string): Node => {
    let found = nodes.get(name);
    if (found === undefined) nodes.set(name, (found = new Node(name)));
    return found;
  };
  for (const entry of entries) {
    if (!isFault(entry)) continue;
    node(entry.component).add(entry, true);
    if (entry.port !== undefined && entry.port !== entry.component) {
      node(entry.port).add(entry, false);
    }
  }
  return nodes;
}

function incident(root: Node, group: readonly Node[]): Incident {
  const symptoms = group
    .filter((node) => node !== root)
    .map((node) => node.symptom)
    .toSorted((a, b) => a.first - b.first);
  return {
    root: root.name,
    errors: root.errors,
    first: Math.min(...group.map(({ first }) => first)),
    last: Math.max(...group.map(({ last }) => last)),
    symptoms,
  };
}

interface Found {
  readonly root: string | undefined;
  /** How far below it is. */
  readonly depth: number;
}

/**
 * Finds the deepest failing node below each, looking at every node of the graph once: nodes that
 * depend on each other count as one (R. Tarjan, "Depth-First Search and Linear Graph Algorithms",
 * SIAM Journal on Computing 1 (1972), 146–160), and those below are done before those above.
 */
class Roots {
  private readonly found = new Map<string, Found>();
  private readonly order = new Map<string, number>();
  private readonly open: string[] = [];

  constructor(
    private readonly failing: ReadonlyMap<string, Node>,
    private readonly dependsOn: DependsOn,
  ) {}

  /** @param name of a failing node */
  of(name: string): string {
    if (!this.order.has(name)) this.visit(name);
    return this.found.get(name)!.root!;
  }

  /** Answers the first in order of the open nodes that can be reached from here. */
  private visit(name: string): number {
    const order = this.order.size;
    this.order.set(name, order);
    this.open.push(name);
    let lowest = order;
    let below: Found = { root: undefined, depth: -1 };
    const circle: string[] = [];
    for (const next of this.directly(name)) {
      if (!this.order.has(next)) {
        if (this.order.size >= LARGEST_GRAPH && !this.failing.has(next)) continue;
        lowest = Math.min(lowest, this.visit(next));
      } else if (!this.found.has(next)) {
        lowest = Math.min(lowest, this.order.get(next)!);
      }
    }
    if (lowest < order) return lowest;

    let member: string;
    do {
      member = this.open.pop()!;
      circle.push(member);
    } while (member !== name);
    for (const next of circle.flatMap((member) => this.directly(member))) {
      const found = this.found.get(next);
      if (found !== undefined && found.depth > below.depth) below = found;
    }
    const own = this.firstFailing(circle);
    const root = below.root ?? own;
    const depth = root === undefined ? -1 : below.depth + 1;
    for (const member of circle) this.found.set(member, { root, depth });
    return order;
  }

  private firstFailing(names: readonly string[]): string | undefined {
    let first: Node | undefined;
    for (const name of names) {
      const node = this.failing.get(name);
      if (node !== undefined && !(first !== undefined && first.first <= node.first)) first = node;
    }
    return first?.name;
  }

  private directly(name: string): readonly string[] {
    return [...(this.failing.get(name)?.ports ?? []), ...this.dependsOn(name)];
  }
}
