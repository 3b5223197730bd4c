import type { Milliseconds } from '../kernel/duration.js';
import type { BulkheadOptions } from '../policies/bulkhead/bulkhead.options.js';
import type { TimeLimitOptions } from '../policies/time-limit/time-limit.options.js';
import type { AsyncMethod, Fit } from './fallback-types.js';

// oxlint-disable-next-line typescript/no-explicit-any -- what is not said fits every method
export type AnyArgs = any[];

/** Options whose `key` takes these arguments. */
export type Keyed<O, A extends unknown[]> = Omit<O, 'key'> & {
  /** Gets the arguments of the call; each answer has a state of its own. Default: one for all calls. */
  key?: (...args: A) => string;
};

/** Options of a bulkhead whose `key` and `priority` take these arguments. */
export type BulkheadFor<K extends unknown[], P extends unknown[]> = Omit<
  Keyed<BulkheadOptions, K>,
  'priority'
> & {
  /** Gets the arguments of the call; answers its priority in the queue, 0 to 9, the highest first. Default 0. */
  priority?: (...args: P) => number;
};

/** Options of a time limit whose `ms` takes these arguments, after the number of the attempt. */
export type TimeLimitFor<A extends unknown[]> = Omit<TimeLimitOptions, 'ms'> & {
  /** Milliseconds for one attempt, or a function of its number, counted from 1, and the arguments of the call. */
  ms?: Milliseconds | ((attempt: number, ...args: A) => Milliseconds);
};

/** `never` where such a function can be called with the arguments of the method; else what is wrong. */
export type ArgumentMisfit<A extends unknown[], M extends AsyncMethod> = [
  (...args: A) => void,
] extends [(...args: Parameters<M>) => void]
  ? never
  : { readonly 'functions in the options must take the parameters of the method': Parameters<M> };

/** Decorates a method whose arguments the functions in the options take. */
export type ArgumentPolicy<A extends unknown[], B extends unknown[] = AnyArgs> = <
  M extends AsyncMethod,
>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Fit<ArgumentMisfit<A, M> | ArgumentMisfit<B, M>>,
) => void;
