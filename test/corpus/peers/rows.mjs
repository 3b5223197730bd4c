// The rows of the table.

/** What each row is about; `reference`: what was measured of nestjs-resilience 2.1.3 elsewhere. */
export const ROWS = [
  {
    id: '1',
    title: 'a guard below the decorator is still enforced (Express, Fastify)',
    without: { opossum: 'n/a (no decorators)' },
    reference: '**fails** (200)',
  },
  { id: '9', title: 'ten synchronous throws leave both of two permits', reference: 'not run' },
  {
    id: '21',
    title: 'half-open: 50 concurrent calls, one probe runs',
    reference: '**fails** (50 of 50 ran)',
  },
  {
    id: '22',
    title: 'the others fail fast, they do not queue behind the probe',
    reference: '**fails** (admits everyone)',
  },
  {
    id: '23',
    title: 'a success from before the trip does not close in half-open',
    reference: 'not meaningful (admits everyone)',
  },
  {
    id: '24',
    title: 'a failure from before the trip does not undo a good probe',
    reference: 'not run',
  },
  { id: '26', title: 'an ignored error as probe does not stick', reference: 'not run' },
  {
    id: '32',
    title: 'the wall clock steps back an hour while open',
    reference: '**fails** (stays open)',
  },
  { id: '40a', title: 'a listener that throws when it opens', reference: 'not run' },
  { id: '40b', title: 'a listener that throws at a success', reference: 'not run' },
  { id: '60', title: 'the process exits with an open breaker', reference: 'not run' },
  {
    id: '64',
    title: 'abort listeners left on one signal after 2,000 calls',
    without: { opossum: 'n/a (no signal per call)' },
    reference: 'n/a',
  },
  {
    id: '70',
    title: 'queued work sees its own caller’s AsyncLocalStorage (3 callers, 1 place)',
    without: { opossum: 'n/a (no queue)' },
    reference: '**fails** (2 of 3 wrong)',
  },
  {
    id: '74',
    title: 'accepted into the queue means run (newcomers at microticks 0 to 20)',
    without: { opossum: 'n/a (no queue)' },
    reference: 'not run',
  },
  {
    id: '76',
    title: 'an abort while queued rejects at once and frees the place',
    without: { opossum: 'n/a (no queue)' },
    reference: 'n/a',
  },
  {
    id: 'S2',
    title: 'the window forgets in silence (4 failures, a long pause, 1 failure of 5)',
    reference: 'not run',
  },
  {
    id: 'S4',
    title: 'a retry around one place leaves one place',
    without: { opossum: 'n/a (no retry)' },
    reference: '**fails** (3 free slots of 1)',
  },
  {
    id: 'S5',
    title: 'a stream that is assembled and never subscribed takes no place',
    without: { opossum: 'n/a (no streams)', cockatiel: 'n/a (no streams)' },
    reference: '**fails** (next caller rejected)',
  },
  {
    id: 'S6',
    title: 'unsubscribing reaches the method',
    without: { opossum: 'n/a (no streams)', cockatiel: 'n/a (no streams)' },
    reference: 'not run (nestjs-cls 6.3.1: **fails**)',
  },
  {
    id: 'S7',
    title: 'what throws while the call is set up reaches the caller',
    reference: 'not run (nestjs-cls 6.3.1: **fails**)',
  },
  {
    id: 'S8',
    title: 'n attempts each time, also the second time (maxRetries 2, twice)',
    without: { opossum: 'n/a (no retry)' },
    reference: '**fails** (2 attempts, then 1)',
  },
  {
    id: 'S9',
    title: 'half-open by default: 20 concurrent calls',
    reference: '**fails** (20 ran)',
  },
];
