import type { Pipeline } from './pipeline.js';
import type { PolicySet } from './policy-set.js';

/**
 * Something protected, by name: a decorated method, a handler behind an interceptor, a name of
 * `ResilienceService`. Its pipeline is replaced when its policies change; calls on their way end
 * in the one they began in.
 */
export class Target {
  /** Grows by one with each change of the policies. */
  version = 1;

  constructor(
    readonly name: string,
    /** What is declared for it, defaults, presets and overrides included. */
    public policies: PolicySet,
    public pipeline: Pipeline,
    /** Whether its class has a method of that name beside it; undefined where there is no class. */
    readonly hasMethod?: (name: string) => boolean,
  ) {}
}
