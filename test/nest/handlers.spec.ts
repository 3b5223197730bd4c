import { Controller, Get, Injectable, Post } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { Cron, Interval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { CircuitBreaker, Fallback, ResilienceRegistry, Retry } from 'nestjs-bulwark';
import { settle } from 'nestjs-bulwark/testing';
import { ADAPTERS, boot, closeAll, serve } from './support/app.js';

afterEach(closeAll);

describe.each(ADAPTERS)('#4 routes on %s', (_, adapter) => {
  @Controller('r')
  class Routes {
    runs = 0;

    @Retry({ maxAttempts: 3, delay: 0 })
    @Get('above')
    async above(): Promise<string> {
      this.runs += 1;
      return 'above';
    }

    @Get('below')
    @Retry({ maxAttempts: 3, delay: 0 })
    async below(): Promise<string> {
      this.runs += 1;
      return 'below';
    }

    @Fallback({ value: 'instead' })
    @Post('failing')
    @CircuitBreaker()
    async failing(): Promise<string> {
      throw new Error('down');
    }
  }

  it('#4 register whether ours stands above or below, and run once per request', async () => {
    const { app, get } = await serve(adapter, { controllers: [Routes] });

    expect(await get('/r/above')).toMatchObject({ status: 200, text: 'above' });
    expect(await get('/r/below')).toMatchObject({ status: 200, text: 'below' });
    expect(app.get(Routes).runs).toBe(2);
  });

  it('#4 have their policies, though Nest takes the handlers before any start-up hook', async () => {
    const { app } = await serve(adapter, { controllers: [Routes] });
    const { port } = app.getHttpServer().address() as { port: number };

    const response = await fetch(`http://127.0.0.1:${port}/r/failing`, { method: 'POST' });

    expect([response.status, await response.text()]).toEqual([201, 'instead']);
  });
});

describe('#4 schedules and events', () => {
  @Injectable()
  class Jobs {
    cron = 0;
    interval = 0;
    paid: unknown[] = [];

    @CircuitBreaker({ failureThreshold: 1 })
    @Cron('0 0 1 1 *', { name: 'yearly' })
    async yearly(): Promise<void> {
      this.cron += 1;
    }

    @Interval('hourly', 3_600_000)
    @CircuitBreaker({ failureThreshold: 1 })
    async hourly(): Promise<void> {
      this.interval += 1;
    }

    @Retry({ maxAttempts: 2, delay: 0 })
    @OnEvent('paid')
    async onPaid(amount: number): Promise<void> {
      this.paid.push(amount);
    }

    @OnEvent('refunded')
    @Fallback((_error, amount: number) => Jobs.instead.push(amount))
    async onRefunded(_amount: number): Promise<number> {
      throw new Error('down');
    }

    static readonly instead: number[] = [];
  }

  it('#4 a cron job is registered once and its tick runs the method once, protected', async () => {
    const { app } = await boot({ imports: [ScheduleModule.forRoot()], providers: [Jobs] });
    const scheduler = app.get(SchedulerRegistry);

    expect([...scheduler.getCronJobs().keys()]).toEqual(['yearly']);
    expect(scheduler.getIntervals()).toEqual(['hourly']);
    await scheduler.getCronJob('yearly').fireOnTick();
    await settle();

    expect(app.get(Jobs).cron).toBe(1);
    const { counters } = app.get(ResilienceRegistry).breakers.reader('Jobs.yearly')!.snapshot();
    expect(counters.success).toBe(1);
  });

  it('#4 an event handler runs once per event, and is protected', async () => {
    const { app } = await boot({ imports: [EventEmitterModule.forRoot()], providers: [Jobs] });
    await app.get(Jobs).onPaid(0);
    const emitter = app.get(EventEmitter2);

    await emitter.emitAsync('paid', 7);
    await emitter.emitAsync('refunded', 8);

    expect(app.get(Jobs).paid).toEqual([0, 7]);
    expect(Jobs.instead).toEqual([8]);
  });
});
