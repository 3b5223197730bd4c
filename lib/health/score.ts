import type {
  CallCounts,
  HealthInputs,
  MetricValue,
  NamedBreaker,
  NamedBulkhead,
  ProcessFigures,
} from './inputs.js';
import { breakerHealth } from './policy-health.js';
import {
  bandOf,
  ERROR_RATE_CALLS,
  HEALTH_LIMITS,
  HEALTH_WEIGHTS,
  type HealthBand,
  type Ramp,
} from './weights.js';

/** One thing that is not as it should be. */
export interface HealthItem {
  /** Such as `circuit breaker FeesClient.quote` or `metric mempool`. */
  readonly what: string;
  /** As it is; `unknown` where it cannot be read. */
  readonly value: number | string;
  /** The limit that it passed, or as it should be. */
  readonly limit: number | string;
  /** What it took off the score: a whole number from 0, all together 100 less the score. */
  readonly points: number;
}

/** How the instance is doing, and why. */
export interface HealthScore {
  /** A whole number: 100 is all well, 0 as bad as can be. */
  readonly score: number;
  /** Of the score: `healthy` from 80, `degraded` from 60, `warning` from 40, else `critical`. */
  readonly status: HealthBand;
  /** What took points off, most first; of more than 20 the rest in one. */
  readonly explanation: readonly HealthItem[];
}

/** Items that are listed one by one. */
const MAX_ITEMS = 20;

/**
 * The score of what is known. What gets worse never makes it better; what cannot be read is
 * `unknown` in the list, and takes few points or none.
 */
export function scoreOf(inputs: HealthInputs): HealthScore {
  const items = atMost(100, [
    ...breakerItems(inputs.breakers ?? []),
    ...atMost(HEALTH_WEIGHTS.bulkheadsAtMost, (inputs.bulkheads ?? []).flatMap(bulkheadItem)),
    ...storeItem(inputs.store),
    ...callItem(inputs.calls),
    ...processItems(inputs.process ?? {}),
    ...(inputs.metrics ?? []).flatMap(metricItem),
  ]);
  const score = 100 - sum(items);
  return { score, status: bandOf(score), explanation: bounded(items) };
}

/** What a value means by its limits; `ok` on the good side of both, and without any. */
export function levelOf(metric: MetricValue): 'ok' | 'warn' | 'critical' | 'unknown' {
  const { value } = metric;
  if (typeof value !== 'number' || Number.isNaN(value)) return 'unknown';
  const { warn, critical } = metric;
  const isPast = (limit: number | undefined): boolean =>
    limit !== undefined && (metric.direction === 'below' ? value <= limit : value >= limit);
  return isPast(critical) ? 'critical' : isPast(warn) ? 'warn' : 'ok';
}

function breakerItems(breakers: readonly NamedBreaker[]): HealthItem[] {
  const items = breakers.flatMap(breakerItem);
  const isGrave = ({ points }: HealthItem): boolean => points >= HEALTH_WEIGHTS.criticalBreakerOpen;
  return [
    ...items.filter(isGrave),
    ...atMost(
      HEALTH_WEIGHTS.breakersAtMost,
      items.filter((item) => !isGrave(item)),
    ),
  ];
}

function breakerItem(breaker: NamedBreaker): HealthItem[] {
  const what = `circuit breaker ${breaker.name}`;
  if ('keys' in breaker) {
    const { total, open } = breaker.keys;
    if (breaker.status === 'up') return [];
    const points =
      breaker.status === 'down'
        ? HEALTH_WEIGHTS.criticalBreakerOpen
        : shareOf(HEALTH_WEIGHTS.breakerOpen, open, total);
    return [{ what, value: `${open} of ${total} keys open`, limit: 'closed', points }];
  }
  const { state, critical } = breaker;
  const health = breakerHealth(breaker);
  if (health === 'up') return [];
  const isOpen = state === 'open' || state === 'isolated';
  const points = isOpen
    ? HEALTH_WEIGHTS[critical ? 'criticalBreakerOpen' : 'breakerOpen']
    : HEALTH_WEIGHTS[critical ? 'criticalBreakerRecovering' : 'breakerRecovering'];
  return [{ what, value: state, limit: 'closed', points }];
}

