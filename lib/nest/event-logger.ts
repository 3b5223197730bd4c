import type { Logger } from '@nestjs/common';
import type { ErrorFacts } from '../errors/error-context.js';
import { LineLimit } from '../errors/log/line-limit.js';
import { clean as withoutOwn, type Clean } from '../errors/record/clean.js';
import { factsOf, headline } from '../errors/record/facts.js';
import type { Clock } from '../kernel/clock.js';
import type { ErrorPatternKind, ResilienceEvent, Severity } from '../kernel/event.js';

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
  'recovery-action',
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

/** An event whose error has become what may be said of it. */
type Shown = ResilienceEvent extends infer E
  ? E extends { readonly error: unknown }
    ? Omit<E, 'error'> & { readonly error: ErrorFacts }
    : E
  : never;

interface Bus {
  listen(
    listener: (event: ResilienceEvent) => void,
    only: ReadonlySet<ResilienceEvent['type']>,
  ): () => void;
}

const MAX_LINE = 4_096;
const MAX_FACT = 512;

/**
 * Writes one line per state change, with the same facts as an object for structured loggers. All
 * texts are redacted and on one line; of a flood a few lines are written, with `suppressed=n`.
 */
export function logEvents(
  bus: Bus,
  logger: Logger,
  clock: Pick<Clock, 'now'>,
  clean: Clean = withoutOwn,
): () => void {
  const told = new Set<string>();
  const limit = new LineLimit();
  const write = (severity: Severity, text: string, facts: object, suppressed: number): void => {
    const tail = suppressed === 0 ? '' : ` (suppressed=${suppressed})`;
    const line = clean(text, MAX_LINE) + tail;
    const object = suppressed === 0 ? facts : { ...facts, suppressed };
    if (severity === 'info') logger.log(line, object);
    else logger.warn(line, object);
  };
  const stop = bus.listen((event) => {
    if (event.type === 'retry-declined' && event.why !== 'spent-further-in') return;
    const once = onceFor(event);
    if (once !== undefined && told.has(once)) return;
    const admitted = limit.admit(`${event.type} ${event.target}`, clock.now());
    if (admitted === undefined) return;
    if (once !== undefined) told.add(once);
    const shown = 'error' in event ? { ...event, error: factsOf(event.error, { clean }) } : event;
    const facts = cleaned(shown, clean);
    write(event.severity, sentence(shown), facts, admitted.suppressed);
  }, LOGGED);
  return () => {
    stop();
    const { untold } = limit;
    if (untold > 0) write('warning', 'lines held back', { event: 'lines-suppressed' }, untold);
  };
}

/** The facts of an event but for its loudness and time, which a line has itself. */
function cleaned({ type, severity: _severity, at: _at, ...rest }: Shown, clean: Clean): object {
  const facts: Record<string, unknown> = { event: type };
  for (const [key, value] of Object.entries(rest))
    facts[key] = typeof value === 'string' ? clean(value, MAX_FACT) : value;
  return facts;
}

/** What repeats with every call is said once for each answer. */
function onceFor(event: ResilienceEvent): string | undefined {
  if (event.type === 'predicate-failed') return `${event.target} ${event.option}`;
  return event.type === 'retry-declined' ? event.target : undefined;
}

function sentence(event: Shown): string {
  switch (event.type) {
    case 'circuit-state-changed': {
      const next =
        event.retryAfter === undefined ? '' : `; next probe in ${Math.ceil(event.retryAfter)} ms`;
      return `circuit breaker ${event.target}: ${event.from} -> ${event.to} (${event.reason})${next}`;
    }
    case 'probe-lost':
      return `circuit breaker ${event.target}: a probe has not settled for ${event.lease} ms and lost its place`;
    case 'predicate-failed':
      return `${event.target}: the function given as ${event.option} threw ${headline(event.error)}`;
    case 'unbound-call':
      return `${event.target} ran without its policies: Nest did not construct the instance, or it was called before the application had started; see ResilienceService.bind`;
    case 'retry-declined':
      return `${event.target}: not retried, for a retry further in has used up its attempts on the same error; nested retries do not multiply, unless retryNested is true`;
    case 'store-fenced':
      return `checkpoint: a write or sync failed (${headline(event.error)}); nothing is accepted until the store could be opened again`;
    case 'checkpoint-failed':
      return `checkpoint: a save failed (${headline(event.error)}); the journal goes on`;
    case 'error-pattern':
      return `${event.target}: ${PATTERNS[event.pattern]}${event.ended ? ': over' : ''}`;
    case 'poison-message':
      return `${event.target}: message ${event.messageId} fails again and again and is not tried any more`;
    case 'recovery-action':
      return `recovery: ${event.action} ${event.status}: ${event.details}`;
    default:
      return event.type;
  }
}
