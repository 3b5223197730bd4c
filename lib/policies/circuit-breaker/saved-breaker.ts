import type { Milliseconds } from '../../kernel/duration.js';
import type { TripCounts } from './trip-rule.js';

/** A breaker as it may be written down, plain enough for any codec. */
export interface SavedBreaker extends TripCounts {
  /** When it was saved, by the wall clock. */
  readonly at: Milliseconds;
  /** Half-open and recovering are saved as open with a probe due: who was on the way is gone. */
  readonly state: 'closed' | 'open';
  /** While open: when a probe may pass, by the wall clock. */
  readonly probeAt?: Milliseconds;
  /** How often it opened since it was last closed. */
  readonly openings: number;
  /** Reasons of the isolations and disablings that hold it, oldest first. */
  readonly isolated: readonly string[];
  readonly disabled: readonly string[];
}

/** A saved breaker made legal. */
export interface LegalBreaker extends TripCounts {
  /** Milliseconds since it was saved. */
  readonly age: Milliseconds;
  readonly state: 'closed' | 'open';
  /** Milliseconds until a probe may pass. */
  readonly wait: Milliseconds;
  readonly openings: number;
  readonly isolated: readonly string[];
  readonly disabled: readonly string[];
  /** What was changed to make it legal, in words; empty if nothing was. */
  readonly changes: readonly string[];
}

/** More hands, or longer reasons, than anybody has. */
const MAX_HOLDS = 100;
const MAX_REASON = 200;

/** Beyond this the open time has reached its limit long ago. */
const MAX_OPENINGS = 1_000;
const MAX_CALLS = 1_000_000_000;

const UNREADABLE = 'not a saved breaker: closed';

const STATES = ['closed', 'open', 'half-open', 'recovering'];

/**
 * Makes a legal breaker of whatever was found where one had been saved. Nothing in it is believed:
 * a breaker that cannot be read is closed, and an open one is due for a probe after `longestOpen`.
 */
export function legalize(
  saved: unknown,
  epoch: Milliseconds,
  longestOpen: Milliseconds,
): LegalBreaker {
  try {
    return readSaved(saved, epoch, longestOpen);
  } catch {
    // a proxy with opinions, or the like: as if nothing had been there
    return { ...readSaved({ state: 'closed' }, epoch, longestOpen), changes: [UNREADABLE] };
  }
}

function readSaved(saved: unknown, epoch: Milliseconds, longestOpen: Milliseconds): LegalBreaker {
  const changes: string[] = [];
  const field = reader(saved, changes);

  const count = (name: string, max: number): number => {
    const value = field(name);
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max) {
      return value as number;
    }
    if (value !== undefined) changes.push(`${name} is not a whole number from 0 to ${max}: 0`);
    return 0;
  };
  const reasons = (name: string): string[] => {
    const value = field(name);
    const list = Array.isArray(value) ? value.slice(0, MAX_HOLDS) : [];
    const good = list.filter((v) => typeof v === 'string').map((v) => v.slice(0, MAX_REASON));
    const same = Array.isArray(value) && good.length === value.length;
    if (value !== undefined && !same)
      changes.push(`${name} is not a list of reasons: ${good.length} kept`);
    return good;
  };

  const state = stateOf(field('state'), changes);
  const calls = count('calls', MAX_CALLS);
  return {
    state: state === 'closed' ? 'closed' : 'open',
    wait: state === 'open' ? waitOf(field('probeAt'), epoch, longestOpen, changes) : 0,
    openings: count('openings', MAX_OPENINGS),
    calls,
    failures: count('failures', calls),
    slow: count('slow', calls),
    consecutiveFailures: count('consecutiveFailures', MAX_CALLS),
    age: ageOf(field('at'), epoch),
    isolated: reasons('isolated'),
    disabled: reasons('disabled'),
    changes,
  };
}

/** Reads own data fields only: neither a prototype nor a getter has a say. */
function reader(saved: unknown, changes: string[]): (name: string) => unknown {
  if (typeof saved !== 'object' || saved === null || Array.isArray(saved)) {
    changes.push(UNREADABLE);
    return (name) => (name === 'state' ? 'closed' : undefined);
  }
  return (name) => Object.getOwnPropertyDescriptor(saved, name)?.value as unknown;
}

function stateOf(value: unknown, changes: string[]): string {
  if (typeof value === 'string' && STATES.includes(value)) return value;
  changes.push('unknown state: closed');
  return 'closed';
}

function waitOf(
  probeAt: unknown,
  epoch: Milliseconds,
  longest: Milliseconds,
  changes: string[],
): Milliseconds {
  if (typeof probeAt !== 'number' || Number.isNaN(probeAt)) {
    changes.push('open without the time of its probe: due now');
    return 0;
  }
  const wait = Math.max(0, probeAt - epoch);
  if (wait <= longest) return wait;
  changes.push(`its probe is further away than ${longest} ms: due after them`);
  return longest;
}

/** A time that is not before now says nothing about what has been forgotten since. */
function ageOf(at: unknown, epoch: Milliseconds): Milliseconds {
  return typeof at === 'number' && at <= epoch ? epoch - at : Number.POSITIVE_INFINITY;
}
