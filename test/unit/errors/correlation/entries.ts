import type { ErrorContext } from '../../../../lib/errors/error-context.js';

let made = 0;

/** An entry of the log; `at` in seconds. */
export function entry(
  component: string,
  at: number,
  more: Partial<ErrorContext> = {},
): ErrorContext {
  made += 1;
  return {
    id: `e${made}`,
    fingerprint: `v1:${component}`,
    severity: 'medium',
    category: 'dependency',
    rule: 'test',
    component,
    method: 'call',
    error: { name: 'Error', message: 'no' },
    occurrences: 1,
    firstOccurrence: at * 1_000,
    lastOccurrence: at * 1_000,
    recoveryAttempts: 0,
    ...more,
  };
}
