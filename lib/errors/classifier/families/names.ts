import { type ErrorClassification, row, table } from '../error-classification.js';
import { but } from '../error-classification.js';
import {
  CANCELLED,
  COMMUNICATION,
  MISCONFIGURED,
  PROGRAMMER,
  RESOURCE,
  TIMEOUT,
  VALIDATION,
} from '../kinds.js';
import type { Reading } from '../reading.js';

/** What is asked only of the error that was thrown, and only when neither it nor its causes say more. */
const NAMES = table('name', {
  AbortError: CANCELLED,
  CanceledError: CANCELLED, // axios
  CancelError: CANCELLED, // got
  TimeoutError: TIMEOUT,
  TypeError: PROGRAMMER,
  ReferenceError: PROGRAMMER,
  SyntaxError: PROGRAMMER,
  RangeError: PROGRAMMER,
  EvalError: PROGRAMMER,
  URIError: PROGRAMMER,
  AssertionError: PROGRAMMER,
  ValidationError: VALIDATION, // joi, yup, class-validator, mongoose
  ZodError: VALIDATION,
  CastError: VALIDATION,
  KnexTimeoutError: RESOURCE,
  ResilienceConfigError: MISCONFIGURED,
});
const ENGINE: ReadonlySet<string> = new Set([
  'TypeError',
  'ReferenceError',
  'SyntaxError',
  'RangeError',
  'EvalError',
  'URIError',
]);
const FETCH = row('fetch TypeError with a cause', COMMUNICATION);
const OUT_OF_MEMORY = row('message out of memory', but(RESOURCE, { severity: 'critical' }));

/** @param hasCause the engine's own TypeErrors have none; one that has is a library's, such as fetch's */
export function byName(at: Reading, hasCause: boolean): ErrorClassification | undefined {
  if (at.name === 'RangeError' || at.name === 'Error') {
    // the engine has no code for it: `Array buffer allocation failed` is a RangeError
    if (/out of memory|buffer allocation failed/i.test(at.message)) return OUT_OF_MEMORY;
  }
  if (hasCause && ENGINE.has(at.name)) return FETCH;
  return NAMES.get(at.name);
}
