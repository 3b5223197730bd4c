/**
 * Checked by `tsc --noEmit`, never run: what the decorators let a user write. Each
 * `@ts-expect-error` is a mistake that the compiler must find.
 */
import { Bulkhead, CircuitBreaker, Retry, TimeLimit } from 'nestjs-bulwark';
import { of, type Observable } from 'rxjs';

export class Good {
  @CircuitBreaker()
  @Retry({ maxAttempts: 5 })
  @Bulkhead({ maxConcurrent: 3 })
  @TimeLimit(500)
  async promise(_a: string, _b?: number, ..._rest: boolean[]): Promise<number> {
    return 1;
  }

  @TimeLimit({ ms: 500, returns: 'observable' })
  @CircuitBreaker({ returns: 'observable' })
  observable(): Observable<number> {
    return of(1);
  }

  @Retry()
  generic<T extends object>(value: T): Promise<T> {
    return Promise.resolve(value);
  }

  overloaded(a: string): Promise<string>;
  overloaded(a: number): Promise<number>;
  @Retry()
  async overloaded(a: string | number): Promise<string | number> {
    return a;
  }

  @Retry()
  async void(): Promise<void> {}

  @Retry()
  async never(): Promise<never> {
    throw new Error('always');
  }

  @Retry()
  protected async hidden(): Promise<void> {}

  @CircuitBreaker()
  private async secret(): Promise<void> {}

  @CircuitBreaker()
  async [Symbol.for('act')](): Promise<void> {
    await this.secret();
  }

  @Retry({ retryOn: [RangeError, 'ECONNRESET', (error) => error === 1], abortOn: TypeError })
  async matchers(): Promise<void> {}
}

export class Bad {
  // @ts-expect-error a synchronous method cannot wait
  @Retry()
  sync(): number {
    return 1;
  }

  // @ts-expect-error a method that returns nothing cannot be waited for
  @CircuitBreaker()
  nothing(): void {}

  // @ts-expect-error a getter is no method
  @Bulkhead()
  get value(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error an async generator answers many times
  @TimeLimit(500)
  async *items(): AsyncGenerator<number> {
    yield 1;
  }

  // @ts-expect-error a generator neither
  @Retry()
  *more(): Generator<number> {
    yield 1;
  }

  // @ts-expect-error a property has no descriptor to replace
  @Retry()
  property = async (): Promise<void> => {};

  // @ts-expect-error sometimes a promise is not enough
  @Retry()
  sometimes(now: boolean): number | Promise<number> {
    return now ? 1 : Promise.resolve(1);
  }

  @TimeLimit() // that of `defaults.timeLimit`; without one the boot says so
  async limitedByDefault(): Promise<void> {}

  // @ts-expect-error no such option
  @Retry({ retries: 3 })
  async unknownOption(): Promise<void> {}

  // @ts-expect-error a word, not a number
  @CircuitBreaker({ openFor: '5s' })
  async wrongUnit(): Promise<void> {}

  // @ts-expect-error no such back-off
  @Retry({ backoff: 'quadratic' })
  async wrongWord(): Promise<void> {}
}

// @ts-expect-error the decorators are for methods, not for classes
@CircuitBreaker()
export class NotAClassDecorator {}
