import type { Milliseconds } from '../kernel/duration.js';
import type { HealthBand } from './weights.js';

/** A score as it was. */
export interface TrendSample {
  /** Wall-clock time, milliseconds since 1970. */
  readonly at: Milliseconds;
  readonly score: number;
  readonly status: HealthBand;
}

/** Where the score is going, and how it was in the last hour. */
export interface HealthTrend {
  /** The last five minutes against the quarter of an hour before them; 5 points make a difference. */
  readonly direction: 'improving' | 'steady' | 'worsening';
  /** The oldest first; of each minute the worst. At most 60. */
  readonly samples: readonly TrendSample[];
}

const MINUTE: Milliseconds = 60_000;
const KEPT_MINUTES = 60;
const RECENT_MINUTES = 5;
const BEFORE_MINUTES = 15;
/** Less is noise: half of the least that any trouble with a limit takes off. */
const DIFFERENCE = 5;

interface Kept extends TrendSample {
  readonly minute: number;
}

/** The scores of the last hour at bounded size, whatever the rate at which they come. */
export class Trend {
  private kept: Kept[] = [];

  /** @param now monotonic milliseconds: a step of the wall clock moves no sample */
  add(sample: TrendSample, now: Milliseconds): void {
    const minute = Math.floor(now / MINUTE);
    const last = this.kept.at(-1);
    if (last?.minute === minute) {
      if (sample.score < last.score) this.kept[this.kept.length - 1] = { ...sample, minute };
      return;
    }
    this.kept = [...this.since(minute - KEPT_MINUTES + 1), { ...sample, minute }];
  }

  read(now: Milliseconds): HealthTrend {
    const minute = Math.floor(now / MINUTE);
    const samples = this.since(minute - KEPT_MINUTES + 1);
    return {
      direction: this.direction(minute),
      samples: samples.map(({ at, score, status }) => ({ at, score, status })),
    };
  }

  private direction(minute: number): HealthTrend['direction'] {
    const from = minute - RECENT_MINUTES + 1;
    const recent = mean(this.since(from));
    const before = mean(this.since(from - BEFORE_MINUTES).filter((kept) => kept.minute < from));
    if (recent === undefined || before === undefined) return 'steady';
    if (recent - before >= DIFFERENCE) return 'improving';
    return before - recent >= DIFFERENCE ? 'worsening' : 'steady';
  }

  private since(minute: number): Kept[] {
    return this.kept.filter((kept) => kept.minute >= minute);
  }
}

function mean(samples: readonly TrendSample[]): number | undefined {
  if (samples.length === 0) return undefined;
  return samples.reduce((sum, { score }) => sum + score, 0) / samples.length;
}
