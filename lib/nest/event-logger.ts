import type { Logger } from '@nestjs/common';
import type { ResilienceEvent } from '../kernel/event.js';

/** The events that operators must not miss. Everything else is for `events$`. */
const LOGGED = new Set<ResilienceEvent['type']>([
  'circuit-state-changed',
  'probe-lost',
  'predicate-failed',
  'unbound-call',
]);

interface Bus {
  listen(
    listener: (event: ResilienceEvent) => void,
    only: ReadonlySet<ResilienceEvent['type']>,
  ): () => void;
}

/** Writes one line per state change, with the same facts as an object for structured loggers. */
export function logEvents(bus: Bus, logger: Logger): () => void {
  const told = new Set<string>();
  return bus.listen((event) => {
    // what repeats with every call is said once
    const once = event.type === 'predicate-failed' ? `${event.target} ${event.option}` : undefined;
    if (once !== undefined && told.has(once)) return;
    if (once !== undefined) told.add(once);
    const { type, severity, at: _at, ...facts } = event;
    const line = { event: type, ...facts };
    if (severity === 'info') logger.log(sentence(event), line);
    else logger.warn(sentence(event), line);
  }, LOGGED);
}

function sentence(event: ResilienceEvent): string {
  switch (event.type) {
    case 'circuit-state-changed': {
      const next =
        event.retryAfter === undefined ? '' : `; next probe in ${Math.ceil(event.retryAfter)} ms`;
      return `circuit breaker ${event.target}: ${event.from} -> ${event.to} (${event.reason})${next}`;
    }
    case 'probe-lost':
      return `circuit breaker ${event.target}: a probe has not settled for ${event.lease} ms and lost its place`;
    case 'predicate-failed':
      return `${event.target}: the function given as ${event.option} threw ${String(event.error)}`;
    case 'unbound-call':
      return `${event.target} ran without its policies: Nest did not construct the instance, or it was called before the application had started; see ResilienceService.bind`;
    default:
      return event.type;
  }
}
