import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Correlation,
  correlationFrom,
  idOf,
} from '../../errors/correlation/correlation-ids.js';
import type { CallIds } from '../../errors/error-context.js';
import { ignore } from '../../kernel/ignore.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import type { ActiveTrace } from './active-span.js';

/** Answers the ids of the work that is going on, or the correlation id alone. */
export type CorrelationSource = () => string | CallIds | undefined;

type Headers = Readonly<Record<string, unknown>>;

const NONE: CallIds = {};
/** Arguments that are looked at for a request. */
const LOOKED_AT = 8;

/** Where the ids of a call are taken from; what the application says itself goes first. */
export class IdSource {
  private readonly requests: AsyncLocalStorage<Correlation> | undefined;

  /**
   * @param context whether requests are followed by an async context of ours
   * @param report hears that the application's function threw
   */
  constructor(
    private readonly given: CorrelationSource | undefined,
    private readonly activeTrace: ActiveTrace,
    context: boolean,
    private readonly report: PredicateReport,
  ) {
    this.requests = context ? new AsyncLocalStorage<Correlation>() : undefined;
  }

  /** Whether there is something to run requests in. */
  get follows(): boolean {
    return this.requests !== undefined;
  }

  /** Runs what belongs to a request. */
  follow(headers: Headers, run: () => void): void {
    if (this.requests === undefined) run();
    else this.requests.run(correlationFrom(headers), run);
  }

  /** The ids of a call with these arguments. Must be asked in its own async context. Never throws. */
  of(args: readonly unknown[]): CallIds {
    const traceId = idOf(quietly(this.activeTrace));
    const inArgs = correlationIn(args);
    const followed = this.requests?.getStore();
    const said = this.said();
    // mostly nobody says anything, and this is asked of every error
    if ((inArgs ?? followed ?? said) === undefined)
      return traceId === undefined ? NONE : { traceId };
    return { ...(traceId !== undefined && { traceId }), ...inArgs, ...followed, ...said };
  }

  private said(): CallIds | undefined {
    if (this.given === undefined) return undefined;
    try {
      const answer: unknown = this.given();
      if (answer instanceof Promise) {
        ignore(answer); // it comes too late; if it rejects, that must not end the process
        throw new TypeError('got a Promise, expected an id, or ids, at once');
      }
      if (typeof answer !== 'object' || answer === null) return idsOf({ correlationId: answer });
      return idsOf(answer);
    } catch (error) {
      this.report('errors.correlation', error);
      return undefined;
    }
  }
}

/** Of what the application answers only what is fit to be an id. */
function idsOf(answer: object): CallIds {
  const { correlationId, traceId, sessionId } = answer as Record<keyof CallIds, unknown>;
  const ids = {
    correlationId: idOf(correlationId),
    traceId: idOf(traceId),
    sessionId: idOf(sessionId),
  };
  return Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined));
}

/** What the request among the arguments says: of a handler, or of an interceptor's context. */
function correlationIn(args: readonly unknown[]): Correlation | undefined {
  for (let i = 0; i < Math.min(args.length, LOOKED_AT); i += 1) {
    const arg = args[i];
    if (typeof arg !== 'object' || arg === null) continue;
    const found = quietly(() => {
      const headers = headersIn(arg);
      return headers && correlationFrom(headers);
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

function headersIn(arg: object): Headers | undefined {
  const request = isExecuting(arg) ? requestIn(arg) : (arg as Partial<HttpRequest>);
  const { headers, httpVersion, raw } = request ?? {};
  // by Node itself, or by Fastify around it: what else has headers may be anything
  const isRequest = typeof (httpVersion ?? raw?.httpVersion) === 'string';
  return isRequest && typeof headers === 'object' && headers !== null ? headers : undefined;
}

interface HttpRequest {
  readonly headers: Headers;
  readonly httpVersion: unknown;
  readonly raw: { readonly httpVersion: unknown } | undefined;
}

/** What is used of Nest's `ExecutionContext`. */
interface Executing {
  getType(): string;
  getArgByIndex(index: number): unknown;
}

/** An entity of the application may have a `getType` too, and nobody asked us to call that. */
function isExecuting(arg: object): arg is Executing {
  const names = ['getType', 'getArgByIndex', 'switchToHttp', 'getHandler'] as const;
  return names.every((name) => typeof (arg as Record<string, unknown>)[name] === 'function');
}

function requestIn(context: Executing): Partial<HttpRequest> | undefined {
  if (context.getType() === 'http') return context.getArgByIndex(0) as Partial<HttpRequest>;
  if (context.getType() !== 'graphql') return undefined;
  return (context.getArgByIndex(2) as { req?: Partial<HttpRequest> } | undefined)?.req;
}

function quietly<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined; // somebody else's object, or library
  }
}
