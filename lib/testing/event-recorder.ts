import type { Observable, Subscription } from 'rxjs';
import type { ResilienceEvent } from '../kernel/event.js';

/** Keeps the events of an application, for tests to look at. */
export class EventRecorder {
  readonly events: ResilienceEvent[] = [];
  private readonly subscription: Subscription;

  constructor(events$: Observable<ResilienceEvent>) {
    this.subscription = events$.subscribe((event) => {
      this.events.push(event);
    });
  }

  /** The events of one type, in order. */
  of<T extends ResilienceEvent['type']>(type: T): Extract<ResilienceEvent, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<ResilienceEvent, { type: T }> => event.type === type,
    );
  }

  stop(): void {
    this.subscription.unsubscribe();
  }
}
