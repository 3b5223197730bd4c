import type { Logger } from '@nestjs/common';
import type { ErrorPatternKind, ResilienceEvent } from '../kernel/event.js';

/** The events that operators must not miss. Everything else is for `events$`. */
const LOGGED = new Set<ResilienceEvent['type']>([
  'circuit-state-changed',
  'probe-lost',
  'predicate-failed',
  'unbound-call',
  'retry-declined',
  'store-fenced',
  'checkpoint-failed',
  'error-pattern',
  'poison-message',
]);

/** What is going on, in words. */
const PATTERNS: Readonly<Record<ErrorPatternKind, string>> = {
  spike: 'spike: more of its calls fail than usual',
  recurring: 'recurring: an error comes back at regular intervals',
  persistent: 'persistent failure: nothing but errors for a while',
  configuration: 'configuration: its errors look like a wrong setting',
  'high-error-rate': 'high error rate',
  pattern: 'most errors are of one category',
};

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
    if (event.type === 'retry-declined' && event.why !== 'spent-further-in') return;
    const once = onceFor(event);
    if (once !== undefined && told.has(once)) return;
    if (once !== undefined) told.add(once);
    const { type, severity, at: _at, ...facts } = event;
    const line = { event: type, ...facts };
    if (severity === 'info') logger.log(sentence(event), line);
    else logger.warn(sentence(event), line);
  }, LOGGED);
}

/** What repeats with every call is said once for each answer. */
function onceFor(event: ResilienceEvent): string | undefined {
  if (event.type === 'predicate-failed') return `${event.target} ${event.option}`;
  return event.type === 'retry-declined' ? event.target : undefined;
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
    case 'retry-declined':
      return `${event.target}: not retried, for a retry further in has used up its attempts on the same error; nested retries do not multiply, unless retryNested is true`;
    case 'store-fenced':
      return `checkpoint: a write or sync failed (${String(event.error)}); nothing is accepted until the store could be opened again`;
    case 'checkpoint-failed':
      return `checkpoint: a save failed (${String(event.error)}); the journal goes on`;
    case 'error-pattern':
      return `${event.target}: ${PATTERNS[event.pattern]}${event.ended ? ': over' : ''}`;
    case 'poison-message':
      return `${event.target}: message ${event.messageId} fails again and again and is not tried any more`;
    default:
      return event.type;
  }
}
