// From calls and seconds to figures. Pure.
import { BEFORE, FAULT } from './scenarios.mjs';

/** Recovered: so much of the share before, for so many seconds in a row. */
const AGAIN = { share: 0.95, seconds: 3 };

export const median = (all) => percentile(all, 0.5);

/** @returns undefined of nothing */
export function percentile(all, share) {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

const sum = (all, of) => all.reduce((total, one) => total + of(one), 0);
const round = (value, digits = 4) =>
  value === undefined ? undefined : Number(value.toFixed(digits));

/**
 * What one run says. A call belongs to the second in which it arrived; it is good if it was answered
 * while its caller waited.
 */
export function figuresOf({ calls, seconds, scenario, world }) {
  const arrived = seconds.map(() => 0);
  const good = seconds.map(() => 0);
  for (const { at, took, end } of calls) {
    const second = Math.floor(at / 1_000);
    if (second >= seconds.length) continue;
    arrived[second] += 1;
    if (end === 'answered' && took <= world.patience) good[second] += 1;
  }
  const possible = seconds.map((second, i) => Math.min(second.possible, arrived[i]));
  const range = (from, to) => {
    const of = (list) => sum(list.slice(from, to), (n) => n);
    const part = seconds.slice(from, to);
    return {
      arrived: of(arrived),
      good: of(good),
      possible: of(possible),
      attempts: sum(part, (s) => s.attempts),
      served: sum(part, (s) => s.served),
      wasted: sum(part, (s) => s.wasted),
    };
  };
  const before = range(BEFORE.from, BEFORE.to);
  const fault = range(FAULT, scenario.faultEnds);
  const since = range(FAULT, seconds.length);
  const answered = calls.filter(({ at, end }) => at >= FAULT * 1_000 && end === 'answered');
  const refused = calls.filter(({ at, end }) => at >= FAULT * 1_000 && end === 'refused');
  const failed = calls.filter(
    ({ at, end }) => at >= FAULT * 1_000 && (end === 'failed' || end === 'refused'),
  );
  const took = answered.map((call) => call.took);
  return {
    before: round(before.good / before.arrived),
    /** Good calls per second while the fault lasts, and from its beginning to the end of the run. */
    goodInFault: round(fault.good / (scenario.faultEnds - FAULT), 2),
    ofPossible: round(since.good / since.possible),
    lost: since.arrived - since.good,
    recovery: recoveryOf(arrived, good, scenario.faultEnds, before.good / before.arrived),
    wasted: round(since.served === 0 ? 0 : since.wasted / since.served),
    load: round(fault.attempts / fault.arrived, 3),
    refused: round(refused.length / since.arrived),
    /** How long callers waited, on average, who got no answer in the end. */
    failedAfter: round(
      failed.length === 0 ? undefined : sum(failed, (c) => c.took) / failed.length,
      0,
    ),
    p50: round(median(took), 0),
    p99: round(percentile(took, 0.99), 0),
    faultEnds: scenario.faultEnds,
    good,
  };
}

/** Seconds from the end of the fault to the first of the good ones; null if they do not come. */
function recoveryOf(arrived, good, from, before) {
  const isGood = (i) => good[i] >= AGAIN.share * before * arrived[i];
  for (let i = from; i + AGAIN.seconds <= good.length; i += 1)
    if ([...Array(AGAIN.seconds).keys()].every((n) => isGood(i + n))) return i - from;
  return null;
}
