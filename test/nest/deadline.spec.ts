// A deadline from the edge inwards: a handler behind an interceptor, the service it calls, and that one's client.
import { Controller, Get, Injectable, UseInterceptors } from '@nestjs/common';
import { CircuitBreaker, currentCall, TimeLimit, TimeLimitInterceptor } from 'nestjs-bulwark';
import { settle } from 'nestjs-bulwark/testing';
import { ADAPTERS, closeAll, serve } from './support/app.js';

const seen: unknown[] = [];
let asked: () => void;

@Injectable()
class Client {
  @CircuitBreaker()
  async fetch(): Promise<void> {
    asked();
    await new Promise(() => {});
  }

  @TimeLimit(5_000)
  async patient(): Promise<void> {
    await new Promise(() => {});
  }
}

@Injectable()
class Service {
  constructor(private readonly client: Client) {}

  async work(): Promise<void> {
    await settle();
    seen.push(currentCall().target, currentCall().remaining());
    await Promise.allSettled([this.client.fetch(), this.client.patient()]).then((results) =>
      seen.push(...results.map((r) => (r.status === 'rejected' ? r.reason : r.value))),
    );
  }
}

@Controller()
class Edge {
  constructor(private readonly service: Service) {}

  @Get('work')
  @UseInterceptors(TimeLimitInterceptor.with({ ms: 100, propagateDeadline: true }))
  work(): Promise<void> {
    return this.service.work();
  }
}

afterEach(closeAll);

it.each(ADAPTERS)(
  'the deadline of an interceptor reaches the client two classes further: %s',
  async (...row) => {
    const [, adapter] = row;
    seen.length = 0;
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    const { get, clock } = await serve(adapter, {
      controllers: [Edge],
      providers: [Service, Client],
    });

    const answer = get('/work');
    await arrived;
    await clock.advance(100);

    expect((await answer).status).toBe(504);
    expect(seen).toEqual([
      'Edge.work',
      100,
      expect.objectContaining({ target: 'Client.fetch', inherited: true }),
      expect.objectContaining({ target: 'Client.patient', inherited: true }),
    ]);
    expect(clock.pending).toBe(0);
  },
);
