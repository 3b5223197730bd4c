import type { ErrorCategory } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { type FindingBoard, FindingSlot } from './finding-board.js';
import type { PatternInput } from './pattern-input.js';
import { Recurrence, type RecurrenceTerms } from './recurrence.js';

/** What holds may vary twice as much before it is over. */
const SLACK = 2;

/** What is watched of one kind of error. */
export class KindWatch {
  private readonly recurrence: Recurrence;
  private readonly slot = new FindingSlot();
  private component = '';
  private port: string | undefined;
  private category: ErrorCategory = 'transient';
  private count = 0;

  constructor(
    private readonly fingerprint: string,
    terms: RecurrenceTerms,
  ) {
    this.recurrence = new Recurrence(terms);
  }

  get holds(): boolean {
    return this.slot.holds;
  }

  get lastSeen(): Milliseconds {
    return this.recurrence.lastSeen;
  }

  /** Keeps nothing of the input itself, for it may be part of something large. */
  failed({ component, port, category, now }: PatternInput): void {
    this.component = component;
    this.port = port;
    this.category = category;
    this.count += 1;
    this.recurrence.failed(now);
  }

  tick(now: Milliseconds, board: FindingBoard): void {
    const reading = this.recurrence.reading(now, this.holds ? SLACK : 1);
    this.slot.set(reading !== undefined, board, () => {
      const { component, port, fingerprint, category, count } = this;
      const { since, ...details } = reading!;
      const who = port === undefined ? { component } : { component, port };
      return { kind: 'recurring', ...who, fingerprint, category, since, count, details };
    });
  }
}
