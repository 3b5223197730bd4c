import { CheckpointError } from '../checkpoint.error.js';
import type { CheckpointInfo, PartToSave } from '../checkpoint-store.js';
import type { StateView } from '../collections/state-view.js';
import type { Piece } from '../component/format.js';
import { adopt } from './adopt.js';
import { exchange, keepsakes, type Plan } from './exchange.js';
import type { Save } from './saving.js';
import type { Reading } from './reading.js';
import { type Candidate, type JournaledCall, Trial } from './trial.js';

/** What is laid aside of a state that is given up. */
export interface LaidAside {
  readonly calls: readonly JournaledCall[];
  /** What participants carry over, by name. */
  readonly carried: ReadonlyMap<string, unknown>;
}

/** Looks at earlier states; changes nothing. */
export interface Looking {
  readonly trial: (id: string) => Promise<Trial>;
  /** Whether a state can only be tried as a whole in place of the present one: nobody can look at captured state. */
  readonly hasCaptured: boolean;
  /** What is checked in a view sees this. */
  readonly look: <T>(candidate: Candidate, check: (view: StateView) => Promise<T>) => Promise<T>;
}

/** The same while no call is in any component and none can come. */
export interface Replacing extends Looking {
  /** Puts a state in place, checks, and puts the present one back. Undefined for one that a component refuses to take. */
  tryOut<T>(candidate: Candidate, check: () => Promise<T>): Promise<T | undefined>;
  /** Saves the present state under a name, beside what would be lost of it. */
  layAside(name: string, aside: LaidAside): Promise<CheckpointInfo>;
  /** Puts a state in place for good. @param assertSound what it throws puts the present one back */
  adopt(plans: readonly Plan[], assertSound?: () => Promise<void>): Promise<CheckpointInfo>;
  /** Writes everything anew, so that no file of before is needed. */
  rewrite(): Promise<CheckpointInfo>;
}

/** In the meta of the part with what was laid aside: it is no component. */
export const LAID_ASIDE = 'laid-aside';

export class Hands implements Replacing {
  constructor(
    private readonly reading: Reading,
    private readonly save: Save,
    private readonly assertAlone: () => void,
  ) {}

  get hasCaptured(): boolean {
    return [...this.reading.components.values()].some(({ captured }) => captured !== undefined);
  }

  readonly trial = (id: string): Promise<Trial> => Trial.of(id, this.reading);

  readonly look = async <T>(
    { view }: Candidate,
    check: (view: StateView) => Promise<T>,
  ): Promise<T> => {
    try {
      return await check(view);
    } finally {
      view.close();
    }
  };

  async tryOut<T>({ plans, view }: Candidate, check: () => Promise<T>): Promise<T | undefined> {
    view.close();
    const back = keepsakes(plans);
    try {
      return (await this.isTaken(plans)) ? await check() : undefined;
    } finally {
      await back();
    }
  }

  private async isTaken(plans: readonly Plan[]): Promise<boolean> {
    try {
      for (const { component, adoption } of plans)
        await adopt(component, adoption, this.reading.values);
      return true;
    } catch (error) {
      // one that has not ended is not over with this state
      if (error instanceof CheckpointError) throw error;
      return false;
    }
  }

  layAside(name: string, { calls, carried }: LaidAside): Promise<CheckpointInfo> {
    const { store, components } = this.reading;
    const parts = [...components.values()].map((component) => component.part());
    return store.create(name, [...parts, this.partOf(calls, carried)]);
  }

  adopt(plans: readonly Plan[], assertSound?: () => Promise<void>): Promise<CheckpointInfo> {
    const { save, assertAlone } = this;
    return exchange(plans, this.reading.values, {
      save,
      assertAlone,
      ...(assertSound && { assertSound }),
    });
  }

  rewrite(): Promise<CheckpointInfo> {
    for (const component of this.reading.components.values()) component.isSaved = false;
    return this.save({ barrier: true });
  }

  private partOf(
    calls: readonly JournaledCall[],
    carried: ReadonlyMap<string, unknown>,
  ): PartToSave {
    const { codec, values, components } = this.reading;
    let component = LAID_ASIDE;
    while (components.has(component)) component += '-';
    const pieces = function* (): Iterable<Uint8Array> {
      for (const { sequence, entry } of calls)
        yield codec.encode(['state', { sequence, entry: codec.decode(entry) }] satisfies Piece);
      for (const [participant, data] of carried) {
        try {
          const kept = values.data(values.takeCopy(data, `carried by ${participant}`));
          yield codec.encode(['state', { participant, data: kept }] satisfies Piece);
        } catch {
          // what cannot be kept is handed back from memory only
        }
      }
    };
    const meta = { version: 1, codec: codec.name, kind: LAID_ASIDE, calls: calls.length };
    return { component, meta, pieces: pieces() };
  }
}
