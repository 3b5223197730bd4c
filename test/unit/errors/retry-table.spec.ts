import { RETRY_TABLE } from '../../../lib/errors/retry-table.js';
import { checkRetry } from '../../../lib/policies/retry/retry.options.js';

it('is itself a good `byCategory`', () => {
  expect(checkRetry('table', { byCategory: RETRY_TABLE })).toEqual([]);
});
