import type { PolicySet } from 'nestjs-bulwark';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import type { Target } from '../../lib/pipeline/target.js';
import { Stage } from './stage.js';

/** A stage whose work may call other protected methods of the same application. */
export class Nested extends Stage {
  inner(policies: PolicySet, name = 'Inner.call'): Target {
    return this.runtime.registerChecked(name, policies);
  }

  /** Calls a method further in. */
  ask(target: Target, work: () => Promise<unknown>): Promise<unknown> {
    return runPromise(target, work, undefined, []);
  }

  /** Resolves after so many milliseconds. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.schedule(resolve, ms));
  }
}
