import type { Milliseconds } from '../../kernel/duration.js';
import type { Permit } from '../../kernel/permit.js';

/** Ten times a tenth is less than one in floating point. */
const ROUNDING = 1e-9;

/**
 * One step of a gradual close: admits a share of the calls, spread evenly, by a credit that each
 * call adds its share to and each admitted call spends.
 *
 * The first call of a step is admitted, and after that one at least each `lease`, so that neither
 * low traffic nor calls that never settle can hold the breaker here for ever.
 */
export class Recovering {
  readonly value = 'recovering';
  successes = 0;
  private credit = 1;

  constructor(
    readonly era: Permit,
    /** Counted from 0. */
    public step: number,
    private admittedAt: Milliseconds,
  ) {}

  /** Whether the next call would be admitted; looking changes nothing. */
  wouldAdmit(now: Milliseconds, lease: Milliseconds): boolean {
    return this.credit >= 1 - ROUNDING || now >= this.nextAt(lease);
  }

  admit(share: number, now: Milliseconds, lease: Milliseconds): boolean {
    const admitted = this.wouldAdmit(now, lease);
    if (admitted) {
      this.credit = Math.max(0, this.credit - 1);
      this.admittedAt = now;
    }
    this.credit += share;
    return admitted;
  }

  /** When a call is admitted at the latest. */
  nextAt(lease: Milliseconds): Milliseconds {
    return this.admittedAt + lease;
  }
}
