import type { IncomingMessage } from 'node:http';
import { Test } from '@nestjs/testing';
import { ResilienceModule } from 'nestjs-bulwark';
import { FakeClock, withFakes } from 'nestjs-bulwark/testing';
import { ClientLimit } from '../../../../sample/banking-stage/src/rpc/client-limit.js';
import { NodeSettings } from '../../../../sample/banking-stage/src/settings.js';

const clock = new FakeClock();
let limit: ClientLimit;

beforeEach(async () => {
  const builder = Test.createTestingModule({
    imports: [
      ResilienceModule.forRoot({
        health: false,
        policies: { 'ClientLimit.admit': { rateLimit: { limit: 10, burst: 20 } } },
      }),
    ],
    providers: [
      ClientLimit,
      { provide: NodeSettings, useValue: { clientTokens: ['the token of a friend'] } },
    ],
  });
  const app = await withFakes(builder, { clock }).compile();
  await app.init();
  limit = app.get(ClientLimit);
});

/** How many of so many requests are let in. */
async function admitted(client: string, count: number): Promise<number> {
  const asked = Array.from({ length: count }, () => limit.admit(client));
  const outcomes = await Promise.allSettled(asked);
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

const from = (remoteAddress: string, authorization?: string): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: { authorization } }) as unknown as IncomingMessage;

describe('the limit of a client', () => {
  it('is its own: who asks too much keeps nobody else out', async () => {
    expect(await admitted('address 1', 50)).toBe(20);
    expect(await admitted('address 2', 5)).toBe(5);

    await clock.advance(1_000);

    expect(await admitted('address 1', 50)).toBe(10);
  });

  it('says when to come back', async () => {
    await admitted('address 3', 20);

    await expect(limit.admit('address 3')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfter: 100,
    });
  });

  it('goes by the address, and by a token only where it was given out', () => {
    expect(limit.clientOf(from('10.0.0.1'))).toBe('address 10.0.0.1');
    expect(limit.clientOf(from('10.0.0.1', 'Bearer made up'))).toBe('address 10.0.0.1');
    const known = limit.clientOf(from('10.0.0.1', 'Bearer the token of a friend'));
    expect(known).toMatch(/^token [0-9a-f]{16}$/);
    expect(limit.clientOf(from('10.0.0.2', 'bearer the token of a friend'))).toBe(known);
  });
});
