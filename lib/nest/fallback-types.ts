import type { Observable } from 'rxjs';
import type { FallbackFunction, FallbackOptions } from '../policies/fallback/fallback.options.js';

// oxlint-disable-next-line typescript/no-explicit-any -- parameters are contravariant
export type AsyncMethod = (...args: any[]) => Promise<any> | Observable<any>;

type Answer<M extends AsyncMethod> =
  ReturnType<M> extends Promise<infer T> | Observable<infer T> ? T : never;
type Answers<T> = T | PromiseLike<T> | Observable<T>;

/** `const` type parameters keep words exact and make all else read-only, which this takes back. */
type Writable<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { -readonly [K in keyof T]: Writable<T[K]> }
    : T;

type AnswerFits<T, M extends AsyncMethod> = [T] extends [Answers<Answer<M>>]
  ? true
  : [Writable<T>] extends [Answers<Answer<M>>]
    ? true
    : false;

/** `never` where the fallback fits the method; else something that says what is wrong. */
type Misfit<T, A extends unknown[], M extends AsyncMethod> =
  AnswerFits<T, M> extends true
    ? [(...args: A) => void] extends [(...args: Parameters<M>) => void]
      ? never
      : {
          readonly 'the fallback must take the parameters of the method, after the error where it gets one': Parameters<M>;
        }
    : { readonly 'the fallback must answer what the method answers': Answer<M> };

/** The same for each of several alternatives; a function is one. */
type AlternativeMisfit<F, M extends AsyncMethod> = F extends readonly (infer E)[]
  ? AlternativeMisfit<E, M>
  : F extends (...args: infer A) => infer T
    ? Misfit<T, A, M>
    : never;

/** What a descriptor must be too: anything where there is no misfit. */
export type Fit<P> = [P] extends [never] ? unknown : P;

/** Decorates a method whose answers and parameters the fallback fits. */
export type FallbackPolicy<T, A extends unknown[]> = <M extends AsyncMethod>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Fit<Misfit<T, A, M>>,
) => void;

type HasMethods<K extends string, M extends AsyncMethod> = {
  readonly [P in K]: (error: never, ...args: Parameters<M>) => Answers<Answer<M>>;
};

/** Decorates a method of a class that has the fallback method, with fitting parameters and answer. */
export type FallbackMethodPolicy<K extends string> = <
  M extends AsyncMethod,
  C extends HasMethods<K, M>,
>(
  target: C,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** Decorates a method that each of the alternatives fits. */
export type FallbackAlternativePolicy<F> = <M extends AsyncMethod>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Fit<AlternativeMisfit<F, M>>,
) => void;

/** One of a list of fallbacks. */
export type FallbackEntry = FallbackFunction | FallbackOptions;

type MethodOf<E> = E extends { readonly method: infer K extends string } ? K : never;

type MisfitOf<E, M extends AsyncMethod> = E extends (error: unknown, ...args: infer A) => infer T
  ? Misfit<T, A, M>
  : E extends { readonly handler: (error: unknown, ...args: infer A) => infer T }
    ? Misfit<T, A, M>
    : E extends { readonly value: infer T }
      ? Misfit<T, unknown[], M>
      : E extends { readonly cache: { readonly key: (...args: infer A) => unknown } }
        ? Misfit<never, A, M>
        : E extends { readonly alternative: infer F }
          ? AlternativeMisfit<F, M>
          : never;

/** Decorates a method that every fallback of the list fits. */
export type FallbackListPolicy<L extends readonly FallbackEntry[]> = <
  M extends AsyncMethod,
  C extends HasMethods<MethodOf<L[number]>, M>,
>(
  target: C,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Fit<MisfitOf<L[number], M>>,
) => void;
