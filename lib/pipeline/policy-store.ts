import { type Mistake, show } from '../kernel/check.js';
import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import { ignore } from '../kernel/ignore.js';
import { KEY_DEFAULTS } from '../kernel/keys.js';
import type { PredicateReport } from '../kernel/matcher.js';
import { type Forgetting, type KeyLimits, KeyedPolicies, shortKey } from './keyed-policies.js';
import type { Source } from './lane.js';

/** The options that every stateful policy has. */
export interface StoredOptions {
  name?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- parameters are contravariant
  key?: (...args: any[]) => string;
  maxKeys?: number;
  idleTtl?: Milliseconds;
}

/** What a store must know of its kind of policy. */
export interface PolicyKindOf<P, O extends StoredOptions> extends Forgetting<P> {
  /** As in `circuit breaker "pay"`. */
  readonly label: string;
  make(name: string, options: O, key?: string): P;
  /** The options that are each method's own affair: all others shape the shared state. */
  readonly own: readonly string[];
  reconfigure(policy: P, options: O): void;
}

interface Stored<P, O> {
  /** As they are now. */
  options: O;
  /** As they were before anybody changed them, in words. */
  readonly declared: string;
  readonly fixed: P | undefined;
  readonly keyed: KeyedPolicies<P> | undefined;
}

/** The policies of one kind by name: who gives the same name shares one state, so one set of options. */
export class PolicyStore<P, O extends StoredOptions> {
  private readonly stored = new Map<string, Stored<P, O>>();

  constructor(
    private readonly kind: PolicyKindOf<P, O>,
    private readonly clock: Clock,
  ) {}

  has(name: string): boolean {
    return this.stored.has(name);
  }

  /** The policy of that name, where it is one for all. */
  fixed(name: string): P | undefined {
    return this.stored.get(name)?.fixed;
  }

  /** The policies of that name, where each key has its own. */
  keyed(name: string): KeyedPolicies<P> | undefined {
    return this.stored.get(name)?.keyed;
  }

  /** The names whose policy is one for all, in the order they were registered. */
  fixedNames(): string[] {
    return [...this.stored].filter(([, s]) => s.fixed !== undefined).map(([name]) => name);
  }

  /** The names whose policies are one per key. */
  keyedNames(): string[] {
    return [...this.stored].filter(([, s]) => s.keyed !== undefined).map(([name]) => name);
  }

  /** Every policy there is, those of keys included. */
  all(): P[] {
    return [...this.stored.values()].flatMap(({ fixed, keyed }) =>
      keyed === undefined ? [fixed!] : [...keyed.list()].map(([, policy]) => policy),
    );
  }

  /** What speaks against sharing: the name is known with other options. */
  conflict(name: string, options: O): Mistake[] {
    const stored = this.stored.get(name);
    if (stored === undefined) return [];
    const [here, before] = [this.textOf(options), this.textOf(stored.options)];
    if (here === before || here === stored.declared) return [];
    const problem = `shared with other options (${here} here, ${before} before); give all of them the same`;
    return [{ at: `${this.kind.label} ${show(name)}`, problem }];
  }

  /** The options of a late user, who declares what others declared before a patch changed it. */
  present(name: string, options: O): O {
    const stored = this.stored.get(name);
    if (stored === undefined) return options;
    const { key, ...shared } = sharedOptions(stored.options, this.kind.own);
    const own = Object.entries(options).filter(([option]) => this.kind.own.includes(option));
    return { ...shared, ...Object.fromEntries(own), ...(key && { key: options.key }) } as O;
  }

  /** The policy of that name for one method, made by its first user. There is no conflict. */
  obtain(name: string, options: O, report: PredicateReport): Source<P> {
    let stored = this.stored.get(name);
    if (stored === undefined) {
      stored = this.create(name, options);
      this.stored.set(name, stored);
    }
    const { fixed, keyed } = stored;
    if (keyed === undefined) return { fixed: { name, policy: fixed! } };
    const { key } = options;
    return { of: (args) => keyed.of(keyOf(key!, args, report)), ofKey: (known) => keyed.of(known) };
  }

  /** Gives all who share the name other options; what was counted stays. */
  reconfigure(name: string, options: O): void {
    const stored = this.stored.get(name);
    if (stored === undefined || this.textOf(options) === this.textOf(stored.options)) return;
    stored.options = options;
    if (stored.fixed !== undefined) this.kind.reconfigure(stored.fixed, options);
    stored.keyed?.limit(limitsOf(options));
    for (const [, policy] of stored.keyed?.list() ?? []) this.kind.reconfigure(policy, options);
  }

  /** Forgets a policy that nobody uses any more. */
  remove(name: string): void {
    this.stored.delete(name);
  }

  private create(name: string, options: O): Stored<P, O> {
    const { kind, clock } = this;
    const declared = this.textOf(options);
    if (options.key === undefined)
      return { options, declared, fixed: kind.make(name, options), keyed: undefined };
    const stored: Stored<P, O> = {
      options,
      declared,
      fixed: undefined,
      keyed: new KeyedPolicies<P>(
        name,
        limitsOf(options),
        clock,
        (key) => kind.make(name, stored.options, key),
        kind,
      ),
    };
    return stored;
  }

  /** Where the key comes from is each method's own affair: its arguments are. */
  private textOf(options: O): string {
    const { key, ...rest } = sharedOptions(options, this.kind.own);
    const given = Object.entries({ ...rest, keyed: key !== undefined || undefined })
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify(given, (_name, value: unknown) =>
      typeof value === 'function' ? `function ${functionId(value)}` : value,
    );
  }
}

/** Options without those that are each method's own affair. */
export function sharedOptions<O extends StoredOptions>(options: O, own: readonly string[]): O {
  return Object.fromEntries(
    Object.entries(options).filter(([option]) => !own.includes(option)),
  ) as O;
}

function limitsOf(options: StoredOptions): KeyLimits {
  return {
    maxKeys: options.maxKeys ?? KEY_DEFAULTS.maxKeys,
    idleTtl: options.idleTtl ?? KEY_DEFAULTS.idleTtl,
  };
}

/** Calls without a usable key share one policy: a key function that fails must not fail the call. */
const NO_KEY = '';

function keyOf(
  key: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  report: PredicateReport,
): string {
  try {
    const answer = key(...args);
    if (typeof answer === 'string') return shortKey(answer);
    if (answer === undefined || answer === null) return NO_KEY;
    if (typeof answer === 'number' || typeof answer === 'bigint') return String(answer);
    ignore(answer);
    report('key', new TypeError(`got ${show(answer)}, expected a string`));
  } catch (error) {
    report('key', error);
  }
  return NO_KEY;
}

const functionIds = new WeakMap<object, number>();
let lastFunctionId = 0;

/** Two functions are the same option only if they are the same function. */
function functionId(fn: object): number {
  let id = functionIds.get(fn);
  if (id === undefined) {
    lastFunctionId += 1;
    id = lastFunctionId;
    functionIds.set(fn, id);
  }
  return id;
}
