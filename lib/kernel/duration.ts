/** A length of time in milliseconds. */
export type Milliseconds = number;

/** `seconds(30)` reads better than `30_000`. */
export const seconds = (n: number): Milliseconds => n * 1_000;

/** `minutes(5)` reads better than `300_000`. */
export const minutes = (n: number): Milliseconds => n * 60_000;

/** `hours(1)` reads better than `3_600_000`. */
export const hours = (n: number): Milliseconds => n * 3_600_000;

/** The longest delay a timer of the platform can hold (2³¹ − 1 ms, about 24.8 days). */
export const MAX_TIMER: Milliseconds = 2_147_483_647;
