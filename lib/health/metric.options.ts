import {
  checkObject,
  checkOptions,
  type Mistake,
  number,
  oneOf,
  type OptionRule,
  type OptionRules,
  show,
  text,
} from '../kernel/check.js';

/** What values of a figure mean. With neither limit it is shown, and takes nothing off the score. */
export interface HealthMetricOptions {
  /** From this value on it takes points off the score. A finite number; with `critical`. Default none. */
  warn?: number;
  /** From this value on it takes most. A finite number, not on the good side of `warn`; with it. Default none. */
  critical?: number;
  /** Which side of the limits is bad: values above them, or below. Default `above`. */
  direction?: 'above' | 'below';
  /** Shown beside the value, such as `ms`. Default none. */
  unit?: string;
  /** What the figure is, for who reads it. Default none. */
  description?: string;
}

const finite = number(-Number.MAX_VALUE);
const limit: OptionRule = (v) => (finite(v) === undefined ? undefined : 'a finite number');
const RULES: OptionRules<HealthMetricOptions> = {
  warn: limit,
  critical: limit,
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
  if (warn === undefined && critical === undefined) return mistakes;
  for (const [option, value, other] of [
    ['warn', warn, 'critical'],
    ['critical', critical, 'warn'],
  ] as const)
    if (value === undefined)
      mistakes.push({ at: `${at} ${option}`, problem: `got nothing, expected it beside ${other}` });
  if (mistakes.length > 0 || warn === undefined || critical === undefined) return mistakes;
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
