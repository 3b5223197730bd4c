/**
 * Leave to start one attempt, stamped with the era in which it was given.
 *
 * A permit is a number, not an object, because one is made per call: a policy compares it with
 * its present era and drops the outcome of an older one. Permits are never reused.
 */
export type Permit = number & { readonly __permit: never };

/** The answer of a policy that gives no permit. */
export const REFUSED = 0 as Permit;
