// Decorators on a real Nest provider.
import 'reflect-metadata';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  ResilienceModule,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { Observable } from 'rxjs';
import { KEYS } from '../cases.mjs';
import { failTimes, LONG, makeService, NEVER_REACHED, provide } from './methods.mjs';

const closed = () => CircuitBreaker({ failureThreshold: 5 });
const patient = () => CircuitBreaker({ failureThreshold: NEVER_REACHED });
const second = () => TimeLimit(1_000);
const zero = () => Fallback({ value: 0 });
const thrice = () => Retry({ maxAttempts: 3 });
const four = (places) => [zero(), thrice(), closed(), Bulkhead(places)];

/** How the method of each case is decorated. */
const decorated = {
  breaker: [closed()],
  'breaker-rate': [CircuitBreaker({ failureRate: 0.5, window: 30_000 })],
  'breaker-failing': [patient()],
  retry: [thrice()],
  bulkhead: [Bulkhead()],
  'time-limit': [second()],
  'rate-limit': [RateLimit({ limit: 1e9 })],
  fallback: [zero()],
  'fallback-used': [zero()],
  'stack-4': four(),
  'stack-5': [...four(), second()],
  success: [closed(), second(), Bulkhead()],
  failure: [patient(), second(), Bulkhead()],
  'open-rejected': [CircuitBreaker({ failureThreshold: 5, openFor: LONG })],
  'breaker-1000': [closed()],
  'stack-4-1000': four({ maxConcurrent: 1_000 }),
  queued: [Bulkhead({ maxConcurrent: 1, maxQueue: 1_000 })],
  observable: [zero(), thrice(), second()],
  'observable-breaker': [closed()],
  keyed: [CircuitBreaker({ failureThreshold: 5, key: (key) => key, maxKeys: KEYS.length })],
};

export async function ours() {
  const Service = makeService(decorated, (prototype, title) => {
    if (title.startsWith('observable'))
      Reflect.defineMetadata('design:returntype', Observable, prototype, title);
  });
  const service = await provide(ResilienceModule.forRoot({ health: false }), Service);
  await failTimes(5, () => service['open-rejected'](1));
  let turn = 0;
  const cases = Object.fromEntries(
    Object.keys(decorated).map((title) => [title, () => (value) => service[title](value)]),
  );
  return { ...cases, keyed: () => () => service.keyed(KEYS[(turn += 1) % KEYS.length]) };
}
