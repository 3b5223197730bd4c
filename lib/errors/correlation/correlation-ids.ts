/** What a request says of the work that it belongs to. */
export interface Correlation {
  /** As the client or the gateway named it. */
  readonly correlationId?: string;
  /** The id of the distributed trace: 32 hexadecimal digits. */
  readonly traceId?: string;
}

/** A `traceparent` header, taken apart. */
export interface TraceParent {
  readonly version: number;
  readonly traceId: string;
  /** The id of the caller's span. */
  readonly parentId: string;
  readonly sampled: boolean;
}

/** Longer ids are nobody's ids. */
const LONGEST_ID = 128;
/** What ids are made of: UUIDs, ULIDs, base64 of both kinds, dotted and coloned paths. */
const ID = new RegExp(String.raw`^[\w.:/+=~-]{1,${LONGEST_ID}}$`);

const TRACE_PARENT =
  /^(?<version>[\da-f]{2})-(?<traceId>[\da-f]{32})-(?<parentId>[\da-f]{16})-(?<flags>[\da-f]{2})(?<more>-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_PARENT = '0'.repeat(16);
const LONGEST_TRACE_PARENT = 512;

/**
 * Reads a `traceparent` header as W3C Trace Context (Recommendation, 2021, 3.2) has it: version 00
 * exactly, later ones as far as they begin the same. Undefined for anything else: ids of nothing but
 * zeros, upper case, version ff, more than one value.
 */
export function parseTraceparent(header: unknown): TraceParent | undefined {
  if (typeof header !== 'string' || header.length > LONGEST_TRACE_PARENT) return undefined;
  const { version, traceId, parentId, flags, more } =
    TRACE_PARENT.exec(header.trim())?.groups ?? {};
  if (traceId === undefined || traceId === NO_TRACE || parentId === NO_PARENT) return undefined;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  return {
    version: Number.parseInt(version!, 16),
    traceId,
    parentId: parentId!,
    sampled: (Number.parseInt(flags!, 16) & 1) === 1,
  };
}

/**
 * The ids of a request: `x-correlation-id`, else `x-request-id`, and the trace of `traceparent`.
 * Headers come from outside: a value passes only if it is one value of 1 to 128 letters, digits and
 * `_ . : / + = ~ -`, so that it can stand in a log line, a label or a header as it is.
 *
 * @param headers by their names in lower case, as Node has them
 */
export function correlationFrom(headers: Readonly<Record<string, unknown>>): Correlation {
  const correlationId = idOf(headers['x-correlation-id']) ?? idOf(headers['x-request-id']);
  const traceId = parseTraceparent(headers['traceparent'])?.traceId;
  return {
    ...(correlationId !== undefined && { correlationId }),
    ...(traceId !== undefined && { traceId }),
  };
}

/** The value, if it is fit to be an id. */
export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && ID.test(value) ? value : undefined;
}
