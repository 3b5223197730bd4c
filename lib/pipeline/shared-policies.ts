import { ResilienceConfigError, show } from '../kernel/check.js';
import type { Named } from './pipeline.js';

/** Where the policies of one kind are kept by name. */
interface Directory<P> {
  policy(name: string): P | undefined;
  add(name: string, policy: P): void;
}

/** Policies of one kind that methods share by name: one state, so one set of options. */
export class SharedPolicies<P> {
  private readonly options = new Map<string, string>();

  constructor(
    private readonly kind: string,
    private readonly directory: Directory<P>,
  ) {}

  /** @throws ResilienceConfigError if the name is known with other options */
  check(name: string, options: object): void {
    const before = this.options.get(name);
    const here = textOf(options);
    if (before === undefined || before === here) return;
    const problem = `shared with other options (${here} here, ${before} before); give all of them the same`;
    throw new ResilienceConfigError([{ at: `${this.kind} ${show(name)}`, problem }]);
  }

  /** The policy of that name, made by its first user. */
  obtain(name: string, options: object, make: () => P): Named<P> {
    let policy = this.directory.policy(name);
    if (policy === undefined) {
      policy = make();
      this.directory.add(name, policy);
      this.options.set(name, textOf(options));
    }
    return { name, policy };
  }
}

function textOf(options: object): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return JSON.stringify(given.sort(([a], [b]) => (a < b ? -1 : 1)));
}
