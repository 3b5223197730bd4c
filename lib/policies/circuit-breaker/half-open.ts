import type { Milliseconds } from '../../kernel/duration.js';
import type { Permit } from '../../kernel/permit.js';
import type { TripEvidence } from './trip.js';

/** A permit of the half-open state, which is lost at `leaseUntil` if it has not settled. */
interface Probe {
  readonly permit: Permit;
  leaseUntil: Milliseconds;
}

/** How many probes a half-open period has, and how many of them must succeed. */
export interface ProbeTerms {
  readonly halfOpenCalls: number;
  readonly successThreshold: number;
}

/**
 * One half-open period: a fixed number of probes, each with a lease, and an early decision. As long
 * as it is undecided there is a place for another probe, or one on the way whose lease will end.
 */
export class HalfOpen {
  readonly value = 'half-open';
  private probes: Probe[] = [];
  /** Places beyond the agreed ones, for probes that call this breaker again. */
  private extra = 0;
  private successes = 0;
  private failures = 0;
  private slow = 0;

  constructor(readonly era: Permit) {}

  has(permit: Permit): boolean {
    return this.probes.some((p) => p.permit === permit);
  }

  hasFreePlace({ halfOpenCalls }: ProbeTerms): boolean {
    return this.successes + this.failures + this.probes.length < halfOpenCalls + this.extra;
  }

  /** Whether the next call would be a probe; looking changes nothing. */
  wouldAdmit({ halfOpenCalls }: ProbeTerms, now: Milliseconds): boolean {
    const alive = this.probes.filter((p) => p.leaseUntil > now).length;
    return this.successes + this.failures + alive < halfOpenCalls + this.extra;
  }

  /** When the first place is given back at the latest; undefined if no probe is on its way. */
  firstLeaseEnd(): Milliseconds | undefined {
    if (this.probes.length === 0) return undefined;
    return Math.min(...this.probes.map((p) => p.leaseUntil));
  }

  /** Takes the places of probes whose lease is over; answers how many. */
  reclaim(now: Milliseconds): number {
    const before = this.probes.length;
    this.probes = this.probes.filter((p) => p.leaseUntil > now);
    return before - this.probes.length;
  }

  add(permit: Permit, leaseUntil: Milliseconds): void {
    this.probes.push({ permit, leaseUntil });
  }

  /** The lease runs anew. A probe that has lost its place takes a free one again. */
  renew(permit: Permit, leaseUntil: Milliseconds, terms: ProbeTerms): void {
    const probe = this.probes.find((p) => p.permit === permit);
    if (probe !== undefined) probe.leaseUntil = leaseUntil;
    else if (permit > this.era && this.hasFreePlace(terms)) this.add(permit, leaseUntil);
  }

  addPlace(): void {
    this.extra += 1;
  }

  /**
   * The outcome of a probe, if it still counts. One that lost its place is heard all the same if
   * the dependency answered it well: a method that takes longer than the lease would never close
   * the breaker otherwise.
   */
  take(permit: Permit, good: boolean): boolean {
    const index = this.probes.findIndex((p) => p.permit === permit);
    if (index < 0) return good && permit > this.era;
    this.probes.splice(index, 1);
    return true;
  }

  count(good: boolean, slow: boolean): void {
    if (good) this.successes += 1;
    else this.failures += 1;
    if (slow) this.slow += 1;
  }

  /** `close` at enough successes, `open` as soon as they are out of reach, else undefined. */
  decision({ halfOpenCalls, successThreshold }: ProbeTerms): 'close' | 'open' | undefined {
    if (this.successes >= successThreshold) return 'close';
    return this.failures > halfOpenCalls - successThreshold ? 'open' : undefined;
  }

  evidence(): TripEvidence {
    const { successes, failures, slow } = this;
    const calls = successes + failures;
    return { rule: 'probes', calls, failures, slow, rate: failures / calls };
  }

  describe({ halfOpenCalls }: ProbeTerms): string {
    return `${this.successes} of ${halfOpenCalls} probes succeeded`;
  }
}
