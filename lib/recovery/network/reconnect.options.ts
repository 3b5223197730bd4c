import {
  checkOptions,
  either,
  integer,
  type Mistake,
  type OptionRule,
  type OptionRules,
  span,
} from '../../kernel/check.js';
import type { ReconnectOptions } from '../hooks.js';
import { RECONNECT_DEFAULTS } from '../recovery.options.js';

const never: OptionRule = (v) => (v === false ? undefined : 'false');

const RULES: OptionRules<ReconnectOptions> = {
  attempts: integer(1, 1_000),
  delay: span(0),
  coolDown: span(0),
  retryEvery: either(span(1), never),
  timeout: span(1),
};

/** Every mistake in the options of a connection. */
export function checkReconnect(at: string, options: unknown): Mistake[] {
  return checkOptions(at, options, RULES);
}

/** With what was not given filled in. */
export function reconnectOf(options: ReconnectOptions): Required<ReconnectOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...RECONNECT_DEFAULTS, ...(Object.fromEntries(given) as ReconnectOptions) };
}
