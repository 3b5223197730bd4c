import { HttpException } from '@nestjs/common';
import { breakerStage, NAME, readerOf } from '../support/breaker-stage.js';
import { onEveryFace, type Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');

onEveryFace((face) => {
  describe('Retry-After', () => {
    const response = (headers: Record<string, string>): Error =>
      Object.assign(new Error('busy'), {
        response: new Response('busy', { status: 503, headers }),
      });
    const errors: [string, (stage: Stage) => unknown, number][] = [
      ['of a fetch Response, in seconds', () => response({ 'Retry-After': '7' }), 7_000],
      [
        'of a fetch Response, as a date',
        (s) => response({ 'Retry-After': new Date(s.clock.epoch() + 9_000).toUTCString() }),
        9_000,
      ],
      [
        'of an axios error',
        () =>
          Object.assign(new Error('x'), {
            response: { status: 429, headers: { 'retry-after': '3' } },
          }),
        3_000,
      ],
      [
        'below a cause',
        () => new Error('wrapped', { cause: response({ 'retry-after-ms': '2500' }) }),
        2_500,
      ],
      ['longer than we listen to', () => response({ 'Retry-After': '86400' }), 600_000],
      ['shorter than our own time', () => response({ 'Retry-After': '0' }), 1_000],
      ['nonsense', () => response({ 'Retry-After': 'soon' }), 1_000],
    ];

    it.each(errors)('%s', async (_what, error, openFor) => {
      const stage = breakerStage(face, { maxOpenFor: 1_000 });
      await stage.fail(2, error(stage));

      expect((await stage.run(up)).error).toMatchObject({ retryAfter: openFor });
      expect(stage.breaker.snapshot().lastTrip).toMatchObject({ openFor });
    });

    it('of a failure before the last one counts from when it came', async () => {
      const stage = breakerStage(face);
      await stage.fail(1, response({ 'Retry-After': '10' }));
      await stage.clock.advance(4_000);
      await stage.fail(1);

      expect(stage.breaker.retryAfter()).toBe(6_000);
    });

    it('of a failed probe counts too', async () => {
      const stage = breakerStage(face);
      await stage.fail(2);
      await stage.clock.advance(1_000);
      await stage.fail(1, response({ 'Retry-After': '30' }));

      expect(stage.breaker.retryAfter()).toBe(30_000);
    });
  });

  describe('evidence', () => {
    it('tells codes and names, never a message, and explain says it in a sentence', async () => {
      const stage = breakerStage(face, { failureThreshold: 4 });
      const secret = 'password=hunter2';
      await stage.fail(2, Object.assign(new Error(secret), { code: 'ECONNREFUSED' }));
      await stage.clock.advance(10);
      await stage.fail(1, new HttpException(secret, 503));
      await stage.fail(1, secret);

      const snapshot = stage.breaker.snapshot();
      expect(snapshot.lastTrip).toMatchObject({
        rule: 'failure-threshold',
        calls: 4,
        failures: 4,
        rate: 1,
        openings: 1,
        openFor: 1_000,
        at: stage.clock.epoch(),
        probeAt: stage.clock.epoch() + 1_000,
        outcomes: [
          { outcome: 'failure', error: 'ECONNREFUSED', age: 10 },
          { outcome: 'failure', error: 'ECONNREFUSED', age: 10 },
          { outcome: 'failure', error: 'HttpException', age: 0 },
          { outcome: 'failure', age: 0 },
        ],
      });
      expect(JSON.stringify(snapshot)).not.toContain('hunter2');
      expect(readerOf(stage).explain()).toBe(
        `circuit breaker ${NAME} is open: 4 failures in a row; ` +
          'what opened it: 2 × ECONNREFUSED, 1 × HttpException, 1 × failure; next probe in 1000 ms',
      );
    });

    it('counts how often it opened in a row, and says when a probe is due', async () => {
      const stage = breakerStage(face);
      await stage.fail(2);
      await stage.clock.advance(1_000);
      await stage.fail(1);
      await stage.clock.advance(2_000);

      expect(readerOf(stage).explain()).toBe(
        `circuit breaker ${NAME} is open: 1 of 1 probes failed; ` +
          'what opened it: 1 × Error; opened 2 times in a row; the next call is a probe',
      );
    });
  });
});
