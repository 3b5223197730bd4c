import { aFunction, integer, span } from './check.js';

/** What every policy with a `key` has unless it is told otherwise. */
export const KEY_DEFAULTS = { maxKeys: 1_000, idleTtl: 600_000 } as const;

/** The rules of the options around a `key`. */
export const KEY_RULES = {
  key: aFunction,
  maxKeys: integer(1, 1_000_000),
  idleTtl: span(1),
} as const;
