/** The configuration; without what is wrong with it, so that the boot gets to say so. */
export const CONFIG = Symbol('bulwark:config');
/** The clock; override it in tests with the fake one of `nestjs-bulwark/testing`. */
export const CLOCK = Symbol.for('bulwark:clock');
/** The dice; override them in tests with the seeded ones of `nestjs-bulwark/testing`. */
export const RANDOM = Symbol.for('bulwark:random');
