import { Inject } from '@nestjs/common';
import {
  checkComponent,
  type CheckpointComponentOptions,
} from '../../checkpoint/component/component.options.js';
import type { Fit } from '../fallback-types.js';
import { makeRecord } from '../method-record.js';
import { protect } from '../protect.js';
import type { AnyArgs, ArgumentMisfit } from '../typed-options.js';
import { CHECKPOINTS, isCheckpoints } from './checkpoints.js';
import { makeComponentRecord } from './component-record.js';

/**
 * Makes a provider a component: its state outlives a crash. Singletons only, one instance per name;
 * the state is there before any hook of the life cycle, `onModuleInit` included. See
 * `CheckpointComponentOptions`.
 */
export function CheckpointComponent(options: CheckpointComponentOptions): ClassDecorator {
  return (type) => {
    const prototype = type.prototype as object;
    makeRecord(prototype).mistakes.push(
      ...checkComponent(`${type.name} @CheckpointComponent`, options),
    );
    makeComponentRecord(prototype).options = options;
    receiveCheckpoints(prototype);
    // not optional: a component without its store must not start
    Inject(CHECKPOINTS)(prototype, CHECKPOINTS);
  };
}

/**
 * A field that is kept: a `DurableMap`, `DurableSet`, `DurableList` or `DurableValue` of a
 * `@CheckpointComponent`. Its name is on disk.
 */
export function Durable(): PropertyDecorator {
  return (prototype, key) => {
    if (typeof key === 'string') {
      makeComponentRecord(prototype).durable.push(key);
      return;
    }
    const at = `${prototype.constructor.name}.${String(key)} @Durable`;
    makeRecord(prototype).mistakes.push({
      at,
      problem: 'a symbol names the field, expected a string: its name is on disk',
    });
  };
}

/** How one method keeps what it does, its functions typed by its parameters and its result. */
export interface CheckpointFor<J extends unknown[], I extends unknown[], R> {
  /**
   * For captured state: what is to be written down of the call, for `applyEntry` to do it again.
   * Needs `rollback: true`.
   */
  journal?: (result: R, ...args: J) => unknown;
  /** For captured state: takes back what a failed call did, by the state before it. Default false. */
  rollback?: boolean;
  /**
   * Names the call: one with a name that was used before is not carried out, and gets the answer of
   * the first. The last 10,000 per component are known.
   */
  idempotencyKey?: (...args: I) => string;
}

// oxlint-disable-next-line typescript/no-explicit-any -- parameters are contravariant
type PromiseMethod = (...args: any[]) => Promise<any>;

/** `never` where `journal` takes what the method resolves to; else what is wrong. */
type ResultMisfit<R, M extends PromiseMethod> = [Awaited<ReturnType<M>>] extends [R]
  ? never
  : { readonly 'journal must take the result of the method': Awaited<ReturnType<M>> };

/** Decorates a method that returns a Promise, with whose parameters and result the options agree. */
export type CheckpointPolicy<J extends unknown[], I extends unknown[], R> = <
  M extends PromiseMethod,
>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M> &
    Fit<ArgumentMisfit<J, M> | ArgumentMisfit<I, M> | ResultMisfit<R, M>>,
) => void;

/**
 * Keeps what the method does to the state of its component: the caller is answered when it is on
 * disk, and what fails leaves no trace. Calls run one at a time per component; never call a remote
 * inside one. See `CheckpointOptions`.
 */
export function Checkpoint<
  J extends unknown[] = AnyArgs,
  I extends unknown[] = AnyArgs,
  // oxlint-disable-next-line typescript/no-explicit-any -- what is not said fits every method
  R = any,
>(options: CheckpointFor<J, I, R> = {}): CheckpointPolicy<J, I, R> {
  return (target, key, descriptor) =>
    protect(target, key, descriptor, 'checkpoint', options as never, undefined);
}

/** Where Nest's property injection arrives on a class: an accessor, so that instances stay clean. */
function receiveCheckpoints(prototype: object): void {
  Object.defineProperty(prototype, CHECKPOINTS, {
    configurable: true,
    enumerable: false,
    get: () => undefined,
    set(this: object, value: unknown) {
      if (isCheckpoints(value)) value.bind(this);
    },
  });
}
