import { setImmediate } from 'node:timers';
import { config, Observable, type Observer, type Operator, Subject, type Subscription } from 'rxjs';
import type { ResilienceEvent } from '../kernel/event.js';

type EventType = ResilienceEvent['type'];

/** Hears of events. May be async; a rejection is treated like a throw. */
export type EventListener = (event: ResilienceEvent) => unknown;

/** So many events are delivered before timers and I/O have their turn: listeners may cause events for ever. */
const TURN = 1_000;

/**
 * Delivers events in order, after the step that caused them, so that a listener may call back into
 * any policy and can harm no call. A listener that throws is reported once and stays subscribed.
 */
export class EventBus {
  private readonly listeners = new Map<EventListener, ReadonlySet<EventType> | undefined>();
  private readonly reported = new WeakSet<object>();
  private readonly pending: ResilienceEvent[] = [];
  /** In this turn of the event loop. */
  private delivered = 0;

  /** @param report hears of a listener's first failure */
  constructor(private readonly report: (error: unknown) => void) {}

  /** Whether anybody listens to this type; an event that nobody hears need not be made. */
  wants(type: EventType): boolean {
    for (const only of this.listeners.values()) {
      if (only === undefined || only.has(type)) return true;
    }
    return false;
  }

  /** Subscribes, to some types or to all; the answer unsubscribes. */
  listen(listener: EventListener, only?: ReadonlySet<EventType>): () => void {
    this.listeners.set(listener, only);
    return () => this.listeners.delete(listener);
  }

  emit(event: ResilienceEvent): void {
    this.pending.push(event);
    // not queueMicrotask: one faked by a test would keep the events, and the bus would wait for ever
    if (this.pending.length === 1 && this.delivered < TURN)
      void Promise.resolve().then(() => this.deliver());
  }

  /** Calls one listener so that nothing it does comes back. `owner` is what is reported once. */
  call(owner: object, listener: EventListener, event: ResilienceEvent): void {
    this.guard(owner, () => listener(event));
  }

  /** The same for anything else that a listener brings along. */
  guard(owner: object, run: () => unknown): void {
    try {
      const answer = run();
      if (answer instanceof Promise) answer.catch((error: unknown) => this.failed(owner, error));
    } catch (error) {
      this.failed(owner, error);
    }
  }

  private deliver(): void {
    if (this.delivered === 0) setImmediate(() => this.nextTurn());
    const batch = this.pending.splice(0, TURN - this.delivered);
    this.delivered += batch.length;
    for (const event of batch) {
      for (const [listener, only] of this.listeners) {
        if (only === undefined || only.has(event.type)) this.call(listener, listener, event);
      }
    }
  }

  private nextTurn(): void {
    this.delivered = 0;
    if (this.pending.length > 0) this.deliver();
  }

  private failed(owner: object, error: unknown): void {
    if (this.reported.has(owner)) return;
    this.reported.add(owner);
    try {
      this.report(error);
    } catch {
      // a logger that throws has nobody left to tell
    }
  }
}

/**
 * Behind `merge` and its like, and behind a Subject, the last subscriber is none of ours, and rxjs
 * throws its error into the event loop. For as long as we deliver, rxjs is told to collect such
 * errors instead; a Subject is its public way to get them back.
 */
function throwingBack<T>(next: (value: T) => void): (value: T) => void {
  const relay = new Subject<T>();
  relay.subscribe({ next });
  return (value) => {
    const before = config.useDeprecatedSynchronousErrorHandling;
    config.useDeprecatedSynchronousErrorHandling = true;
    try {
      relay.next(value);
    } finally {
      config.useDeprecatedSynchronousErrorHandling = before;
    }
  };
}

type Next = ((event: ResilienceEvent) => unknown) | undefined | null;

/**
 * The bus as an Observable whose subscribers cannot hurt the process: rxjs throws the error of a
 * subscriber into the event loop, where it ends a Node process. Operators keep the protection.
 */
export class EventStream<T> extends Observable<T> {
  private constructor(
    private readonly bus: EventBus,
    subscribe?: (subscriber: Observer<T>) => () => void,
  ) {
    super(subscribe);
  }

  static of(bus: EventBus): EventStream<ResilienceEvent> {
    return new EventStream<ResilienceEvent>(bus, (subscriber) =>
      bus.listen(throwingBack((event) => subscriber.next(event))),
    );
  }

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new EventStream<R>(this.bus);
    // rxjs 7 has no other way to keep the class through operators
    Object.assign(lifted, { source: this, operator });
    return lifted;
  }

  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    const observer =
      typeof observerOrNext === 'function' ? { next: observerOrNext } : observerOrNext;
    // an operator's own subscriber must be passed as it is: rxjs reads more than the three methods
    if (observer !== null && typeof observer === 'object' && 'closed' in observer) {
      return super.subscribe(observer as Observer<T>);
    }
    const next = observer?.next as Next;
    const owner = observer ?? this;
    const guarded: Partial<Observer<T>> = {
      next: (value) => {
        if (next)
          this.bus.call(owner, (event) => Reflect.apply(next, observer, [event]), value as never);
      },
    };
    const onError = observer?.error ?? error;
    const onComplete = observer?.complete ?? complete;
    // an operator that throws ends the stream here; unheard, rxjs would end the process with it
    guarded.error = (thrown) =>
      this.bus.guard(owner, () => {
        if (!onError) throw thrown;
        return Reflect.apply(onError, observer, [thrown]);
      });
    if (onComplete) {
      guarded.complete = () => this.bus.guard(owner, () => Reflect.apply(onComplete, observer, []));
    }
    return super.subscribe(guarded);
  }
}
