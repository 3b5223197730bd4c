import type { ResilienceRegistry } from '../registry.js';
import type { Target } from '../target.js';
import {
  type CallFigures,
  type DependencyFigures,
  figuresOf,
  type TargetFigures,
} from './report.js';

/** The figures of a whole application. */
export interface TotalFigures extends CallFigures {
  /** Circuit breakers that refuse calls, or some of them: those of keys are counted each. */
  readonly activeCircuitBreakers: number;
}

/** The application whose figures these are. */
interface Counted {
  readonly registry: ResilienceRegistry;
  allTargets(): readonly Target[];
}

/** What the calls of an application have come to, since the start or the last `reset`. */
export class ResilienceStatistics {
  /** @internal */
  constructor(private readonly runtime: Counted) {}

  /** Of each protected method, handler, and name of `ResilienceService`. */
  targets(): readonly TargetFigures[] {
    return this.runtime.allTargets().map(({ name, pipeline }) => {
      const { port, counters } = pipeline;
      const latency = counters.latency.report();
      return {
        target: name,
        ...(port === undefined ? {} : { port }),
        ...figuresOf([counters]),
        ...(latency === undefined ? {} : { latency }),
      };
    });
  }

  /** The same by circuit breaker: all methods that share one call the same dependency. */
  dependencies(): readonly DependencyFigures[] {
    const byPort = new Map<string, Target[]>();
    for (const target of this.runtime.allTargets()) {
      const { port } = target.pipeline;
      if (port !== undefined) byPort.set(port, [...(byPort.get(port) ?? []), target]);
    }
    return [...byPort].map(([port, targets]) => ({
      port,
      targets: targets.map(({ name }) => name),
      ...figuresOf(targets.map(({ pipeline }) => pipeline.counters)),
    }));
  }

  /** Of everything together. A call that passes two protected methods counts at both. */
  totals(): TotalFigures {
    const { breakers } = this.runtime.registry;
    const keyed = breakers.keyedList().flatMap(({ list }) => list().map(([, reader]) => reader));
    const active = [...breakers.list(), ...keyed].filter(
      ({ state, mode }) => mode !== 'shadow' && state !== 'closed' && state !== 'disabled',
    );
    const all = this.runtime.allTargets().map(({ pipeline }) => pipeline.counters);
    return { ...figuresOf(all), activeCircuitBreakers: active.length };
  }

  /** Counts from here on. Calls on their way are counted by how they end. */
  reset(): void {
    for (const { pipeline } of this.runtime.allTargets()) pipeline.counters.reset();
  }
}
