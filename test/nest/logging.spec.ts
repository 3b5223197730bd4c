import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Retry } from 'nestjs-bulwark';
import { settle } from 'nestjs-bulwark/testing';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

@Injectable()
class Client {
  @CircuitBreaker({ failureThreshold: 2, openFor: 100, openJitter: 0, successThreshold: 1 })
  async call(fail = false): Promise<string> {
    if (fail) throw new Error('down');
    return 'fine';
  }

  @Retry({
    maxAttempts: 2,
    delay: 0,
    retryOn: () => {
      throw new Error('a bad predicate');
    },
  })
  async odd(): Promise<string> {
    throw new Error('down');
  }
}

describe('the log', () => {
  it('has one line for each change of state, with the facts as an object', async () => {
    const { app, clock, log } = await boot({ providers: [Client] });
    const client = app.get(Client);
    await client.call(true).catch(() => {});
    await client.call(true).catch(() => {});
    for (let i = 0; i < 5; i += 1) await client.call().catch(() => {});
    await clock.advance(100);
    await client.call();
    await settle();

    expect(log.ours.map(({ level, message, rest }) => ({ level, message, rest }))).toEqual([
      {
        level: 'warn',
        message:
          'circuit breaker Client.call: closed -> open (2 failures in a row); next probe in 100 ms',
        rest: [
          {
            event: 'circuit-state-changed',
            target: 'Client.call',
            from: 'closed',
            to: 'open',
            reason: '2 failures in a row',
            retryAfter: 100,
          },
        ],
      },
      {
        level: 'warn',
        message: expect.stringMatching(
          /^circuit breaker Client\.call: open -> half-open \(.+\)$/,
        ) as string,
        rest: [expect.objectContaining({ from: 'open', to: 'half-open' })],
      },
      {
        level: 'log',
        message: expect.stringMatching(
          /^circuit breaker Client\.call: half-open -> closed \(.+\)$/,
        ) as string,
        rest: [expect.objectContaining({ from: 'half-open', to: 'closed' })],
      },
    ]);
  });

  it('is silent while all is well', async () => {
    const { app, log } = await boot({ providers: [Client] });
    for (let i = 0; i < 10; i += 1) await app.get(Client).call();
    await settle();

    expect(log.ours).toEqual([]);
  });

  it('says once of a predicate that it throws', async () => {
    const { app, log } = await boot({ providers: [Client] });
    for (let i = 0; i < 3; i += 1)
      await app
        .get(Client)
        .odd()
        .catch(() => {});
    await settle();

    expect(log.ours.map(({ message }) => message)).toEqual([
      'Client.odd: the function given as retryOn threw Error: a bad predicate',
    ]);
  });

  it('of a closed application is closed', async () => {
    const { app, log } = await boot({ providers: [Client] });
    const client = app.get(Client);
    await closeAll();
    await client.call(true).catch(() => {});
    await client.call(true).catch(() => {});
    await settle();

    expect(log.ours).toEqual([]);
  });
});
