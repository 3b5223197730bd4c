import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  ResilienceService,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { settle } from 'nestjs-bulwark/testing';
import { ErrorLog } from '../../lib/errors/log/error-log.js';
import { boot, closeAll } from '../nest/support/app.js';

afterEach(closeAll);

const S = 'Canary9f3e';

/** The 14 of case 160, each where it is met. */
const SECRETS: readonly (readonly [what: string, error: Error])[] = [
  ['postgres URL', new Error(`connect postgres://app:${S}@db:5432/x failed`)],
  ['redis URL', new Error(`redis://:${S}@cache:6379 timed out`)],
  ['amqp URL', new Error(`amqp://app:${S}@mq/vh closed`)],
  ['bearer', new Error(`401 for Bearer ${S}`)],
  ['basic', new Error(`401 for Basic ${S}==`)],
  ['JWT', new Error(`jwt eyJhbGciOi.eyJzdWIi${S}.${S} malformed`)],
  ['AWS key', new Error('AKIACANARY9F3ECANARY is not authorized')],
  ['api key', new Error(`GET /v1?api_key=${S}&x=1 failed`)],
  ['JSON', new Error(`body was {"user":"u","password":"a\\"${S}","x":1}`)],
  ['PEM', new Error(`bad key -----BEGIN PRIVATE KEY-----\n${S}\n-----END PRIVATE KEY-----`)],
  ['cookie', new Error(`sent Cookie: sid=${S}; b=${S}`)],
  ['set-cookie', new Error(`got Set-Cookie: sid=${S}; Path=/`)],
  ['axios', Object.assign(new Error('503'), { config: { headers: { Authorization: S } } })],
  [
    'ioredis and pg',
    Object.assign(new Error('ERR'), { command: { args: [S] }, parameters: [S], detail: S }),
  ],
];

@Injectable()
class Client {
  @Fallback(() => Promise.reject(new Error(`fallback too: token=${S}`)))
  @Retry({
    maxAttempts: 2,
    delay: 0,
    retryOn: (error) => {
      throw error;
    },
  })
  @CircuitBreaker({ failureThreshold: 1, openFor: 1 })
  @TimeLimit(1_000)
  @Bulkhead()
  async call(_argument: string, error: Error): Promise<string> {
    throw error;
  }
}

describe('#160 of a secret in an error', () => {
  it.each(SECRETS)(
    'no log line and no entry of the error log has anything: %s',
    async (_, error) => {
      const { app, log, clock } = await boot({ providers: [Client] });
      const errors = new ErrorLog(clock, { stacks: 'all' });
      const heard: unknown[] = [];
      app.get(ResilienceService).events$.subscribe((event) => {
        if ('error' in event) heard.push(event.error);
      });
      const thrown: unknown = await app
        .get(Client)
        .call(S, error)
        .catch((e: unknown) => e);
      await settle();
      for (const [i, each] of [error, thrown, ...heard].entries())
        errors.record({
          error: i === 0 ? new Error('outer', { cause: new AggregateError([each]) }) : each,
          classification: { category: 'dependency' },
          severity: 'high',
          component: 'Client.call',
          attempt: 1,
          args: [S, error],
        });

      expect(log.ours.length).toBeGreaterThan(0);
      expect(errors.totals().recorded).toBeGreaterThan(1);
      const out = JSON.stringify([log.ours, errors.list(), errors.groups()]);
      expect(out).not.toContain(S);
      expect(out).not.toContain('AKIACANARY');
    },
  );
});
