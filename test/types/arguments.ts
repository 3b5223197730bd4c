/**
 * Checked by `tsc --noEmit`, never run: the functions in the options of a policy get the arguments
 * of the call, so they must take them.
 */
import {
  Bulkhead,
  BulkheadInterceptor,
  CircuitBreaker,
  CircuitBreakerInterceptor,
  type CircuitBreakerOptions,
  RateLimit,
  RateLimitInterceptor,
  Resilient,
  TimeLimit,
  TimeLimitInterceptor,
} from 'nestjs-bulwark';

interface User {
  readonly id: string;
}
const shared: CircuitBreakerOptions = { key: (user: User) => user.id };
const idOf = (user: { readonly id: string }): string => user.id;

export class Good {
  @CircuitBreaker({ key: (user: User) => user.id })
  @RateLimit({ limit: 5, key: idOf })
  @Bulkhead({ key: (user: User) => user.id, priority: (_user: User, urgent: boolean) => +urgent })
  @TimeLimit({
    ms: (attempt: number, user: User, urgent: boolean) => attempt * user.id.length * +urgent,
  })
  async call(_user: User, _urgent: boolean): Promise<void> {}

  @CircuitBreaker({ key: () => 'all' })
  @Bulkhead({ priority: () => 1 })
  @TimeLimit({ ms: (attempt) => attempt * 100 })
  async fewer(_user: User): Promise<void> {}

  @CircuitBreaker({ key: (id) => id }) // without a type it may be anything, as before
  @Bulkhead({ priority: (_id, urgent) => urgent })
  async untyped(_id: string, _urgent: number): Promise<void> {}

  @CircuitBreaker({ key: (...args: unknown[]) => String(args) })
  async rest(_a: string, ..._more: number[]): Promise<void> {}

  @CircuitBreaker({ key: (id: string | undefined) => id ?? '' })
  async optional(_id?: string): Promise<void> {}

  @CircuitBreaker({ key: (value: unknown) => String(value) })
  async generic<T extends object>(value: T): Promise<T> {
    return value;
  }

  overloaded(a: string): Promise<string>;
  overloaded(a: number): Promise<number>;
  @RateLimit({ limit: 1, key: (a: string | number) => `${a}` })
  async overloaded(a: string | number): Promise<string | number> {
    return a;
  }

  @CircuitBreaker(shared)
  @Resilient({ bulkhead: { key: (user: User) => user.id } })
  async fromElsewhere(_user: User): Promise<void> {}

  @CircuitBreaker({ key: (user: User) => user.id, returns: 'promise', isFailure: ({ ok }) => !ok })
  async withRest(_user: User): Promise<void> {}
}

export class Bad {
  // @ts-expect-error the key takes something else
  @CircuitBreaker({ key: (user: User) => user.id })
  async breakerKey(_id: string): Promise<void> {}

  // @ts-expect-error the key takes more than the method has
  @CircuitBreaker({ key: (id: string, tenant: string) => id + tenant })
  async tooMany(_id: string): Promise<void> {}

  // @ts-expect-error it may be missing
  @CircuitBreaker({ key: (id: string) => id })
  async optional(_id?: string): Promise<void> {}

  // @ts-expect-error the key takes something else
  @RateLimit({ limit: 5, key: (user: User) => user.id })
  async limitKey(_id: string): Promise<void> {}

  // @ts-expect-error the key takes something else
  @Bulkhead({ key: (user: User) => user.id })
  async bulkheadKey(_id: string): Promise<void> {}

  // @ts-expect-error the priority takes something else
  @Bulkhead({ key: (id: string) => id, priority: (user: User) => user.id.length })
  async priority(_id: string): Promise<void> {}

  // @ts-expect-error after the number of the attempt comes something else
  @TimeLimit({ ms: (attempt: number, user: User) => attempt * user.id.length })
  async limit(_id: string): Promise<void> {}

  // @ts-expect-error a key is a string
  @CircuitBreaker({ key: (id: number) => id })
  async numericKey(_id: number): Promise<void> {}

  // @ts-expect-error a priority is a number
  @Bulkhead({ priority: (id: string) => id })
  async wordyPriority(_id: string): Promise<void> {}

  // @ts-expect-error a method still has to return a promise or an Observable
  @CircuitBreaker({ key: (id: string) => id })
  sync(_id: string): void {}

  // @ts-expect-error no such option
  @RateLimit({ limit: 1, limits: 3 })
  async unknownOption(): Promise<void> {}

  // @ts-expect-error the limit is required
  @RateLimit({ key: (id: string) => id })
  async noLimit(_id: string): Promise<void> {}
}

// behind an interceptor there is one argument
CircuitBreakerInterceptor.with({ key: (context) => context.getHandler().name });
RateLimitInterceptor.with({ limit: 5, key: (context) => context.getType() });
BulkheadInterceptor.with({ key: (context) => context.getClass().name, priority: () => 3 });
TimeLimitInterceptor.with({ ms: (attempt, context) => attempt * context.getArgs().length });
CircuitBreakerInterceptor.with(shared);
// @ts-expect-error it is no string
CircuitBreakerInterceptor.with({ key: (id: string) => id });
// @ts-expect-error neither is it a user
BulkheadInterceptor.with({ priority: (user: User) => user.id.length });
