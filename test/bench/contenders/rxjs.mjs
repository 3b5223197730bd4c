// The pipeline that one writes by hand around a method: it waits, tries again and answers instead. It knows
// nothing of other calls, so it has no breaker, bulkhead or rate limit.
import { catchError, defer, firstValueFrom, of, retry, throwError, timeout, timer } from 'rxjs';
import { failing, ok } from './methods.mjs';

const again = () => retry({ count: 2, delay: (_error, count) => timer(100 * 2 ** count) });
const zero = () => catchError(() => of(0));
const second = () => timeout({ first: 1_000, with: () => throwError(() => new Error('too late')) });

const guard =
  (operators, method = ok) =>
  () =>
  (value) =>
    firstValueFrom(defer(() => method(value)).pipe(...operators()));

export async function rxjs() {
  return {
    retry: guard(() => [again()]),
    'time-limit': guard(() => [second()]),
    fallback: guard(() => [zero()]),
    'fallback-used': guard(() => [zero()], failing),
    observable: () => (value) => defer(() => of(value)).pipe(second(), again(), zero()),
  };
}
