import type { INestApplication } from '@nestjs/common';
import type { CircuitBreakerOptions, PolicySet } from 'nestjs-bulwark';
import type { Server } from 'node:http';
import { type Face, FACES, settle, Stage } from '../support/stage.js';

const face = (name: Face['name']): Face => FACES.find((one) => one.name === name)!;

export const PROMISE = face('promise');
/** A promise whose caller can leave. */
export const SIGNAL = face('promise with signal');
export const OBSERVABLE = face('observable');

export const up = (): Promise<string> => Promise.resolve('ok');
export const down = (): Promise<never> => Promise.reject(new Error('down'));

/** An answer that says nothing bad about the dependency. */
export const notFound = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('no such thing'), { status: 404 }));

/** Opens at the first failure for a second; one good probe closes it. */
export const ONE_PROBE: CircuitBreakerOptions = {
  failureThreshold: 1,
  openFor: 1_000,
  openJitter: 0,
  halfOpenCalls: 1,
  successThreshold: 1,
};

/** A stage whose breaker has opened, and whose next call is a probe. */
export async function probeDue(
  options: CircuitBreakerOptions = {},
  others: PolicySet = {},
  on: Face = PROMISE,
): Promise<Stage> {
  const stage = new Stage(on, { ...others, circuitBreaker: { ...ONE_PROBE, ...options } });
  await stage.fail(1);
  await nextPeriod(stage);
  stage.executions = 0;
  return stage;
}

/** Lets the open time pass. */
export async function nextPeriod(stage: Stage): Promise<void> {
  await stage.clock.advance(stage.breaker.retryAfter()!);
}

/** The states that the breaker came into, in order. */
export async function statesOf(stage: Stage): Promise<string[]> {
  await settle();
  return stage.events.flatMap((event) =>
    event.type === 'circuit-state-changed' ? [event.to] : [],
  );
}

/** For `prepare`: a connection that is not yet idle when the application closes keeps nobody waiting. */
export function briefConnections(app: INestApplication): void {
  (app.getHttpServer() as Server).keepAliveTimeout = 10;
}

export { settle };
