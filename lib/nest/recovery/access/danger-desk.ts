import { createHash } from 'node:crypto';
import type { Clock } from '../../../kernel/clock.js';
import type { Milliseconds } from '../../../kernel/duration.js';
import { RecoveryError } from '../../../recovery/recovery.error.js';
import { Refusal } from './refusal.js';
import { headerOf } from './requests.js';
import type { Visit } from './visit.js';

interface Remembered {
  readonly at: Milliseconds;
  readonly fingerprint: string;
  readonly answer: Promise<object>;
}

/** How long, and how many, answers are kept for those who ask again with the same key. */
const KEPT: Milliseconds = 3_600_000;
const MAX_KEPT = 100;
const KEY = /^[\x21-\x2b\x2d-\x7e]{1,100}$/;

/** Lets one dangerous operation at a time through, and one with an `Idempotency-Key` once. */
export class DangerDesk {
  private readonly remembered = new Map<string, Remembered>();
  private isBusy = false;

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /** The key of a request. @throws Refusal for one that cannot be one */
  static keyOf({ request }: Visit): string | undefined {
    const key = headerOf(request, 'idempotency-key');
    if (key === undefined || (key !== null && KEY.test(key))) return key;
    const expected = '1 to 100 visible ASCII characters without a comma, once';
    throw new Refusal(400, 'IDEMPOTENCY_KEY', `Idempotency-Key: expected ${expected}.`);
  }

  /** @throws Refusal for a key that was used for something else; RecoveryError if another one is under way */
  run(visit: Visit, body: object, work: () => Promise<object>): Promise<object> {
    const key = DangerDesk.keyOf(visit);
    if (key === undefined) return this.alone(work);
    const name = digest([visit.actor, key]);
    const fingerprint = digest([visit.operation, JSON.stringify(Object.entries(body).toSorted())]);
    const known = this.recall(name);
    if (known !== undefined) {
      if (known.fingerprint === fingerprint) return known.answer;
      const message = 'This Idempotency-Key was used for another request.';
      throw new Refusal(409, 'IDEMPOTENCY_KEY_REUSED', message);
    }
    const answer = this.alone(work);
    this.remembered.delete(name); // what is over time goes to the end
    this.remembered.set(name, { at: this.clock.now(), fingerprint, answer });
    answer.then(
      () => this.forget(),
      (error: unknown) => {
        // nothing was changed by what was refused: the same key may try again
        if (error instanceof RecoveryError || error instanceof Refusal)
          this.remembered.delete(name);
        else this.forget();
      },
    );
    return answer;
  }

  private async alone(work: () => Promise<object>): Promise<object> {
    if (this.isBusy)
      throw new RecoveryError('RECOVERY_BUSY', 'Another dangerous operation is under way.');
    this.isBusy = true;
    try {
      return await work();
    } finally {
      this.isBusy = false;
    }
  }

  private recall(name: string): Remembered | undefined {
    const known = this.remembered.get(name);
    return known !== undefined && this.clock.now() - known.at < KEPT ? known : undefined;
  }

  /** Only what was carried out takes the place of another; many are refused. */
  private forget(): void {
    if (this.remembered.size <= MAX_KEPT) return;
    const [oldest] = this.remembered.keys();
    this.remembered.delete(oldest!);
  }
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
