const ALLOWED = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** Names that Windows keeps for devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Whether this may be the name of a component or of a checkpoint: 1 to 100 of `A-Z a-z 0-9 . _ -`, the
 * first a letter or digit, no `..`, no dot at the end, no device of Windows. Such a name is the same
 * file name on every system, and never leads out of a directory.
 */
export function isSafeName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    ALLOWED.test(name) &&
    !name.includes('..') &&
    !name.endsWith('.') &&
    !DEVICE.test(name)
  );
}

/** The first name that a file system which ignores case takes for an earlier one. */
export function firstCollision(names: Iterable<string>): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    const folded = name.toLowerCase();
    if (seen.has(folded)) return name;
    seen.add(folded);
  }
  return undefined;
}
