import type { CircuitBreakerOptions, PolicySet } from 'nestjs-bulwark';
import type { CircuitBreakerControl, CircuitBreakerReader } from '../../lib/pipeline/registry.js';
import { type Face, Stage } from './stage.js';

/** Two failures in a row open it for a second; one good probe closes it. */
export const OPENS_AT_2: CircuitBreakerOptions = {
  failureThreshold: 2,
  openFor: 1_000,
  openJitter: 0,
  successThreshold: 1,
  halfOpenCalls: 1,
};

export const breakerStage = (
  face: Face,
  options: CircuitBreakerOptions = {},
  others: PolicySet = {},
): Stage => new Stage(face, { circuitBreaker: { ...OPENS_AT_2, ...options }, ...others });

export const NAME = 'Controller.handle';

export const controlOf = (stage: Stage): CircuitBreakerControl =>
  stage.runtime.registry.breakers.control(NAME)!;

export const readerOf = (stage: Stage): CircuitBreakerReader =>
  stage.runtime.registry.breakers.reader(NAME)!;
