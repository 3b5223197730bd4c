// Run by jest of its own, in `open-handles.spec.ts`: a user's test that forgets to close.
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  ResilienceModule,
  ResilienceService,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';

@Injectable()
class Client {
  @Fallback({ cache: { ttl: 60_000, key: () => 'all' } })
  @Retry({ maxAttempts: 2, delay: 1 })
  @CircuitBreaker({
    failureThreshold: 1,
    openFor: 600_000,
    maxOpenFor: 600_000,
    key: (id: string) => id,
  })
  @RateLimit({ limit: 5, per: 600_000, maxWait: 600_000 })
  @TimeLimit(600_000)
  @Bulkhead({ maxConcurrent: 2, queueTimeout: 60_000 })
  async call(id: string): Promise<string> {
    if (id === 'bad') throw new Error('down');
    return id;
  }
}

it('an application with an open breaker that nobody closes', async () => {
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot()],
    providers: [Client],
  }).compile();
  const app = module.createNestApplication();
  await app.init();
  app.get(ResilienceService).events$.subscribe();

  await app.get(Client).call('good');
  await app
    .get(Client)
    .call('bad')
    .catch(() => {});

  await expect(app.get(Client).call('good')).resolves.toBe('good');
});
