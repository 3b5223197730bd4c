import { Growth } from '../../../../sample/banking-stage/src/metrics/growth.js';

it('a count grows between two looks, and not before the first', () => {
  const growth = new Growth();
  expect(growth.to(1_000, 500)).toEqual({ by: 0, seconds: 0 });
  expect(growth.to(1_030, 2_500)).toEqual({ by: 30, seconds: 2 });
  expect(growth.to(1_030, 3_500)).toEqual({ by: 0, seconds: 1 });
});
