import type { Observable, Subscription } from 'rxjs';
import type { ResilienceEvent } from '../kernel/event.js';
import { ResilienceService } from '../nest/resilience.service.js';
import type { Application } from './steering.js';

/** Keeps the events of an application, for tests to look at. */
export class EventRecorder {
  readonly events: ResilienceEvent[] = [];
  private readonly subscription: Subscription;

  constructor(events$: Observable<ResilienceEvent>) {
    this.subscription = events$.subscribe((event) => {
      this.events.push(event);
    });
  }

  /** Records what happens in an application from now on. Events come a microtask after their cause. */
  static on(app: Application): EventRecorder {
    return new EventRecorder(app.get(ResilienceService).events$);
  }

  /** The events of one type, in order. */
  of<T extends ResilienceEvent['type']>(type: T): Extract<ResilienceEvent, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<ResilienceEvent, { type: T }> => event.type === type,
    );
  }

  /** Forgets what it has. */
  clear(): void {
    this.events.length = 0;
  }

  stop(): void {
    this.subscription.unsubscribe();
  }
}
