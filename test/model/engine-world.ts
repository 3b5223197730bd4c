// A world of random calls through all policies at once, for the engine's invariants.
import type { PolicySet } from 'nestjs-bulwark';
import { Observable } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import type { Target } from '../../lib/pipeline/target.js';
import { Nested } from '../support/nested.js';
import { type Face, FACES, RunningCall } from '../support/stage.js';

/** What a method does when it is called. */
export type Behaviour =
  | 'waits'
  | 'nested'
  | 'answers'
  | 'bad answer'
  | 'rejects'
  | 'not found'
  | 'throws'
  | 'throws undefined'
  | 'calls back twice'
  | 'then throws';

export type WorkEnd = 'resolve' | 'bad' | 'reject' | 'not found' | 'emit';

/** A value that `retryOnResult` and `isFailure` do not like. */
export const BAD = 'bad';

interface Work {
  end(how: WorkEnd): void;
}

const down = (): Error => new Error('down');
const notFound = (): Error => Object.assign(new Error('not found'), { status: 404 });

export const WORLD_FACES = [...FACES.map(({ name }) => name), 'stream'] as const;
export type WorldFace = (typeof WORLD_FACES)[number];

/** What is asked of a target when nothing runs any more. */
interface Rest {
  readonly slots: unknown;
  readonly turns: unknown;
  readonly budget: unknown;
}

export class World {
  readonly stage: Nested;
  readonly inner: Target;
  readonly calls: RunningCall[] = [];
  /** Calls of the inner method, and how they ended. */
  nested = 0;
  nestedEnded = 0;
  private readonly face: WorldFace;
  private works: Work[] = [];
  private draining = false;

  constructor(face: WorldFace, policies: PolicySet, inner: PolicySet, seed: number) {
    this.face = face;
    const of = face === 'stream' ? 'observable' : face;
    this.stage = new Nested(FACES.find(({ name }) => name === of) as Face, policies, seed);
    this.inner = this.stage.inner(inner);
  }

  get targets(): readonly Target[] {
    return [this.stage.target, this.inner];
  }

  call(behaviour: Behaviour): void {
    const call =
      this.face === 'stream'
        ? this.listen(behaviour)
        : this.stage.call(() => this.perform(behaviour));
    this.calls.push(call);
  }

  /** A fallback or a hook that is waited for. */
  readonly wait = (): Promise<unknown> => this.promise();

  end(which: number, how: WorkEnd): void {
    if (this.works.length === 0) return;
    const i = which % this.works.length;
    const work = this.works[i]!;
    if (how !== 'emit') this.works.splice(i, 1);
    work.end(how);
  }

  leave(which: number): void {
    const open = this.calls.filter((call) => call.isPending);
    if (this.face === 'promise' || open.length === 0) return;
    open[which % open.length]!.cancel();
  }

  /** Ends everything that runs, and whatever that starts, until nothing is left to come. */
  async drain(): Promise<void> {
    this.draining = true;
    for (let round = 0; round < 200; round += 1) {
      for (const work of this.works.splice(0)) work.end('resolve');
      await this.stage.clock.advance(10_000);
      if (this.works.length === 0 && this.stage.clock.pending === 0) return;
    }
    throw new Error('there is no end');
  }

  rest({ pipeline }: Target): Rest {
    const { bulkhead, rateLimit } = pipeline.lane;
    const { budget } = pipeline;
    const slots = bulkhead?.policy.snapshot();
    return {
      slots: slots && [slots.running, slots.queued, slots.orphaned],
      turns: rateLimit?.policy.snapshot().waiting,
      budget: budget && [budget.calls, budget.retries],
    };
  }

  private perform(behaviour: Behaviour): Promise<unknown> {
    switch (behaviour) {
      case 'waits':
        return this.promise();
      case 'nested':
        return this.askInner();
      case 'answers':
        return Promise.resolve('ok');
      case 'bad answer':
        return Promise.resolve(BAD);
      case 'rejects':
        return Promise.reject(down());
      case 'not found':
        return Promise.reject(notFound());
      case 'throws':
        throw down();
      case 'throws undefined':
        // oxlint-disable-next-line typescript/only-throw-error -- that is the case
        throw undefined;
      case 'calls back twice':
        // oxlint-disable-next-line unicorn/no-thenable -- that is the case
        return { then: (good: (v: unknown) => void) => (good('ok'), good('again')) } as never;
      case 'then throws':
        return Object.assign(new Promise(() => {}), {
          // oxlint-disable-next-line unicorn/no-thenable -- that is the case
          then() {
            throw down();
          },
        });
      default:
        return behaviour satisfies never;
    }
  }

  private async askInner(): Promise<unknown> {
    await this.promise();
    this.nested += 1;
    try {
      return await this.stage.ask(this.inner, () => this.promise());
    } finally {
      this.nestedEnded += 1;
    }
  }

  private promise(): Promise<unknown> {
    if (this.draining) return Promise.resolve('drained');
    return new Promise((resolve, reject) => {
      this.works.push({
        end: (how) => {
          if (how === 'resolve') resolve('ok');
          else if (how === 'bad') resolve(BAD);
          else if (how === 'reject') reject(down());
          else if (how === 'not found') reject(notFound());
        },
      });
    });
  }

  private listen(behaviour: Behaviour): RunningCall {
    const call = new RunningCall();
    const { target, self } = this.stage;
    const method = (): Observable<unknown> => {
      this.stage.executions += 1;
      return behaviour === 'waits' ? this.stream() : (this.perform(behaviour) as never);
    };
    const subscription = runObservable(target, method as never, self, []).subscribe({
      next: (value) => call.values.push(value),
      error: (error: unknown) => (call.ending = { error }),
      complete: () => (call.ending = { value: call.values.at(-1) }),
    });
    call.cancel = () => {
      call.ending = { cancelled: true };
      subscription.unsubscribe();
    };
    return call;
  }

  private stream(): Observable<unknown> {
    return new Observable((subscriber) => {
      if (this.draining) {
        subscriber.complete();
        return;
      }
      this.works.push({
        end: (how) => {
          if (how === 'emit') subscriber.next('value');
          else if (how === 'bad') subscriber.next(BAD);
          if (how === 'resolve' || how === 'bad') subscriber.complete();
          else if (how === 'reject') subscriber.error(down());
          else if (how === 'not found') subscriber.error(notFound());
        },
      });
    });
  }
}
