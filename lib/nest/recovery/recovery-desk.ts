import { Inject, Injectable } from '@nestjs/common';
import { type Clean, makeClean } from '../../errors/record/clean.js';
import type { Clock } from '../../kernel/clock.js';
import type { RecoveryRequest } from '../../recovery/recovery-manager.js';
import { DangerDesk } from './access/danger-desk.js';
import type { Visit } from './access/visit.js';
import { Visits } from './access/visits.js';
import type { ResilienceConfig } from '../config.js';
import { CLOCK, CONFIG } from '../tokens.js';
import { seconds } from './wire/answers.js';
import { type Fields, fieldsOf, limitOf, refuseQuery } from './wire/incoming.js';
import { outgoing } from './wire/outgoing.js';
import { codeOf } from './wire/recovery-errors.filter.js';

/** What the work of a request is told of it. */
export interface Asked extends Required<RecoveryRequest> {
  readonly visit: Visit;
}

/** Takes the requests that the gate let in to their work, and its answers to the wire. */
@Injectable()
export class RecoveryDesk {
  private readonly clean: Clean;
  private readonly danger: DangerDesk;

  constructor(
    @Inject(Visits) private readonly visits: Visits,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) config: ResilienceConfig | undefined,
  ) {
    this.clean = makeClean(config?.errors?.log?.redact);
    this.danger = new DangerDesk(clock);
  }

  /** Answers a request that looks. */
  look(request: unknown, read: () => object | Promise<object>): Promise<object> {
    return this.settled(request, async () => {
      refuseQuery(request);
      return this.answer(await read());
    });
  }

  /** Answers a request for a list, of which the query may say how much. */
  list(request: unknown, read: (limit: number) => object): Promise<object> {
    return this.settled(request, async () => this.answer(read(limitOf(request))));
  }

  /** Answers a request that acts, with the fields of its body. */
  async act<B>(
    request: unknown,
    fields: Fields<B>,
    work: (body: B, asked: Asked) => object | Promise<object>,
  ): Promise<object> {
    return this.settled(request, async (visit) => {
      const body = fieldsOf(request, fields);
      const run = async (): Promise<object> => {
        const isKept = visit.level === 'danger' && DangerDesk.keyOf(visit) !== undefined;
        // who sends a key comes back for the answer, and does not call the work off by leaving
        const signal = isKept ? new AbortController().signal : leaving(visit);
        return this.answer(await work(body, { by: visit.actor, signal, visit }));
      };
      return visit.level === 'danger' ? this.danger.run(visit, body as object, run) : run();
    });
  }

  private answer(facts: object): object {
    const body = { success: true, timestamp: seconds(this.clock.epoch()), ...facts };
    return outgoing(body, this.clean) as object;
  }

  private async settled(
    request: unknown,
    work: (visit: Visit) => Promise<object>,
  ): Promise<object> {
    const visit = this.visits.of(request)!;
    visit.begin();
    try {
      const answer = await work(visit);
      visit.settle('done');
      return answer;
    } catch (error) {
      visit.settle('failed', codeOf(error));
      throw error;
    }
  }
}

/** Aborts when the client leaves, or was told something else by the application, before there is an answer. */
function leaving(visit: Visit): AbortSignal {
  const controller = new AbortController();
  visit.whenOver(() => {
    if (!visit.isSettled) controller.abort();
  });
  return controller.signal;
}
