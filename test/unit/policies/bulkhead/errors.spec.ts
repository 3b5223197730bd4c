import {
  BulkheadFullError,
  BulkheadReentrancyError,
  QueueTimeoutError,
} from '../../../../lib/policies/bulkhead/bulkhead-full.error.js';

it.each([
  [
    new BulkheadFullError('Fees.quote', 10, 5),
    'BULKHEAD_FULL',
    'bulkhead Fees.quote is full: 10 running, 5 queued',
  ],
  [
    new QueueTimeoutError('Fees.quote', 250),
    'BULKHEAD_QUEUE_TIMEOUT',
    'bulkhead Fees.quote: no place within 250 ms',
  ],
  [
    new BulkheadReentrancyError('Fees.quote'),
    'BULKHEAD_REENTRANCY',
    'bulkhead Fees.quote: a call inside it may not wait for another place in it',
  ],
])('a refusal says which bulkhead and why: %s', (error, code, message) => {
  expect(error).toMatchObject({
    code,
    message,
    policy: 'bulkhead',
    target: 'Fees.quote',
    status: 503,
  });
});
