import { type INestApplication, UseInterceptors } from '@nestjs/common';
import { Args, GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  CircuitBreaker,
  CircuitBreakerInterceptor,
  Fallback,
  RateLimit,
  ResilienceExceptionFilter,
  ResilienceModule,
  ResilienceRegistry,
  Retry,
  RetryInterceptor,
} from 'nestjs-bulwark';

@Resolver()
class Quotes {
  private failures = 0;

  @Query(() => String)
  @Retry({ delay: 1 })
  @CircuitBreaker({ failureThreshold: 5 })
  async decorated(@Args('failures') failures: number): Promise<string> {
    return this.answer(failures);
  }

  @Query(() => String)
  @UseInterceptors(RetryInterceptor.with({ delay: 1 }), CircuitBreakerInterceptor.with({}))
  async intercepted(@Args('failures') failures: number): Promise<string> {
    return this.answer(failures);
  }

  @Query(() => String)
  @Fallback({ value: 'about 7' })
  async degraded(): Promise<string> {
    throw new Error('down');
  }

  @Query(() => String)
  @RateLimit({ limit: 1, per: 60_000 })
  async scarce(): Promise<string> {
    return 'the last one';
  }

  private answer(failures: number): string {
    this.failures += 1;
    if (this.failures <= failures) throw new Error('down');
    const attempts = this.failures;
    this.failures = 0;
    return `after ${attempts} attempts`;
  }
}

let app: INestApplication;

beforeAll(async () => {
  const module = await Test.createTestingModule({
    imports: [
      ResilienceModule.forRoot({ health: false, lint: false }),
      GraphQLModule.forRoot<MercuriusDriverConfig>({
        driver: MercuriusDriver,
        autoSchemaFile: true,
      }),
    ],
    providers: [Quotes],
  }).compile();
  app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
    logger: false,
  });
  app.useGlobalFilters(app.get(ResilienceExceptionFilter));
  await app.listen(0, '127.0.0.1');
});

afterAll(() => app.close());

interface Answer {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: object }[];
}

async function ask(query: string): Promise<Answer> {
  const response = await fetch(`${await app.getUrl()}/graphql`, {
    method: 'POST',
    body: JSON.stringify({ query }),
    headers: { 'content-type': 'application/json' },
  });
  return (await response.json()) as Answer;
}

it.each(['decorated', 'intercepted'])('a resolver is retried when it is %s', async (field) => {
  const { data } = await ask(`{ ${field}(failures: 2) }`);
  expect(data).toEqual({ [field]: 'after 3 attempts' });
  const { snapshot } = app.get(ResilienceRegistry).breakers.reader(`Quotes.${field}`)!;
  expect(snapshot().counters).toMatchObject({ success: 1, failure: 2 });
});

it('a resolver has its fallback', async () => {
  expect((await ask('{ degraded }')).data).toEqual({ degraded: 'about 7' });
});

it('a refused resolver answers its code and when to come back, and no names', async () => {
  expect((await ask('{ scarce }')).data).toEqual({ scarce: 'the last one' });
  const { errors } = await ask('{ scarce }');
  expect(errors).toHaveLength(1);
  expect(errors![0]).toMatchObject({
    message: 'too many requests',
    extensions: { code: 'RATE_LIMITED', retryAfter: expect.any(Number) },
  });
  expect(JSON.stringify(errors)).not.toMatch(/Quotes|bulwark/i);
});
