import { checkMetric, type HealthMetricOptions } from '../../health/metric.options.js';
import { makeRecord, prototypesOf } from '../method-record.js';

/** A method that answers a figure. The signal aborts when nobody waits for it any more. */
export type MetricMethod = (signal: AbortSignal) => number | Promise<number>;

/** Decorates a method without parameters, or with a signal, that answers a number now or later. */
export type MetricDecorator = <M extends MetricMethod>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** One decorated method. */
export interface MetricRecord {
  readonly key: string | symbol;
  readonly name: string;
  readonly options: HealthMetricOptions;
}

// a registered symbol, so that two copies of the package see each other's decorators
const RECORD = Symbol.for('bulwark:health-metrics');

/**
 * Makes a figure of the application part of its health: it is read with every sample, at most once
 * a second, and takes points off the score from `warn` on, most from `critical` on; without limits
 * it is shown. On a method of
 * a singleton, provider or controller; a figure that throws, hangs or is no number is `unknown`,
 * and harms nobody. Infinity is a value: the age of what has never been.
 *
 * @param name unique in the application
 */
export function HealthMetric(name: string, options: HealthMetricOptions = {}): MetricDecorator {
  return (target, key, descriptor) => {
    const isStatic = typeof target === 'function';
    const home = isStatic ? target : target.constructor;
    const at = `${home.name}.${String(key)} @HealthMetric`;
    const prototype = isStatic ? (target.prototype as object) : target;
    const mistakes = checkMetric(at, name, options);
    if (isStatic) mistakes.push({ at, problem: 'is static, expected a method of the instances' });
    // also without types: a field or an accessor has no method to call
    else if (typeof (descriptor as { value?: unknown } | undefined)?.value !== 'function')
      mistakes.push({ at, problem: 'is no method, expected one that answers a number' });
    if (mistakes.length === 0) ownMetrics(prototype).push({ key, name, options: { ...options } });
    else makeRecord(prototype).mistakes.push(...mistakes);
  };
}

/** The figures of a class and its parents; of a method that both decorate the child's. */
export function metricsOf(type: { readonly prototype?: unknown }): MetricRecord[] {
  const byKey = new Map<string | symbol, MetricRecord>();
  for (const prototype of prototypesOf(type))
    for (const record of known(prototype) ?? [])
      if (!byKey.has(record.key)) byKey.set(record.key, record);
  return [...byKey.values()];
}

function ownMetrics(prototype: object): MetricRecord[] {
  const value = known(prototype) ?? [];
  if (value.length === 0) Object.defineProperty(prototype, RECORD, { value, configurable: true });
  return value;
}

function known(prototype: object): MetricRecord[] | undefined {
  return Object.getOwnPropertyDescriptor(prototype, RECORD)?.value as MetricRecord[] | undefined;
}
