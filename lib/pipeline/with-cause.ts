/** The causes we gave; an error that comes twice with different ones is shared between calls. */
const causes = new WeakMap<Error, unknown>();

/**
 * The error of a fallback says what it was asked to stand in for, unless it says so already. An
 * error object that several calls share says nothing: one caller's error is none of another's.
 */
export function withCause(thrown: unknown, original: unknown): unknown {
  try {
    if (!(thrown instanceof Error) || thrown === original) return thrown;
    if (causes.has(thrown)) {
      if (causes.get(thrown) !== original) delete thrown.cause;
    } else if (thrown.cause === undefined && Object.isExtensible(thrown)) {
      Object.defineProperty(thrown, 'cause', {
        value: original,
        configurable: true,
        writable: true,
      });
      causes.set(thrown, original);
    }
  } catch {
    // a hostile error says what it likes
  }
  return thrown;
}
