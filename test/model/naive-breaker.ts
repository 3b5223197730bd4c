import type { Outcome } from '../../lib/kernel/outcome.js';
import type { CircuitBreakerOptions } from '../../lib/policies/circuit-breaker/circuit-breaker.options.js';

/** What a naive breaker goes by: the options, in whole numbers and with nothing left to defaults. */
export interface NaiveTerms {
  /** `run`: failures in a row only. `rate`: a share only. `default`: both, as without options. */
  kind: 'run' | 'rate' | 'default';
  threshold: number;
  /** Tenths. */
  rate: number;
  minimum: number;
  window: number | { calls: number };
  slowAfter: number | undefined;
  /** Tenths. */
  slowRate: number;
  openFor: number;
  max: number;
  maxRetryAfter: number;
  successes: number;
  calls: number;
  lease: number;
  /** Twentieths. */
  steps: number[];
  stepCalls: number;
}

/** The options of a real breaker that goes by the same terms. */
export function optionsOf(t: NaiveTerms): CircuitBreakerOptions {
  return {
    ...(t.kind === 'run' ? { failureThreshold: t.threshold } : {}),
    ...(t.kind === 'rate' ? { failureRate: t.rate / 10 } : {}),
    ...(t.kind === 'run' && t.slowAfter === undefined ? {} : { minimumCalls: t.minimum }),
    window: t.window,
    ...(t.slowAfter === undefined
      ? {}
      : { slowCallDuration: t.slowAfter, slowCallRate: t.slowRate / 10 }),
    openFor: t.openFor,
    maxOpenFor: t.max,
    maxRetryAfter: t.maxRetryAfter,
    openJitter: 0,
    successThreshold: t.successes,
    halfOpenCalls: t.calls,
    halfOpenLease: t.lease,
    gradualClose:
      t.steps.length === 0 ? false : { steps: t.steps.map((s) => s / 20), calls: t.stepCalls },
  };
}

interface Told {
  outcome: Outcome;
  slow: boolean;
  at: number;
  retryAfter: number;
}

type Verdict = 'counted' | 'stale' | 'nothing';

/** The breaker as one page of obvious code: it keeps everything and counts anew each time. */
export class NaiveBreaker {
  state: 'closed' | 'open' | 'half-open' | 'recovering' | 'isolated' | 'disabled' = 'closed';
  until = 0;
  trips = 0;
  step = 0;
  lastTrip: { rule: string; calls: number; failures: number; slow: number } | undefined;
  private history: Told[] = [];
  private told: Told[] = [];
  private probes = new Map<number, number>();
  private good = 0;
  private bad = 0;
  private slowOnes = 0;
  private credit = 0;
  private admittedAt = 0;
  private holds: { kind: 'isolated' | 'disabled' }[] = [];
  private era = 0;
  private readonly eras = new Map<number, number>();

  constructor(public o: NaiveTerms) {}

  admits(now: number): boolean {
    if (this.state === 'isolated') return false;
    if (this.state === 'open') return now >= this.until;
    if (this.state === 'recovering') {
      return this.credit >= 20 || now - this.admittedAt >= this.o.lease;
    }
    if (this.state !== 'half-open') return true;
    const alive = [...this.probes.values()].filter((until) => until > now).length;
    return this.good + this.bad + alive < this.o.calls;
  }

  enter(id: number, now: number): boolean {
    const admitted = this.admits(now);
    if (this.state === 'recovering') {
      if (admitted) {
        this.credit = Math.max(0, this.credit - 20);
        this.admittedAt = now;
      }
      this.credit += this.o.steps[this.step]!;
    }
    if (this.state === 'half-open' && this.good + this.bad + this.probes.size >= this.o.calls) {
      for (const [probe, until] of this.probes) if (until <= now) this.probes.delete(probe);
    }
    if (!admitted) return false;
    if (this.state === 'open') this.become('half-open');
    if (this.state === 'half-open') this.probes.set(id, now + this.o.lease);
    this.eras.set(id, this.era);
    return true;
  }

  settle(id: number, outcome: Outcome, now: number, duration?: number, retryAfter = 0): Verdict {
    if (this.eras.get(id) !== this.era) return 'stale';
    if (this.state === 'disabled') return 'nothing';
    const slow = duration !== undefined && duration > (this.o.slowAfter ?? Infinity);
    const answered = outcome === 'success' || outcome === 'ignored';
    if (this.state === 'half-open' && !this.probes.delete(id) && (!answered || slow)) {
      return 'stale';
    }
    if (!answered && outcome !== 'failure') return 'counted';
    if (this.state === 'closed' && outcome === 'ignored') return 'counted';
    const one = { outcome, slow, at: now, retryAfter };
    if (!answered || slow) this.told.push(one);
    if (this.state === 'closed') {
      this.history.push(one);
      const found = this.judge(now);
      if (found !== undefined) this.open(found, now);
      return 'counted';
    }
    if (slow) this.slowOnes += 1;
    if (answered && !slow) this.good += 1;
    else this.bad += 1;
    if (this.state === 'half-open') this.decide(now);
    else this.decideStep(now);
    return 'counted';
  }

  record(outcome: 'success' | 'failure', now: number, duration?: number): Verdict {
    return this.enter(-1, now) ? this.settle(-1, outcome, now, duration) : 'stale';
  }

  hold(kind: 'isolated' | 'disabled'): () => void {
    const hold = { kind };
    this.holds.push(hold);
    this.obey();
    return () => this.drop(hold);
  }

