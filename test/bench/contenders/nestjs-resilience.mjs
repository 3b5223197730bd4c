// Decorators on a real Nest provider. Its declared peers end at Nest 10; `overrides` in package.json let it
// run on ours. Strategies are listed innermost first. It has no keys.
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import {
  BulkheadStrategy,
  CircuitBreakerStrategy,
  ExponentialBackoff,
  FallbackStrategy,
  ResilienceCommand,
  ResilienceModule,
  RetryStrategy,
  ThrottleStrategy,
  TimeoutStrategy,
  UseResilience,
  UseResilienceObservable,
} from 'nestjs-resilience';
import { failTimes, LONG, makeService, ok, provide } from './methods.mjs';

// 20 requests and 50 % are its defaults; a window that outlasts a run keeps what is open open
const closed = (more) =>
  new CircuitBreakerStrategy({
    rollingWindowInMilliseconds: LONG,
    sleepWindowInMilliseconds: LONG,
    ...more,
  });
// opens at a percentage that cannot be
const patient = () => closed({ errorThresholdPercentage: 101 });
const retry = () => new RetryStrategy({ maxRetries: 2, backoff: ExponentialBackoff });
const zero = () => new FallbackStrategy(() => 0);
const bulkhead = (maxConcurrent = 10) => new BulkheadStrategy({ maxConcurrent, maxQueue: 10 });
const second = () => new TimeoutStrategy(1_000);
// it keeps the time of every call of its window and copies them with each: of a millisecond they are few
const throttle = () => new ThrottleStrategy({ ttl: 1, limit: 1e6 });

const STRATEGIES = {
  breaker: [closed()],
  'breaker-rate': [closed()],
  'breaker-failing': [patient()],
  retry: [retry()],
  bulkhead: [bulkhead()],
  'time-limit': [second()],
  'rate-limit': [throttle()],
  fallback: [zero()],
  'fallback-used': [zero()],
  'stack-4': [bulkhead(), closed(), retry(), zero()],
  'stack-5': [bulkhead(), second(), closed(), retry(), zero()],
  success: [bulkhead(), second(), closed()],
  failure: [bulkhead(), second(), patient()],
  'open-rejected': [closed({ requestVolumeThreshold: 5 })],
  'breaker-1000': [closed()],
  'stack-4-1000': [bulkhead(1_000), closed(), retry(), zero()],
  observable: [second(), retry(), zero()],
  'observable-breaker': [closed()],
};

class Queued extends ResilienceCommand {
  run(value) {
    return ok(value);
  }
}

/** Its queue keeps every call that ever waited in it: one for each batch lets the figure end. */
function queued() {
  let command;
  return (i) => {
    if (i === 0)
      command = new Queued([new BulkheadStrategy({ maxConcurrent: 1, maxQueue: 1_000 })]);
    return command.execute(i);
  };
}

export async function nestjsResilience() {
  // it writes lines at the level debug for every call: nobody has that on in production
  Logger.overrideLogger(['log', 'warn', 'error']);
  const decorated = Object.entries(STRATEGIES).map(([title, strategies]) => [
    title,
    [(title.startsWith('observable') ? UseResilienceObservable : UseResilience)(...strategies)],
  ]);
  const service = await provide(
    ResilienceModule.forRoot({}),
    makeService(Object.fromEntries(decorated)),
  );
  await failTimes(6, () => service['open-rejected'](1));
  const cases = decorated.map(([title]) => [title, () => (value) => service[title](value)]);
  return { ...Object.fromEntries(cases), queued };
}
