import type { Milliseconds } from '../kernel/duration.js';

/**
 * What an acknowledgement is worth: `sync`, that it is on disk; `{ interval }`, that it will be within
 * so many milliseconds, from 1; `manual`, that it will be with the next flush.
 */
export type Durability = 'sync' | 'manual' | { readonly interval: Milliseconds };
