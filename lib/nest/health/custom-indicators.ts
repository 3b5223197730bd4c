import type { HealthIndicatorResult } from '@nestjs/terminus';
import { clean } from '../../errors/record/clean.js';
import { REDACTED } from '../../errors/record/redact.js';
import { isSecretName } from '../../errors/record/secret-value.js';
import { askInTime } from '../../health/ask-in-time.js';
import { isOptionsObject } from '../../kernel/check.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** Of an indicator's texts, in characters. */
const MAX_TEXT = 2_048;

/**
 * Runs an indicator of the application with a deadline. Whatever it does, there is an answer: it
 * resolves, and the entry is `up`; it throws, rejects, hangs, or answers `false` or a status of
 * `down`, and the entry is `down`. What an indicator of Terminus answers is understood too.
 */
export async function runIndicator(
  name: string,
  check: (signal: AbortSignal) => unknown,
  timeout: Milliseconds,
  clock: Clock,
): Promise<HealthIndicatorResult> {
  // read in time as well: what it answers may be a proxy that throws
  const entry = async (signal: AbortSignal): Promise<unknown> => entryOf(await check(signal));
  const answer = await askInTime(`health indicator ${name}`, entry, timeout, clock);
  if ('problem' in answer)
    return { [name]: { status: 'down', message: clean(answer.problem, MAX_TEXT) } };
  return { [name]: answer.value as HealthIndicatorResult[string] };
}

function entryOf(answer: unknown): HealthIndicatorResult[string] {
  const said = statusesIn(answer);
  const status = answer === false || said.some(isDown) ? 'down' : 'up';
  // not as a status: Terminus 11 drops one that it does not know
  const state = status === 'up' && said.includes('degraded') ? { state: 'degraded' } : {};
  return { ...factsOf(answer), ...state, status };
}

function isDown(status: unknown): boolean {
  return status === 'down' || status === 'error';
}

/** Some answer a status instead of throwing, and those of Terminus with a name around each: `{ db: { status: 'down' } }`. */
function statusesIn(answer: unknown): unknown[] {
  if (!isOptionsObject(answer)) return [];
  const entries = Object.values(answer);
  const named = entries.every((entry) => isOptionsObject(entry) && 'status' in entry);
  return named ? entries.map((entry) => (entry as { status: unknown }).status) : [answer['status']];
}

/** Drivers put the URL that they connect to, password and all, into what they say. */
function cleanFact(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return isSecretName(name) ? REDACTED : clean(value, MAX_TEXT);
}

/** What an indicator tells, as far as it can be sent, without secrets. */
function factsOf(answer: unknown): object {
  if (!isOptionsObject(answer)) return {};
  try {
    return JSON.parse(JSON.stringify(answer), cleanFact) as object;
  } catch {
    return { details: 'cannot be written as JSON' };
  }
}
