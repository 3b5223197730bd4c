import type { Mistake } from '../kernel/check.js';
import {
  checkFallback,
  type FallbackPlan,
  fallbackList,
} from '../policies/fallback/fallback.options.js';
import type { AnyClass } from './binding.js';
import { homeOf, type MethodRecord, ownRecord } from './method-record.js';

/** A method whose fallbacks lead back to it: when all of them fail, a call would never end. */
export function circleMistakes(
  at: string,
  type: AnyClass,
  start: MethodRecord,
  planOf: (method: MethodRecord) => FallbackPlan | undefined,
): Mistake[] {
  const seen = new Set([start]);
  const ways = [[start]];
  for (const way of ways) {
    for (const next of fallbacksOf(type, planOf(way.at(-1)!))) {
      if (next === start && way.length > 1) {
        const circle = [...way, start].map(({ key }) => String(key)).join(' -> ');
        const problem = `leads back to its own method (${circle}); expected fallbacks that come to an end`;
        return [{ at: `${at} @Fallback method`, problem }];
      }
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return [];
}

/** The decorated methods that the fallbacks of a method name. */
function fallbacksOf(type: AnyClass, fallback: FallbackPlan | undefined): MethodRecord[] {
  if (fallback === undefined || checkFallback('', fallback, () => true).length > 0) return [];
  return fallbackList(fallback).flatMap((entry) => {
    if (!('method' in entry)) return [];
    const home = homeOf(type, entry.method);
    const record = home && ownRecord(home)?.methods.get(entry.method);
    return record === undefined ? [] : [record];
  });
}
