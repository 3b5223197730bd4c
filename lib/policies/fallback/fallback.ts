import {
  type CompiledMatcher,
  compileMatcher,
  type PredicateReport,
} from '../../kernel/matcher.js';
import { type FallbackOptions, type FallbackPlan, fallbackList } from './fallback.options.js';

interface Entry {
  readonly answer: (self: unknown, error: unknown, args: readonly unknown[]) => unknown;
  readonly on: CompiledMatcher | undefined;
  readonly except: CompiledMatcher | undefined;
}

/** Finds who answers instead of the method, in the order of the list. */
export class Fallback {
  private readonly entries: readonly Entry[];

  constructor(plan: FallbackPlan, report: PredicateReport) {
    this.entries = fallbackList(plan).map((options) => ({
      answer: answerOf(options),
      on: compileMatcher(options.on, 'on', false, report),
      except: compileMatcher(options.except, 'except', true, report),
    }));
  }

  /**
   * The position of the next fallback for this error, from `from` on; -1 if there is none.
   *
   * @param allowed whether a fallback may hide this error although nobody listed it
   */
  next(from: number, error: unknown, allowed: () => boolean): number {
    for (let i = from; i < this.entries.length; i += 1) {
      const { on, except } = this.entries[i]!;
      const wanted = on === undefined ? allowed() : on(error);
      if (wanted && except?.(error) !== true) return i;
    }
    return -1;
  }

  /** Asks the fallback at this position. What it throws is its own failure. */
  answer(position: number, self: unknown, error: unknown, args: readonly unknown[]): unknown {
    return this.entries[position]!.answer(self, error, args);
  }
}

function answerOf(options: FallbackOptions): Entry['answer'] {
  if ('handler' in options) {
    const { handler } = options;
    return (self, error, args) => Reflect.apply(handler, self, [error, ...args]);
  }
  if ('method' in options) {
    const { method } = options;
    return (self, error, args) => {
      const bound = (self as Record<string, (...a: unknown[]) => unknown>)[method]!;
      return Reflect.apply(bound, self, [error, ...args]);
    };
  }
  const { value } = options;
  return () => value;
}
