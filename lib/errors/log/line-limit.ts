import type { Milliseconds } from '../../kernel/duration.js';

/** So many lines at once, and then one each `per` milliseconds (GCRA, exact for whole milliseconds). */
class Bucket {
  /** When it would be full again. */
  private fullAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly size: number,
    private readonly per: Milliseconds,
  ) {}

  take(now: Milliseconds): boolean {
    const fullAt = Math.max(now, this.fullAt) + this.per;
    if (fullAt - now > this.size * this.per) return false;
    this.fullAt = fullAt;
    return true;
  }
}

interface Subject {
  readonly bucket: Bucket;
  suppressed: number;
}

/** Lines at once, and milliseconds until there may be another: of one subject, and of all. */
const ONE = [5, 2_000] as const;
const ALL = [50, 200] as const;
const MAX_SUBJECTS = 1_000;

/**
 * Keeps a flood out of a log: of one subject 5 lines at once and then one in 2 seconds, of all
 * together 50 and then 5 a second, so at most 100 in any 10 seconds. What was held back is counted,
 * and the next line that passes says how many.
 */
export class LineLimit {
  private readonly subjects = new Map<string, Subject>();
  private readonly all = new Bucket(...ALL);
  /** Held back of subjects that are not remembered any more. */
  private forgotten = 0;

  /**
   * Whether a line may be written; if so, how many were held back before it.
   *
   * @param now by the monotonic clock
   */
  admit(subject: string, now: Milliseconds): { readonly suppressed: number } | undefined {
    const entry = this.find(subject);
    if (!entry.bucket.take(now) || !this.all.take(now)) {
      entry.suppressed += 1;
      return undefined;
    }
    const suppressed = entry.suppressed + this.forgotten;
    entry.suppressed = 0;
    this.forgotten = 0;
    return { suppressed };
  }

  /** How many are held back that no line has told of. */
  get untold(): number {
    let sum = this.forgotten;
    for (const { suppressed } of this.subjects.values()) sum += suppressed;
    return sum;
  }

  private find(subject: string): Subject {
    let found = this.subjects.get(subject);
    if (found === undefined) found = { bucket: new Bucket(...ONE), suppressed: 0 };
    else this.subjects.delete(subject);
    this.subjects.set(subject, found); // the one used last goes last
    if (this.subjects.size > MAX_SUBJECTS) {
      const [oldest] = this.subjects.keys();
      this.forgotten += this.subjects.get(oldest!)!.suppressed;
      this.subjects.delete(oldest!);
    }
    return found;
  }
}
