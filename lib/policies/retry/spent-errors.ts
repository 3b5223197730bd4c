/** How deep `cause` is followed from an error that wraps others. */
const MAX_CAUSES = 5;

/**
 * Remembers which errors have used up a retry, so that nested retries do not multiply.
 *
 * An error object may be a constant that unrelated calls throw again and again. So it does not
 * count that an error was ever spent, only that it was since the attempt in question started.
 *
 * What it cannot do: errors that are no objects (a thrown string) have no identity and are not
 * remembered; an error that somebody replaces by another without naming it as the `cause` is lost;
 * and a shared constant that another call spends at the same time counts as spent.
 */
export class SpentErrors {
  private readonly serials = new WeakMap<WeakKey, number>();
  private last = 0;

  /** To be read when an attempt starts, and shown to `isSpentSince` when it has failed. */
  mark(): number {
    return this.last;
  }

  /** The error ended a call whose retry had tried in vain. */
  add(error: unknown): void {
    if (!isKey(error)) return;
    this.last += 1;
    this.serials.set(error, this.last);
  }

  /** Whether the error, or one that caused it, was spent after the mark was read. */
  isSpentSince(error: unknown, mark: number): boolean {
    if (this.last === mark) return false; // nothing was: the usual case, and it looks at no error
    let current = error;
    for (let depth = 0; depth <= MAX_CAUSES && isKey(current); depth += 1) {
      if ((this.serials.get(current) ?? 0) > mark) return true;
      current = causeOf(current);
    }
    return false;
  }
}

function isKey(error: unknown): error is WeakKey {
  return (typeof error === 'object' && error !== null) || typeof error === 'function';
}

function causeOf(error: WeakKey): unknown {
  try {
    return (error as { cause?: unknown }).cause;
  } catch {
    return undefined; // a hostile error keeps its cause to itself
  }
}
