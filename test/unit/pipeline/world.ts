import { defaultClassifier } from '../../../lib/errors/default-classifier.js';
import type { ResilienceEvent } from '../../../lib/kernel/event.js';
import type { PolicySet } from '../../../lib/pipeline/policy-set.js';
import { runPromise } from '../../../lib/pipeline/promise-face.js';
import type { CircuitBreakerReader } from '../../../lib/pipeline/registry.js';
import { ResilienceRuntime, type RuntimeInit } from '../../../lib/pipeline/runtime.js';
import type { Target } from '../../../lib/pipeline/target.js';
import { FakeClock, seededRandom, settle } from '../../../lib/testing/index.js';

/** A runtime without an application, and calls through it. */
export class World {
  readonly clock = new FakeClock();
  readonly events: ResilienceEvent[] = [];
  readonly runtime: ResilienceRuntime;

  constructor(init: Partial<RuntimeInit> = {}) {
    this.runtime = new ResilienceRuntime({
      clock: this.clock,
      random: seededRandom(1),
      classifier: defaultClassifier,
      report: () => {},
      ...init,
    });
    this.runtime.bus.listen((event) => this.events.push(event));
  }

  target(name: string, policies: PolicySet): Target {
    return this.runtime.register(name, policies);
  }

  async call(target: Target, work: () => Promise<unknown>, ...args: unknown[]): Promise<unknown> {
    const answer = runPromise(target, work, undefined, args).catch((error: unknown) => error);
    await settle();
    return answer;
  }

  async fail(target: Target, times: number, ...args: unknown[]): Promise<void> {
    for (let i = 0; i < times; i += 1)
      await this.call(target, () => Promise.reject(new Error('down')), ...args);
  }

  changed(): ResilienceEvent[] {
    return this.events.filter(({ type }) => type === 'policies-changed');
  }
}

export const breakerOf = (world: World, name = 'A'): CircuitBreakerReader =>
  world.runtime.registry.breakers.reader(name)!;
