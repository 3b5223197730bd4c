import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Fallback, ResilienceStatistics, Retry } from 'nestjs-bulwark';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

@Injectable()
class Client {
  down = false;

  @Retry({ maxAttempts: 2, delay: 0, jitter: 'none' })
  @CircuitBreaker({ name: 'bank', failureThreshold: 4 })
  async pay(): Promise<string> {
    if (this.down) throw new Error('down');
    return 'paid';
  }

  @Fallback({ value: 0 })
  @CircuitBreaker({ name: 'bank', failureThreshold: 4 })
  async balance(): Promise<number> {
    if (this.down) throw new Error('down');
    return 1;
  }
}

describe('statistics', () => {
  it('by method, by dependency, and of everything', async () => {
    const { app, clock } = await boot({ providers: [Client], bulwark: { latencySample: 1 } });
    const client = app.get(Client);
    const statistics = app.get(ResilienceStatistics);
    await client.pay();
    client.down = true;
    const refused = expect(client.pay()).rejects.toThrow('down');
    await clock.advance(1);
    await refused;
    expect(await client.balance()).toBe(0);

    expect(statistics.targets()).toMatchObject([
      {
        target: 'Client.pay',
        port: 'bank',
        calls: 2,
        failed: 1,
        retries: 1,
        successRate: 0.5,
        latency: { timed: 2 },
      },
      { target: 'Client.balance', port: 'bank', calls: 1, degraded: 1, recoverySuccessRate: 1 },
    ]);
    expect(statistics.dependencies()).toMatchObject([
      { port: 'bank', targets: ['Client.pay', 'Client.balance'], calls: 3, recoveries: 2 },
    ]);
    expect(statistics.totals()).toMatchObject({ calls: 3, activeCircuitBreakers: 0 });

    expect(await client.balance()).toBe(0); // the fourth failure
    expect(statistics.totals()).toMatchObject({ activeCircuitBreakers: 1 });

    statistics.reset();
    expect(statistics.totals()).toMatchObject({ calls: 0, activeCircuitBreakers: 1 });
    expect(statistics.targets()[0]).not.toHaveProperty('latency');
  });

  it('times none, if so it is said', async () => {
    const { app } = await boot({ providers: [Client], bulwark: { latencySample: false } });
    await app.get(Client).pay();
    expect(app.get(ResilienceStatistics).targets()[0]).not.toHaveProperty('latency');
  });

  it.each([0, -1, 1.5, true, '16'])('refuses %p', async (latencySample) => {
    await expect(boot({ bulwark: { latencySample: latencySample as never } })).rejects.toThrow(
      /latencySample: got .*, expected false, or .*whole number/,
    );
  });
});
