/** Checked by `tsc --noEmit`, never run: the types of `ResilienceService`, events and interceptors. */
import { UseInterceptors } from '@nestjs/common';
import {
  type ApplicationRuntime,
  type CircuitBreakerReader,
  FallbackInterceptor,
  ResilienceModule,
  type ResilienceRegistry,
  ResilienceService,
  RetryInterceptor,
  TimeLimitInterceptor,
} from 'nestjs-bulwark';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <T extends true>(): T | undefined => undefined;

export async function execute(service: ResilienceService): Promise<void> {
  const answer = await service.execute('name', async () => ({ a: 1 }), { retry: {} });
  is<Equal<typeof answer, { a: number }>>();

  const tried = await service.tryExecute('name', async () => 'text');
  if (tried.ok) is<Equal<typeof tried.value, string>>();
  else is<Equal<typeof tried.error, unknown>>();
  // @ts-expect-error the value is there only if it is ok
  void tried.value;

  // @ts-expect-error the function must return a promise
  void service.execute('name', () => 1);
  // @ts-expect-error no such policy
  void service.execute('name', async () => 1, { cache: {} });
  // @ts-expect-error no such option
  void service.execute('name', async () => 1, { retry: { retries: 1 } });
  void service.execute('name', async () => 1, {}, { signal: new AbortController().signal });
}

export function wrap(service: ResilienceService): void {
  const wrapped = service.wrap('sum', async (a: number, b: string) => a + b, { bulkhead: {} });
  is<Equal<typeof wrapped, (a: number, b: string) => Promise<string>>>();

  // @ts-expect-error a synchronous function cannot wait
  service.wrap('sync', (a: number) => a, {});
  // @ts-expect-error the policies must be given
  service.wrap('none', async () => 1);

  const date = service.bind(new Date());
  is<Equal<typeof date, Date>>();
  // @ts-expect-error only objects can be bound
  service.bind(5);
}

export function registry(given: ResilienceRegistry): void {
  const reader = given.breakers.reader('name');
  is<Equal<typeof reader, CircuitBreakerReader | undefined>>();
  // @ts-expect-error a reader cannot act
  reader?.reset();
  // @ts-expect-error nor be written to
  if (reader !== undefined) reader.name = 'other';
}

export function events(service: ResilienceService): void {
  service.events$.subscribe((event) => {
    switch (event.type) {
      case 'circuit-state-changed':
        is<
          Equal<
            typeof event.to,
            'closed' | 'open' | 'half-open' | 'recovering' | 'isolated' | 'disabled'
          >
        >();
        break;
      case 'call-rejected':
      case 'retry-scheduled':
      case 'retry-exhausted':
      case 'call-timed-out':
      case 'late-result':
      case 'limit-overrun':
      case 'fallback-used':
      case 'fallback-failed':
      case 'probe-lost':
      case 'predicate-failed':
      case 'unbound-call':
      case 'retry-declined':
      case 'bulkhead-reclaimed':
      case 'policies-changed':
      case 'error-pattern':
      case 'poison-message':
      case 'recovery-action':
      case 'checkpoint-saved':
      case 'checkpoint-failed':
      case 'checkpoint-recovered':
      case 'checkpoint-restored':
      case 'store-fenced':
      case 'slow-checkpoint-call':
        break;
      default:
        event satisfies never; // the union is closed
    }
  });
}

export function interceptors(runtime: ApplicationRuntime): void {
  UseInterceptors(RetryInterceptor.with({ maxAttempts: 2 }), new RetryInterceptor({}, runtime));
  UseInterceptors(RetryInterceptor, TimeLimitInterceptor.with(500));
  UseInterceptors(FallbackInterceptor.with((_error, context) => context));
  // @ts-expect-error no such option
  RetryInterceptor.with({ retries: 2 });
  // @ts-expect-error the runtime is needed
  void new RetryInterceptor({});
}

export const modules = [
  ResilienceModule.forRoot(),
  ResilienceModule.forRoot({ health: false, defaults: { retry: { maxAttempts: 2 } } }),
  ResilienceModule.forRootAsync({
    inject: ['x'],
    useFactory: async (enabled: boolean) => ({ enabled }),
  }),
  // @ts-expect-error no such option
  ResilienceModule.forRoot({ nonsense: 1 }),
  // @ts-expect-error a fallback belongs to one method
  ResilienceModule.forRoot({ defaults: { fallback: { value: 1 } } }),
];
