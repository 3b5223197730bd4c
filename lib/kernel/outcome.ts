/**
 * How an attempt ended, as far as the dependency behind it is concerned.
 *
 * - `success`: the dependency answered well.
 * - `failure`: the dependency let us down.
 * - `ignored`: an error that says nothing bad about the dependency (a 404, say).
 * - `cancelled`: the caller left before there was an answer.
 * - `rejected`: one of our own policies refused; the dependency was not heard.
 */
export type Outcome = 'success' | 'failure' | 'ignored' | 'cancelled' | 'rejected';
