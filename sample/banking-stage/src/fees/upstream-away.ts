import { CircuitOpenError } from 'nestjs-bulwark';

/**
 * The other side is not there, or hung up. Not in here: codes by which this process says that it
 * has run out of something itself (EMFILE, EADDRNOTAVAIL), which whoever floods it can bring about.
 */
const NOT_THERE: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'UND_ERR_SOCKET',
]);

/**
 * Whether the call failed because the service is known to be away: the breaker says so after many
 * calls in a row, or the connection did. Our own timeout says only that we stopped listening, and
 * an error status only that this one request was not answered; either may be the sender's doing.
 */
export function upstreamIsAway(error: unknown): boolean {
  if (error instanceof CircuitOpenError) return true;
  // `fetch` hides the code of a broken connection one level down.
  return NOT_THERE.has(field(error, 'code')) || NOT_THERE.has(field(field(error, 'cause'), 'code'));
}

function field(of: unknown, name: string): unknown {
  if (typeof of !== 'object' || of === null) return undefined;
  return (of as Readonly<Record<string, unknown>>)[name];
}
