import { Inject, Injectable, type MessageEvent, type OnModuleDestroy } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { Observable, type Subscriber } from 'rxjs';
import { type Clean, makeClean } from '../../errors/record/clean.js';
import { factsOf } from '../../errors/record/facts.js';
import type { CancelTimer, Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { ResilienceEvent } from '../../kernel/event.js';
import { ApplicationRuntime } from '../application-runtime.js';
import type { ResilienceConfig } from '../config.js';
import { backgroundOf } from '../background.js';
import { CLOCK, CONFIG } from '../tokens.js';
import { Refusal } from './access/refusal.js';
import { rawResponse } from './access/requests.js';
import { ApplicationShutdown } from './shutdown.providers.js';
import { seconds, snake } from './wire/answers.js';
import { outgoing } from './wire/outgoing.js';

interface Client {
  readonly subscriber: Subscriber<MessageEvent>;
  readonly response: ServerResponse;
  readonly since: Milliseconds;
  readonly waiting: object[];
  /** Events that had no room. */
  missed: number;
  toldAt: Milliseconds;
  /** Since when it takes nothing. */
  stuckAt: Milliseconds | undefined;
}

const MAX_CLIENTS = 10;
/** Events are sent in batches, so that it can be seen in between whether the client reads. */
const TICK: Milliseconds = 250;
const BATCH = 100;
const MAX_WAITING = 500;
const HEARTBEAT: Milliseconds = 15_000;
/** A client that takes nothing for so long is dropped. */
const PATIENCE: Milliseconds = 10_000;
/** The right to look was asked for when it came; it is to ask again. */
const LIFE: Milliseconds = 900_000;
const MAX_BUFFERED = 64 * 1024;

/** The events of the application for those who watch, in bounded memory whatever they do. */
@Injectable()
export class EventFeed implements OnModuleDestroy {
  private readonly clients = new Set<Client>();
  private readonly clean: Clean;
  private stop: () => void = () => {};
  private cancel: CancelTimer = () => {};
  private isOver = false;

  constructor(
    @Inject(ApplicationRuntime) private readonly runtime: ApplicationRuntime,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) config: ResilienceConfig | undefined,
    @Inject(ApplicationShutdown) private readonly ending: ApplicationShutdown,
  ) {
    this.clean = makeClean(config?.errors?.log?.redact);
    ending.draining.addEventListener('abort', () => this.end());
  }

  /** How many watch. */
  get size(): number {
    return this.clients.size;
  }

  /** @throws Refusal if too many watch, or the application ends */
  open(response: unknown): Observable<MessageEvent> {
    if (this.isEnding) throw new Refusal(503, 'SHUTTING_DOWN', 'The application shuts down.');
    if (this.clients.size >= MAX_CLIENTS)
      throw new Refusal(429, 'TOO_MANY_CLIENTS', `At most ${MAX_CLIENTS} watch at once.`);
    return new Observable((subscriber) => this.add(subscriber, rawResponse(response)));
  }

  onModuleDestroy(): void {
    this.end();
  }

  /** Ends all streams; there will be no more. */
  end(): void {
    this.isOver = true;
    for (const { subscriber } of this.clients) subscriber.complete();
  }

  private get isEnding(): boolean {
    return this.isOver || this.ending.draining.aborted;
  }

  private add(subscriber: Subscriber<MessageEvent>, response: ServerResponse): void {
    // many may have asked before the first of them came this far
    if (this.isEnding || this.clients.size >= MAX_CLIENTS) {
      subscriber.complete();
      return;
    }
    const now = this.clock.now();
    const client: Client = {
      subscriber,
      response,
      since: now,
      waiting: [],
      missed: 0,
      toldAt: now,
      stuckAt: undefined,
    };
    this.clients.add(client);
    subscriber.add(() => this.remove(client));
    if (this.clients.size > 1) return;
    this.stop = this.runtime.bus.listen((event) => this.heard(event));
    this.plan();
  }

  private remove(client: Client): void {
    this.clients.delete(client);
    if (this.clients.size > 0) return;
    this.stop();
    this.cancel();
  }

  private heard(event: ResilienceEvent): void {
    // made once, and in a storm not at all: who watches must not slow down what is watched
    let data: object | undefined;
    for (const client of this.clients) {
      if (client.waiting.length < MAX_WAITING) client.waiting.push((data ??= this.shown(event)));
      else client.missed += 1;
    }
  }

  private shown(event: ResilienceEvent): object {
    const { at, ...facts } = event;
    const error = 'error' in event ? { error: factsOf(event.error, { clean: this.clean }) } : {};
    const entry = { ...snake({ ...facts, ...error }), timestamp: seconds(at) };
    return outgoing(entry, this.clean) as object;
  }

  private plan(): void {
    const again = (): void => {
      for (const client of this.clients) this.serve(client);
      if (this.clients.size > 0) this.plan();
    };
    this.cancel = backgroundOf(this.clock)(again, TICK);
  }

  private serve(client: Client): void {
    const { subscriber, waiting } = client;
    const now = this.clock.now();
    if (this.isEnding || now - client.since >= LIFE) {
      subscriber.complete();
    } else if (isBackedUp(client.response)) {
      client.stuckAt ??= now;
      if (now - client.stuckAt < PATIENCE) return;
      client.response.destroy();
      subscriber.complete();
    } else {
      client.stuckAt = undefined;
      for (const data of waiting.splice(0, BATCH)) this.send(client, { data }, now);
      if (now - client.toldAt < HEARTBEAT && client.missed === 0) return;
      const data = { timestamp: seconds(this.clock.epoch()), missed: client.missed };
      client.missed = 0;
      this.send(client, { type: 'heartbeat', data }, now);
    }
  }

  private send(client: Client, message: MessageEvent, now: Milliseconds): void {
    client.toldAt = now;
    client.subscriber.next(message);
  }
}

function isBackedUp({ socket, writableNeedDrain }: ServerResponse): boolean {
  return writableNeedDrain || (socket?.writableLength ?? 0) > MAX_BUFFERED;
}
