import { Inject } from '@nestjs/common';
import {
  checkComponent,
  type CheckpointComponentOptions,
  type CheckpointOptions,
} from '../../checkpoint/component/component.options.js';
import { makeRecord } from '../method-record.js';
import { protect } from '../protect.js';
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

// oxlint-disable-next-line typescript/no-explicit-any -- parameters are contravariant
type Method<A extends any[], R> = (...args: A) => Promise<R>;

/**
 * Keeps what the method does to the state of its component: the caller is answered when it is on
 * disk, and what fails leaves no trace. Calls run one at a time per component; never call a remote
 * inside one. See `CheckpointOptions`.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- what is not said fits every method
export function Checkpoint<A extends any[] = any[], R = any>(
  options: CheckpointOptions<A, R> = {},
): <M extends Method<A, R>>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
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
