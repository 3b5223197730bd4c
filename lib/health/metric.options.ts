import {
  checkObject,
  checkOptions,
  type Mistake,
  number,
  oneOf,
  show,
  text,
} from '../kernel/check.js';

/** What values of a figure mean. */
export interface HealthMetricOptions {
  /** From this value on it takes points off the score. A finite number. */
  warn: number;
  /** From this value on it takes most. A finite number; not on the good side of `warn`. */
  critical: number;
  /** Which side of the limits is bad: values above them, or below. Default `above`. */
  direction?: 'above' | 'below';
  /** Shown beside the value, such as `ms`. Default none. */
  unit?: string;
  /** What the figure is, for who reads it. Default none. */
  description?: string;
}

const finite = number(-Number.MAX_VALUE);
const RULES = {
  warn: (v: unknown) => (finite(v) === undefined ? undefined : 'a finite number'),
  critical: (v: unknown) => (finite(v) === undefined ? undefined : 'a finite number'),
  direction: oneOf('above', 'below'),
  unit: text,
  description: text,
};

/** Every mistake in a metric's name and options. */
export function checkMetric(at: string, name: unknown, options: unknown): Mistake[] {
  const wrong = text(name);
  const mistakes =
    wrong === undefined ? [] : [{ at: `${at} name`, problem: expected(name, wrong) }];
  mistakes.push(...checkOptions<HealthMetricOptions>(at, options, RULES));
  if (checkObject(at, options).length > 0) return mistakes;
  const { warn, critical, direction = 'above' } = options as HealthMetricOptions;
  for (const [option, value] of Object.entries({ warn, critical }))
    if (value === undefined)
      mistakes.push({ at: `${at} ${option}`, problem: 'got nothing, expected a finite number' });
  if (mistakes.length > 0) return mistakes;
  const isUpsideDown = direction === 'above' ? critical < warn : critical > warn;
  if (isUpsideDown) {
    const side = direction === 'above' ? 'least' : 'most';
    const problem = `got ${critical}, expected at ${side} warn, which is ${warn}: values ${direction} are bad`;
    mistakes.push({ at: `${at} critical`, problem });
  }
  return mistakes;
}

function expected(value: unknown, wish: string): string {
  return `got ${show(value)}, expected ${wish}`;
}
