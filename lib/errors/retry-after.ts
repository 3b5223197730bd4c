import type { Milliseconds } from '../kernel/duration.js';
import { ignore } from '../kernel/ignore.js';
import { isResilienceRejection } from '../kernel/rejection.js';

/** How deep `cause` is followed, the error itself included. */
const MAX_CAUSES = 5;
/** How many details of a gRPC error are looked at. */
const MAX_DETAILS = 20;

/**
 * How long whoever refused asks us to stay away, by the first of these found on the error or on
 * one of its causes:
 *
 * - `retryAfter` of our own refusals, in milliseconds;
 * - the headers `retry-after-ms` and `Retry-After` (seconds, also with a fraction, or an HTTP date:
 *   RFC 9110, 10.2.3 and 5.6.7), as fetch, undici, axios, got, http-errors, the AWS SDK and
 *   `HttpException`s with headers in their response carry them;
 * - `google.rpc.RetryInfo` among the decoded details of a gRPC error.
 *
 * What comes from outside is data: nonsense counts as not said, a date in the past as 0, and
 * nothing is negative, NaN or infinite. The answer may still be a million years: the limit is the
 * caller's business. Never throws.
 *
 * @param epoch the wall clock's time, for dates
 */
export function retryAfterOf(error: unknown, epoch: Milliseconds): Milliseconds | undefined {
  try {
    let current = error;
    for (let depth = 0; depth < MAX_CAUSES && isObject(current); depth += 1) {
      const announced = announcedBy(current, epoch);
      if (announced !== undefined) return announced;
      current = current['cause'];
    }
  } catch {
    // an error whose getters throw tells us nothing
  }
  return undefined;
}

type Bag = Record<string, unknown>;

function announcedBy(error: Bag, epoch: Milliseconds): Milliseconds | undefined {
  if (isResilienceRejection(error)) return wholeMs(error.retryAfter);
  return (
    byHeaders(error['headers'], epoch) ??
    byHeaders(member(error['response'], 'headers'), epoch) ??
    byHeaders(member(error['$response'], 'headers'), epoch) ??
    byDetails(error['statusDetails']) ??
    byDetails(error['details'])
  );
}

function byHeaders(headers: unknown, epoch: Milliseconds): Milliseconds | undefined {
  if (!isObject(headers)) return undefined;
  const ms = decimal(header(headers, 'retry-after-ms', 'Retry-After-Ms'), 1);
  if (ms !== undefined) return ms;
  const value = header(headers, 'retry-after', 'Retry-After');
  return decimal(value, 1_000) ?? (typeof value === 'string' ? byDate(value, epoch) : undefined);
}

/** From a `Headers`, an `AxiosHeaders`, a Map, or a plain object in one of two spellings. */
function header(headers: Bag, lower: string, upper: string): unknown {
  const got: unknown =
    typeof headers['get'] === 'function'
      ? Reflect.apply(headers['get'], headers, [lower])
      : (headers[lower] ?? headers[upper]);
  if (got instanceof Promise) ignore(got); // its rejection must not end the process
  return Array.isArray(got) ? (got as unknown[])[0] : got;
}

/** A number that is not negative, as text or as a number, in units of so many milliseconds. */
function decimal(value: unknown, unit: Milliseconds): Milliseconds | undefined {
  if (typeof value === 'number') return wholeMs(value * unit);
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  // a number too long for a number is still a number
  return /^\d+(?:\.\d+)?$/.test(text)
    ? wholeMs(Math.min(Number(text) * unit, Number.MAX_SAFE_INTEGER))
    : undefined;
}

function wholeMs(value: unknown): Milliseconds | undefined {
  const good = typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
  return good ? Math.ceil(value) : undefined; // up, for down would be early
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const TIME = String.raw`(?<h>[01]\d|2[0-3]):(?<m>[0-5]\d):(?<s>[0-5]\d|60)`;
/** The one form that is sent, and the two obsolete ones that must be understood. */
const HTTP_DATES = [
  new RegExp(String.raw`^\w{3}, (?<day>\d\d) (?<month>\w{3}) (?<year>\d{4}) ${TIME} GMT$`),
  new RegExp(String.raw`^\w{6,9}, (?<day>\d\d)-(?<month>\w{3})-(?<year>\d\d) ${TIME} GMT$`),
  new RegExp(String.raw`^\w{3} (?<month>\w{3}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];

function byDate(text: string, epoch: Milliseconds): Milliseconds | undefined {
  for (const form of HTTP_DATES) {
    const found = form.exec(text.trim())?.groups;
    if (found !== undefined) {
      const at = timeOf(found);
      return at === undefined ? undefined : wholeMs(Math.max(0, at - epoch));
    }
  }
  return undefined;
}

function timeOf(found: Record<string, string | undefined>): Milliseconds | undefined {
  // no month is found at -1, which is no whole number of months either
  const month = MONTHS.indexOf(found['month']!) / 3 + 1;
  const day = Number(found['day']);
  if (!Number.isInteger(month) || day < 1 || day > 31) return undefined;
  const given = Number(found['year']);
  const year = found['year']!.length > 2 ? given : given + (given < 70 ? 2_000 : 1_900);
  const seconds = (Number(found['h']) * 60 + Number(found['m'])) * 60 + Number(found['s']);
  return (daysSince1970(year, month, day) * 86_400 + seconds) * 1_000;
}

/**
 * Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil. `Date` is out of
 * bounds in this room, and its parser takes almost anything for a date.
 */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leaps = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leaps + dayOfYear - 719_468;
}

/** `google.rpc.RetryInfo`, as google-gax decodes it or as Google's JSON says it. */
function byDetails(details: unknown): Milliseconds | undefined {
  if (!Array.isArray(details)) return undefined;
  for (const detail of details.slice(0, MAX_DETAILS) as unknown[]) {
    const delay = member(detail, 'retryDelay');
    if (typeof delay === 'string' && delay.endsWith('s')) return decimal(delay.slice(0, -1), 1_000);
    if (isObject(delay)) {
      const { seconds = 0, nanos = 0 } = delay; // seconds may be a Long, or text
      return wholeMs(Number(seconds) * 1_000 + Number(nanos) / 1_000_000);
    }
  }
  return undefined;
}

function member(value: unknown, key: string): unknown {
  return isObject(value) ? value[key] : undefined;
}

function isObject(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null;
}
