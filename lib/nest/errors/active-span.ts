/** What of `@opentelemetry/api` is used. */
interface TraceApi {
  readonly trace: {
    getActiveSpan(): { spanContext(): { readonly traceId: string } } | undefined;
  };
}

/** The trace that the code which asks runs in, by the application's own OpenTelemetry. */
export type ActiveTrace = () => string | undefined;

const NONE: ActiveTrace = () => undefined;
/** What OpenTelemetry says where there is no trace. */
const INVALID = /^0*$/;

/** Loads the API of OpenTelemetry, where the application has it. */
export async function loadActiveTrace(name = '@opentelemetry/api'): Promise<ActiveTrace> {
  let api: TraceApi;
  try {
    api = (await import(name)) as TraceApi;
  } catch {
    return NONE; // nobody has to have it
  }
  if (typeof api.trace?.getActiveSpan !== 'function') return NONE; // older than 1.3
  return () => {
    const id = api.trace.getActiveSpan()?.spanContext().traceId;
    return id === undefined || INVALID.test(id) ? undefined : id;
  };
}
