import { context, type Context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { loadActiveTrace } from '../../../lib/nest/errors/active-span.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = (id: string) =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId: id,
    spanId: '00f067aa0ba902b7',
    traceFlags: TraceFlags.SAMPLED,
  });

/** As an application's own, which an SDK would bring along. */
class OneContext {
  private current: Context = ROOT_CONTEXT;
  active(): Context {
    return this.current;
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    next: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const before = this.current;
    this.current = next;
    try {
      return Reflect.apply(run, self, args) as ReturnType<F>;
    } finally {
      this.current = before;
    }
  }
  bind<T>(_context: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

describe('the trace of OpenTelemetry', () => {
  beforeAll(() => context.setGlobalContextManager(new OneContext()));
  afterAll(() => context.disable());

  it('is that of the active span', async () => {
    const active = await loadActiveTrace();
    expect(active()).toBeUndefined();
    expect(context.with(span(traceId), active)).toBe(traceId);
    expect(context.with(span('0'.repeat(32)), active)).toBeUndefined();
  });

  it('is none where the API is not installed', async () => {
    expect((await loadActiveTrace('nobody-has-this-package'))()).toBeUndefined();
  });

  it('is none where the API is too old', async () => {
    expect((await loadActiveTrace('node:util'))()).toBeUndefined();
  });
});
