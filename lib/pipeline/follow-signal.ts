const followers = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `end` when the signal aborts; the answer stops that. However many calls follow a signal,
 * it has one listener of ours: of more than ten Node warns as of a leak.
 */
export function followSignal(signal: AbortSignal, end: () => void): () => void {
  let ends = followers.get(signal);
  if (ends === undefined) {
    ends = new Set();
    followers.set(signal, ends);
  }
  const all = ends;
  if (all.size === 0) signal.addEventListener('abort', aborted);
  all.add(end);
  return () => {
    if (all.delete(end) && all.size === 0) signal.removeEventListener('abort', aborted);
  };
}

function aborted(this: AbortSignal): void {
  for (const end of followers.get(this)!) end();
}
