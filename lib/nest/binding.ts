import type { Method } from '../pipeline/call.js';
import type { MethodRecord } from './method-record.js';

/** The injection token of the runtime holder, the same in every copy of the package. */
export const RUNTIME_TOKEN = Symbol.for('bulwark:runtime');
/** The version of the agreement between decorated classes and the module that binds them. */
const PROTOCOL = 1;
const BRAND: unique symbol = Symbol.for('bulwark:protocol') as never;
const BINDING: unique symbol = Symbol.for('bulwark:binding') as never;

/** A class, as far as binding cares. */
export type AnyClass = { readonly name: string; readonly prototype: unknown };

/** Runs a protected call of one method of one class in one application. */
export type ProtectedRun = (method: Method, self: unknown, args: unknown[]) => unknown;

/** Makes the protected run of a method on its first call in the class. Supplied by the module. */
export type Host = (type: AnyClass, record: MethodRecord) => ProtectedRun;

/** The runs of one class in one application: state belongs to the class, never to the instance. */
export class ClassBinding {
  private readonly runs = new Map<MethodRecord, ProtectedRun>();

  constructor(
    readonly holder: RuntimeHolder,
    readonly type: AnyClass,
  ) {}

  /** Undefined as long as the application has no runtime yet, and after it has closed. */
  runOf(record: MethodRecord): ProtectedRun | undefined {
    return this.runs.get(record) ?? this.make(record);
  }

  private make(record: MethodRecord): ProtectedRun | undefined {
    const run = this.holder.host?.(this.type, record);
    if (run !== undefined) this.runs.set(record, run);
    return run;
  }
}

/**
 * What Nest injects into every instance with decorated methods: without dependencies of its own, so
 * that nothing is constructed early because of it, and filled when the runtime is there.
 */
export class RuntimeHolder {
  readonly [BRAND] = PROTOCOL;
  host: Host | undefined;
  closed = false;
  private readonly bindings = new WeakMap<object, ClassBinding>();
  private heirs: { readonly instance: WeakRef<object>; readonly holder: WeakRef<RuntimeHolder> }[] =
    [];

  bindingFor(type: AnyClass): ClassBinding {
    let binding = this.bindings.get(type);
    if (binding === undefined) {
      binding = new ClassBinding(this, type);
      this.bindings.set(type, binding);
    }
    return binding;
  }

  /** Another application has the instance too; it gets it when this one has closed. */
  bequeath(instance: object, holder: RuntimeHolder): void {
    this.heirs.push({ instance: new WeakRef(instance), holder: new WeakRef(holder) });
  }

  /** The application has closed: what it shared belongs to those that live. */
  close(): void {
    this.closed = true;
    const { heirs } = this;
    this.heirs = [];
    for (const heir of heirs) {
      const [instance, holder] = [heir.instance.deref(), heir.holder.deref()];
      if (instance !== undefined && holder?.closed === false) bindInstance(instance, holder);
    }
  }
}

/** Automatic mocks are truthy and have every property; ours has the brand with the right number. */
function isHolder(value: unknown): value is RuntimeHolder {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Partial<RuntimeHolder>)[BRAND] === PROTOCOL
  );
}

const frozen = new WeakMap<object, ClassBinding>();

/** Gives an instance the runtime of its application. The first application keeps a shared instance while it lives. */
export function bindInstance(instance: object, holder: unknown): void {
  if (!isHolder(holder)) return;
  const before = bindingOf(instance);
  if (before !== undefined && !before.holder.closed && before.holder !== holder) {
    before.holder.bequeath(instance, holder);
    return;
  }
  const type = classOf(instance);
  if (type === undefined) return;
  const value = holder.bindingFor(type);
  try {
    Object.defineProperty(instance, BINDING, {
      value,
      configurable: true,
      writable: true,
      enumerable: false,
    });
  } catch {
    frozen.set(instance, value); // frozen by its own constructor
  }
}

/** The class of an instance; undefined for what has none. */
export function classOf(instance: unknown): AnyClass | undefined {
  if (typeof instance !== 'object' || instance === null) return undefined;
  const prototype = Object.getPrototypeOf(instance) as { constructor?: unknown } | null;
  return typeof prototype?.constructor === 'function'
    ? (prototype.constructor as unknown as AnyClass)
    : undefined;
}

/** The binding of an instance; undefined for one that nobody bound, and for anything but an instance. */
export function bindingOf(self: unknown): ClassBinding | undefined {
  if (typeof self !== 'object' || self === null) return undefined;
  const binding = (self as { [BINDING]?: ClassBinding })[BINDING];
  if (binding !== undefined) return binding;
  return frozen.get(self);
}

/** Where Nest's property injection arrives on a class: an accessor, so that instances stay clean. */
export function receiveRuntime(prototype: object): void {
  Object.defineProperty(prototype, RUNTIME_TOKEN, {
    configurable: true,
    enumerable: false,
    get: () => undefined,
    set(this: object, holder: unknown) {
      bindInstance(this, holder);
    },
  });
}

interface UnboundListener {
  unboundCall(record: MethodRecord, self: unknown): void;
}

/** Weak: an application that is never closed, as in many tests, must not be kept by this list. */
let listeners: WeakRef<UnboundListener>[] = [];

/** Says who hears of calls of instances that nobody bound; of several applications, the one started last. */
export function listenToUnboundCalls(listener: UnboundListener): () => void {
  const entry = new WeakRef(listener);
  listeners = [...listeners.filter((other) => other.deref() !== undefined), entry];
  return () => {
    listeners = listeners.filter((other) => other !== entry);
  };
}

/** Tells the process's application, if there is one, that a method ran without its policies. */
export function unboundCall(record: MethodRecord, self: unknown): void {
  if (listeners.length === 0) return;
  const alive = listeners.findLast((entry) => entry.deref() !== undefined);
  alive?.deref()?.unboundCall(record, self);
}
