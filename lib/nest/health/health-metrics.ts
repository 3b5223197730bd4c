import { Injectable } from '@nestjs/common';
import type { HealthMetricOptions } from '../../health/metric.options.js';
import type { Mistake } from '../../kernel/check.js';
import { classOf } from '../binding.js';
import type { Wrapper } from '../wrappers.js';
import { metricsOf } from './health-metric.decorator.js';

/** One figure of one instance. */
export interface Metric {
  readonly name: string;
  /** `Class.method`, for messages. */
  readonly from: string;
  readonly options: HealthMetricOptions;
  read(signal: AbortSignal): unknown;
}

/** The figures of the application, by name. */
@Injectable()
export class HealthMetrics {
  private readonly byName = new Map<string, Metric>();
  private readonly seen = new WeakSet<object>();

  get all(): Metric[] {
    return [...this.byName.values()];
  }

  /** Takes in what is decorated, once however often it is walked; answers every mistake. */
  collect(wrappers: readonly Wrapper[]): Mistake[] {
    return wrappers.flatMap((wrapper) => this.visit(wrapper));
  }

  private visit(wrapper: Wrapper): Mistake[] {
    const { instance, metatype } = wrapper;
    const type = classOf(instance) ?? metatype;
    const records = typeof type === 'function' ? metricsOf(type) : [];
    if (typeof type !== 'function' || records.length === 0) return [];
    const from = (key: string | symbol): string => `${type.name}.${String(key)}`;
    if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient === true) {
      const problem = 'is request-scoped or transient, expected a singleton: whose figure is it?';
      return records.map(({ key }) => ({ at: `${from(key)} @HealthMetric`, problem }));
    }
    if (typeof instance !== 'object' || instance === null || this.seen.has(instance)) return [];
    this.seen.add(instance);
    return records.flatMap(({ key, name, options }) => {
      const read = (signal: AbortSignal): unknown =>
        (instance as Record<string | symbol, (signal: AbortSignal) => unknown>)[key]!(signal);
      return this.add({ name, from: from(key), options, read });
    });
  }

  private add(metric: Metric): Mistake[] {
    const { name, from } = metric;
    const other = this.byName.get(name);
    if (other === undefined) {
      this.byName.set(name, metric);
      return [];
    }
    const problem = `got ${JSON.stringify(name)}, which ${other.from} has already, expected a name of its own`;
    return [{ at: `${from} @HealthMetric name`, problem }];
  }
}
