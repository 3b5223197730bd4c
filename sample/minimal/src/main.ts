import 'reflect-metadata';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CircuitBreaker, currentCall, Fallback, ResilienceModule, Retry } from 'nestjs-bulwark';

const RATES_URL = process.env['RATES_URL'] ?? 'http://localhost:4000/rates';

@Injectable()
class Rates {
  @Fallback({ value: { EUR: 1.1, degraded: true } })
  @Retry({ maxAttempts: 3, delay: 100, idempotent: true })
  @CircuitBreaker({ failureThreshold: 5 })
  async today(): Promise<object> {
    const answer = await fetch(RATES_URL, { signal: currentCall().signal });
    if (!answer.ok) throw Object.assign(new Error('no rates'), { status: answer.status });
    return (await answer.json()) as object;
  }
}

@Controller('rates')
class RatesController {
  constructor(private readonly rates: Rates) {}

  @Get()
  async today(): Promise<object> {
    return this.rates.today();
  }
}

const bulwark = ResilienceModule.forRoot();
@Module({ imports: [bulwark], controllers: [RatesController], providers: [Rates] })
class AppModule {}

const app = await NestFactory.create(AppModule, new FastifyAdapter());
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
console.log(`Try: curl ${await app.getUrl()}/rates; curl ${await app.getUrl()}/health`);
