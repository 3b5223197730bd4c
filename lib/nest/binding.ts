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

/** Hears of calls that ran plain. */
export interface UnboundListener {
  /** Whether its application has started. */
  readonly started: boolean;
  /** False while it is better told later: what it does not hear is kept for it. */
  readonly isListening: boolean;
  unboundCall(record: MethodRecord): void;
}

/** An application that gets an instance when the one that has it closes. */
interface Heir {
  readonly instance: WeakRef<object>;
  readonly holder: WeakRef<RuntimeHolder>;
}

/** Weak: an application that is never closed, as in many tests, must not be kept by this list. */
let holders: WeakRef<RuntimeHolder>[] = [];

/**
 * What Nest injects into every instance with decorated methods: without dependencies of its own, so
 * that nothing is constructed early because of it, and filled when the runtime is there.
 */
export class RuntimeHolder {
  readonly [BRAND] = PROTOCOL;
  host: Host | undefined;
  closed = false;
  listener: UnboundListener | undefined;
  private readonly unheard = new Set<MethodRecord>();
  /** How many reasons there are to expect instances that nobody has bound yet. */
  private arrivals = 1;
  private readonly bindings = new WeakMap<object, ClassBinding>();
  private heirs: Heir[] = [];
  private readonly willed = new WeakMap<object, WeakSet<RuntimeHolder>>();

  /** @param provides whether an instance is one of the application's, as far as Nest knows by now */
  constructor(private readonly provides: (instance: object) => boolean = () => false) {
    holders = [...holders.filter((other) => other.deref() !== undefined), new WeakRef(this)];
  }

  /** Until `arrived`, an unbound instance may be one that Nest has and the module has not seen. */
  arriving(): void {
    this.arrivals += 1;
  }

  arrived(): void {
    this.arrivals -= 1;
  }

  owns(instance: object): boolean {
    return this.arrivals > 0 && this.provides(instance);
  }

  get started(): boolean {
    return this.listener?.started === true;
  }

  unboundCall(record: MethodRecord): void {
    if (this.listener?.isListening === true) this.listener.unboundCall(record);
    else this.unheard.add(record);
  }

  /** Answers, once, the methods that ran plain and were not heard of. */
  takeUnheard(): MethodRecord[] {
    const own = orphans.filter(({ instance }) => bindingOf(instance.deref())?.holder === this);
    orphans = orphans.filter((other) => !own.includes(other));
    const taken = new Set([...this.unheard, ...own.map(({ record }) => record)]);
    this.unheard.clear();
    return [...taken];
  }

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
    // a factory may give the same one with each request
    let known = this.willed.get(instance);
    if (known === undefined) this.willed.set(instance, (known = new WeakSet<RuntimeHolder>()));
    if (known.has(holder)) return;
    known.add(holder);
    this.heirs.push({ instance: new WeakRef(instance), holder: new WeakRef(holder) });
  }

  /** It starts: what it shares with an application that has not started is its own, for that one may have failed to. */
  takeOver(): void {
    for (const other of alive()) {
      if (other === this || other.started) continue;
      for (const heir of other.heirs) {
        const instance = heir.instance.deref();
        if (instance === undefined || heir.holder.deref() !== this) continue;
        if (bindingOf(instance)?.holder !== other) continue;
        give(instance, this);
        this.bequeath(instance, other);
      }
    }
  }

  /** The application has closed: what it shared belongs to those that live. */
  close(): void {
    this.closed = true;
    holders = holders.filter((other) => other.deref() !== this);
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
  give(instance, holder);
}

function give(instance: object, holder: RuntimeHolder): void {
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

/** Binds an instance that came into its application unseen, from a factory or as a value; answers its binding. */
export function adopt(self: unknown): ClassBinding | undefined {
  if (holders.length === 0 || typeof self !== 'object' || self === null) return undefined;
  const owner = alive().find((holder) => holder.owns(self));
  if (owner !== undefined) bindInstance(self, owner);
  return bindingOf(self);
}

/** Tells the process's application, if there is one, that a method ran without its policies; of several, the one started last. */
export function unboundCall(self: unknown, record: MethodRecord): void {
  const all = holders.length === 0 ? [] : alive();
  const ear = all.findLast((holder) => holder.started) ?? all.at(-1);
  if (ear !== undefined) ear.unboundCall(record);
  else if (typeof self === 'object' && self !== null) orphan(self, record);
}

/** Calls from before there was any application. If one turns out to have the instance, they were its first. */
let orphans: { readonly instance: WeakRef<object>; readonly record: MethodRecord }[] = [];
const MAX_ORPHANS = 100;

function orphan(self: object, record: MethodRecord): void {
  if (orphans.length === MAX_ORPHANS) orphans.shift();
  orphans.push({ instance: new WeakRef(self), record });
}

function alive(): RuntimeHolder[] {
  return holders.map((entry) => entry.deref()).filter((holder) => holder !== undefined);
}
