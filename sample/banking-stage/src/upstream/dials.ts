/**
 * `refuse` cuts the connection, `hang` never answers, `error` answers 503: the three ways in which
 * a dependency is away.
 */
export const OUTAGES = ['none', 'refuse', 'hang', 'error'] as const;

export interface Dials {
  /** Milliseconds before each answer. */
  readonly latencyMs: number;
  /** Share of calls, 0 to 1, that are answered with 500. */
  readonly errorRate: number;
  readonly outage: (typeof OUTAGES)[number];
  /** Addresses that compliance refuses. */
  readonly blocked: readonly string[];
}

export const DIALS_DEFAULTS: Dials = { latencyMs: 5, errorRate: 0, outage: 'none', blocked: [] };

const MAX_LATENCY_MS = 60_000;

const RULES: { readonly [Name in keyof Dials]: (value: unknown) => boolean } = {
  latencyMs: (value) => isNumber(value) && value >= 0 && value <= MAX_LATENCY_MS,
  errorRate: (value) => isNumber(value) && value >= 0 && value <= 1,
  outage: (value) => OUTAGES.some((outage) => outage === value),
  blocked: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
};

/** The dials after a change, or what is wrong with the change. Dials not named stay as they are. */
export function turned(dials: Dials, change: unknown): Dials | string {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    return 'send an object with some of: latencyMs, errorRate, outage, blocked';
  }
  for (const [name, value] of Object.entries(change)) {
    if (!isDial(name)) return `there is no dial ${JSON.stringify(name)}`;
    if (!RULES[name](value)) return `${name} cannot be ${JSON.stringify(value)}`;
  }
  return { ...dials, ...change };
}

function isDial(name: string): name is keyof Dials {
  return Object.hasOwn(RULES, name);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