  release(): void {
    const last = (kind: string): { kind: 'isolated' | 'disabled' } | undefined =>
      this.holds.filter((h) => h.kind === kind).at(-1);
    const hold = last('isolated') ?? last('disabled');
    if (hold !== undefined) this.drop(hold);
  }

  openFor(ms: number, now: number): void {
    if (this.holds.length > 0) return;
    this.until = now + ms;
    this.become('open');
  }

  reset(): void {
    if (this.holds.length === 0) this.close();
  }

  reconfigure(o: NaiveTerms, now: number): void {
    this.o = o;
    if (this.state === 'half-open') this.decide(now);
    if (this.state !== 'recovering') return;
    if (o.steps.length === 0) this.close();
    else this.step = Math.min(this.step, o.steps.length - 1);
  }

  /** The failures and slow calls that the window holds. */
  counts(now: number): { calls: number; failures: number; slow: number } {
    const { window } = this.o;
    const rates = this.o.kind !== 'run' || this.o.slowAfter !== undefined;
    const tick = (at: number): number => Math.floor(at / ((window as number) / 10));
    const known = !rates
      ? []
      : typeof window === 'object'
        ? this.history.slice(-window.calls)
        : this.history.filter(({ at }) => tick(at) >= tick(now) - 10);
    return {
      calls: known.length,
      failures: known.filter(({ outcome }) => outcome === 'failure').length,
      slow: known.filter(({ slow }) => slow).length,
    };
  }

  private judge(now: number): NaiveBreaker['lastTrip'] {
    const { kind, rate, slowRate, slowAfter, threshold, window, minimum } = this.o;
    const { calls, failures, slow } = this.counts(now);
    const enough = calls >= Math.min(minimum, typeof window === 'object' ? window.calls : minimum);
    if (enough && calls > 0) {
      const share = kind === 'default' ? 5 : rate;
      if (kind !== 'run' && failures > 0 && failures * 10 >= share * calls)
        return { rule: 'failure-rate', calls, failures, slow };
      if (slowAfter !== undefined && slow > 0 && slow * 10 >= slowRate * calls)
        return { rule: 'slow-rate', calls, failures, slow };
      if (kind === 'default') return undefined;
    }
    if (kind === 'rate') return undefined;
    const limit = kind === 'default' ? 5 : threshold;
    const lastGood = this.history.findLastIndex(({ outcome }) => outcome === 'success');
    const run = this.history.slice(lastGood + 1);
    if (run.length < limit) return undefined;
    const inTime = typeof window === 'object' || now - run.at(-limit)!.at <= window;
    if (!inTime) return undefined;
    return { rule: 'failure-threshold', calls: run.length, failures: run.length, slow: 0 };
  }

  private decide(now: number): void {
    const { good, bad, slowOnes: slow } = this;
    if (good >= this.o.successes) {
      if (this.o.steps.length === 0) this.close();
      else this.recover(0, now);
    } else if (bad > this.o.calls - this.o.successes) {
      this.open({ rule: 'probes', calls: good + bad, failures: bad, slow }, now);
    }
  }

  private decideStep(now: number): void {
    if (this.bad > 0) {
      if (this.step > 0) this.recover(this.step - 1, now);
      else {
        const { good, slowOnes: slow } = this;
        this.open({ rule: 'recovery', calls: good + 1, failures: 1, slow }, now);
      }
    } else if (this.good >= this.o.stepCalls) {
      if (this.step + 1 === this.o.steps.length) this.close();
      else this.recover(this.step + 1, now);
    }
  }

  private recover(step: number, now: number): void {
    this.become('recovering');
    this.step = step;
    this.credit = 20;
    this.admittedAt = now;
  }

  private open(trip: NonNullable<NaiveBreaker['lastTrip']>, now: number): void {
    const { openFor, max, maxRetryAfter } = this.o;
    const causes = this.told.slice(-10).filter((t) => {
      if (trip.rule === 'slow-rate') return t.slow;
      return t.outcome === 'failure' || trip.rule === 'probes' || trip.rule === 'recovery';
    });
    const counted = trip.rule === 'slow-rate' ? trip.slow : trip.failures;
    const behind =
      trip.rule === 'probes' || trip.rule === 'recovery' ? causes : causes.slice(-counted);
    const wishes = behind.map((t) => t.at + Math.min(t.retryAfter, maxRetryAfter) - now);
    this.until = now + Math.max(Math.min(openFor * 2 ** this.trips, max), ...wishes);
    this.trips += 1;
    this.lastTrip = trip;
    this.become('open');
  }

  private close(): void {
    this.trips = 0;
    this.history = [];
    this.become('closed');
  }

  private drop(hold: { kind: 'isolated' | 'disabled' }): void {
    if (!this.holds.includes(hold)) return;
    this.holds = this.holds.filter((h) => h !== hold);
    this.obey();
  }

  private obey(): void {
    const isolated = this.holds.some(({ kind }) => kind === 'isolated');
    const wish = isolated ? 'isolated' : this.holds.length > 0 ? 'disabled' : 'closed';
    if (wish === 'closed') this.close();
    else if (wish !== this.state) this.become(wish);
  }

  private become(state: NaiveBreaker['state']): void {
    if (state !== 'recovering' && state !== 'isolated' && state !== 'disabled') this.told = [];
    this.state = state;
    this.era += 1;
    this.probes = new Map();
    this.good = 0;
    this.bad = 0;
    this.slowOnes = 0;
  }
}
