import type { ArgumentsHost } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { RateLimitedError, ResilienceExceptionFilter } from 'nestjs-bulwark';

it('GraphQL answers tell the code and when to come back, and no names', () => {
  const filter = new ResilienceExceptionFilter({} as HttpAdapterHost);
  const host = { getType: () => 'graphql' } as unknown as ArgumentsHost;
  const refusal = new RateLimitedError('Secret.method', 1_500, false);
  let thrown: unknown;
  try {
    filter.catch(refusal, host);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({
    message: 'too many requests',
    extensions: { code: 'RATE_LIMITED', retryAfter: 1_500 },
    cause: refusal,
  });
  expect(JSON.stringify(thrown, ['message', 'extensions', 'code'])).not.toContain('Secret');
});
