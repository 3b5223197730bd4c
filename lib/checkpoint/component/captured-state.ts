import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { CheckpointError } from '../checkpoint.error.js';
import { inTime } from '../engine/in-time.js';
import type { Member } from '../transaction/member.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';
import type { Checkpointable } from './checkpointable.js';
import type { Piece } from './format.js';

const RESTORE_TIMEOUT = 60_000;

/** The state of a component that hands it over as a whole. */
export class CapturedState {
  /** The state before the call that is running, in bytes; undefined if none is, or nobody wants to know. */
  before: Uint8Array | undefined;

  constructor(
    private readonly path: string,
    private readonly instance: Checkpointable,
    private readonly codec: Codec,
    private readonly values: Values,
    private readonly member: Pick<Member, 'methodBegan' | 'methodEnded'>,
    private readonly clock: Clock,
    /** How long `restoreState` may take. */
    private readonly patience: Milliseconds = RESTORE_TIMEOUT,
  ) {}

  /** The last state that is no running call's. */
  image(): Uint8Array {
    return this.before ?? this.capture();
  }

  /** The state as it is. @throws UnsupportedValueError for what would not come back as it went */
  capture(): Uint8Array {
    const state: unknown = this.instance.captureState();
    const data = this.values.data(this.values.takeCopy(state, `${this.path} state`));
    return this.codec.encode(['state', data] satisfies Piece);
  }

  /** Back to a state that `capture` gave. */
  restore(image: Uint8Array): void | Promise<void> {
    const [, data] = this.codec.decode(image) as readonly ['state', unknown];
    return this.restoreData(data);
  }

  /** @throws CheckpointError `CHECKPOINT_FENCED` if it takes too long: nobody knows what the state is then */
  restoreData(data: unknown): void | Promise<void> {
    const restored: unknown = this.instance.restoreState(this.values.fresh(data));
    // a promise of another library, or of another realm, is waited for as well
    const { then } = Object(restored) as { readonly then?: unknown };
    return typeof then === 'function' ? this.inTime(Promise.resolve(restored)) : undefined;
  }

  /** A state that is being put back is in use until that has ended: nobody may take or replace it before. */
  private async inTime(restored: Promise<unknown>): Promise<void> {
    this.member.methodBegan();
    const over = restored.finally(() => this.member.methodEnded());
    // who gave up does not want to know
    const quiet = over.then(
      () => {},
      () => {},
    );
    if (await inTime(this.clock, this.patience, quiet)) return void (await over);
    throw new CheckpointError(
      'CHECKPOINT_FENCED',
      `${this.path}: restoreState has not ended within ${this.patience} ms; nothing is kept before it has`,
    );
  }

  apply(entry: unknown): void {
    this.instance.applyEntry!(this.values.fresh(entry));
  }
}