function bulkheadItem({ name, total, full }: NamedBulkhead): HealthItem[] {
  if (full === 0) return [];
  const points = shareOf(HEALTH_WEIGHTS.bulkheadFull, full, total);
  const value = total === 1 ? 'full' : `${full} of ${total} keys full`;
  return [{ what: `bulkhead ${name}`, value, limit: 'room', points }];
}

function storeItem(state: string | undefined): HealthItem[] {
  if (state === undefined || state === 'open') return [];
  const points = HEALTH_WEIGHTS.checkpointStore;
  return [{ what: 'checkpoint store', value: state, limit: 'open', points }];
}

function callItem(counts: CallCounts | undefined): HealthItem[] {
  if (counts === undefined) return [];
  const { calls, failures } = counts;
  if (calls < ERROR_RATE_CALLS) return [];
  return figure('error rate', failures / calls, 'errorRate');
}

function processItems({
  loopDelay,
  loopUtilisation,
  heapUsed,
  heapLimit,
}: ProcessFigures): HealthItem[] {
  const heap = heapUsed === undefined ? undefined : heapUsed / (heapLimit ?? Number.NaN);
  return [
    ...(loopDelay === undefined ? [] : figure('event loop delay', loopDelay, 'loopDelay')),
    ...(loopUtilisation === undefined
      ? []
      : figure('event loop utilisation', loopUtilisation, 'loopUtilisation')),
    ...(heap === undefined ? [] : figure('heap after garbage collection', heap, 'heap')),
  ];
}

function metricItem(metric: MetricValue): HealthItem[] {
  const what = `metric ${metric.name}`;
  const { value, warn, critical, direction } = metric;
  if (warn === undefined || critical === undefined) return [];
  if (typeof value !== 'number' || Number.isNaN(value))
    return [{ what, value: 'unknown', limit: warn, points: HEALTH_WEIGHTS.metricUnknown }];
  const sign = direction === 'below' ? -1 : 1;
  const limits = { warn: warn * sign, critical: critical * sign };
  const points = onRamp(value * sign, limits, HEALTH_WEIGHTS.metric);
  const limit = value * sign >= limits.critical ? critical : warn;
  return points === 0 ? [] : [{ what, value, limit, points }];
}

function figure(what: string, value: number, name: keyof typeof HEALTH_LIMITS): HealthItem[] {
  const limits = HEALTH_LIMITS[name];
  if (Number.isNaN(value)) return [{ what, value: 'unknown', limit: limits.warn, points: 0 }];
  const points = onRamp(value, limits, HEALTH_WEIGHTS[name]);
  const limit = value >= limits.critical ? limits.critical : limits.warn;
  const shown = Number(value.toPrecision(3));
  return points === 0 ? [] : [{ what, value: shown, limit, points }];
}

/** Nothing below the first limit, everything from the second, whole points growing between them. */
function onRamp(value: number, limits: Ramp, points: Ramp): number {
  if (value < limits.warn) return 0;
  if (value >= limits.critical) return points.critical;
  const share = (value - limits.warn) / (limits.critical - limits.warn);
  // limits too far apart for a number's range have no between
  const grown = share > 0 ? Math.floor((points.critical - points.warn) * share) : 0;
  return points.warn + grown;
}

/** The part of the points for so many of all, at least one. */
function shareOf(points: number, some: number, all: number): number {
  return Math.min(points, Math.ceil((points * some) / Math.max(all, 1)));
}

/** Takes from the smallest what all together have too much. Sorts, most first. */
function atMost(most: number, items: readonly HealthItem[]): HealthItem[] {
  let left = most;
  return items.toSorted(byPoints).map((item) => {
    const points = Math.min(item.points, left);
    left -= points;
    return { ...item, points };
  });
}

function byPoints(a: HealthItem, b: HealthItem): number {
  return b.points - a.points || (a.what < b.what ? -1 : 1);
}

/** A thousand open breakers are no thousand lines. */
function bounded(items: readonly HealthItem[]): HealthItem[] {
  if (items.length <= MAX_ITEMS) return [...items];
  const rest = items.slice(MAX_ITEMS);
  const more = { what: 'more of these', value: rest.length, limit: 0, points: sum(rest) };
  return [...items.slice(0, MAX_ITEMS), more];
}

function sum(items: readonly HealthItem[]): number {
  return items.reduce((total, { points }) => total + points, 0);
}
