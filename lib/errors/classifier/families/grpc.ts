import { type ErrorClassification, type Kind, row } from '../error-classification.js';
import {
  CANCELLED,
  COMMUNICATION,
  CONFLICT,
  DAMAGED,
  DEPENDENCY,
  FORBIDDEN,
  RESOURCE,
  TIMEOUT,
  UNSUPPORTED,
  VALIDATION,
} from '../kinds.js';
import type { Reading } from '../reading.js';

/** By number, from 0. https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const STATUS: readonly (ErrorClassification | undefined)[] = (
  [
    undefined, // OK is no error
    ['CANCELLED', DEPENDENCY],
    ['UNKNOWN', DEPENDENCY],
    ['INVALID_ARGUMENT', VALIDATION],
    ['DEADLINE_EXCEEDED', TIMEOUT],
    ['NOT_FOUND', VALIDATION],
    ['ALREADY_EXISTS', VALIDATION],
    ['PERMISSION_DENIED', FORBIDDEN],
    ['RESOURCE_EXHAUSTED', RESOURCE],
    ['FAILED_PRECONDITION', VALIDATION],
    ['ABORTED', CONFLICT],
    ['OUT_OF_RANGE', VALIDATION],
    ['UNIMPLEMENTED', UNSUPPORTED],
    ['INTERNAL', DEPENDENCY],
    ['UNAVAILABLE', COMMUNICATION],
    ['DATA_LOSS', DAMAGED],
    ['UNAUTHENTICATED', FORBIDDEN],
  ] as readonly (readonly [string, Kind] | undefined)[]
).map((entry, code) => entry && row(`grpc ${code} ${entry[0]}`, entry[1]));

const BY_THE_CLIENT = row('grpc 1 CANCELLED by the client', CANCELLED);

/** `ServiceError` of grpc-js: an integer alone would be anybody's. */
export function byGrpc(at: Reading): ErrorClassification | undefined {
  const { code } = at;
  if (typeof code !== 'number' || STATUS[code] === undefined) return undefined;
  const details = at.get('details');
  if (typeof details !== 'string') return undefined;
  const metadata = at.get('metadata');
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  // a server, or a proxy on the way, that breaks a call off uses the same number
  return code === 1 && details.startsWith('Cancelled on client') ? BY_THE_CLIENT : STATUS[code];
}
