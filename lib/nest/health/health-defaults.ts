import type { HealthConfig, ResilienceConfig } from '../config.js';
import { recoveryConfigOf } from '../recovery/recovery.config.js';

/** What is not said of health. */
export const HEALTH_DEFAULTS = {
  details: 'never',
  timeout: 1_000,
  sampleInterval: 60_000,
  recoverAfter: 5_000,
} as const satisfies HealthConfig;

/** The configuration of health with its defaults. */
export interface CompleteHealthConfig extends Required<
  Pick<HealthConfig, keyof typeof HEALTH_DEFAULTS | 'indicators'>
> {
  /** False: nothing is mounted, and nothing is read unless somebody asks. */
  readonly isOn: boolean;
}

export function healthConfigOf(config: ResilienceConfig | undefined): CompleteHealthConfig {
  const health = config?.health;
  const given = typeof health === 'object' && health !== null ? health : {};
  const { healthCheckInterval } = recoveryConfigOf(config);
  return {
    details: given.details ?? HEALTH_DEFAULTS.details,
    timeout: given.timeout ?? HEALTH_DEFAULTS.timeout,
    sampleInterval: given.sampleInterval ?? healthCheckInterval ?? HEALTH_DEFAULTS.sampleInterval,
    recoverAfter: given.recoverAfter ?? HEALTH_DEFAULTS.recoverAfter,
    indicators: given.indicators ?? {},
    isOn: health !== false,
  };
}
