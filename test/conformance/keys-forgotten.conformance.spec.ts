import type { CircuitBreakerOptions } from 'nestjs-bulwark';
import {
  argOf,
  type Face,
  Gate,
  itCanLeave,
  onEveryFace,
  settle,
  Stage,
} from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');
const down = (): Promise<never> => Promise.reject(new Error('down'));
const NAME = 'Controller.handle';

/** The first argument; in an interceptor, as a user gets it from Nest's context. */
const key = (first: unknown): string => argOf(first) as string;

const BREAKER: CircuitBreakerOptions = {
  failureThreshold: 2,
  openFor: 1_000,
  openJitter: 0,
  successThreshold: 1,
  halfOpenCalls: 1,
  key,
};

const withBreaker = (face: Face, options: CircuitBreakerOptions = {}): Stage =>
  new Stage(face, { circuitBreaker: { ...BREAKER, ...options } });

const breakers = (stage: Stage) => stage.runtime.registry.breakers.keyedReader(NAME)!;
const bulkheads = (stage: Stage) => stage.runtime.registry.bulkheads.keyedReader(NAME)!;
const keysOf = (reader: { list(): (readonly [string, unknown])[] }): string[] =>
  reader.list().map(([each]) => each);

async function failFor(stage: Stage, times: number, who: unknown): Promise<void> {
  for (let i = 0; i < times; i += 1) await stage.run(down, who);
}

onEveryFace((face) => {
  describe('are forgotten', () => {
    it('beyond maxKeys, those used longest ago first', async () => {
      const stage = withBreaker(face, { maxKeys: 3 });
      for (const who of ['a', 'b', 'c', 'a', 'd']) await stage.run(up, who);

      expect(keysOf(breakers(stage))).toEqual(['c', 'a', 'd']);
      expect(breakers(stage)).toMatchObject({ size: 3, evicted: 1 });
    });

    it('closed breakers before open ones', async () => {
      const stage = withBreaker(face, { maxKeys: 3 });
      await failFor(stage, 2, 'bad');
      for (const who of ['a', 'b', 'c', 'd', 'e']) await stage.run(up, who);

      expect(breakers(stage).reader('bad')!.state).toBe('open');
      expect(breakers(stage).size).toBe(3);
    });

    it('after idleTtl, when another comes', async () => {
      const stage = withBreaker(face, { idleTtl: 500 });
      await stage.run(up, 'a');
      await stage.clock.advance(500);
      await stage.run(up, 'b');

      expect(keysOf(breakers(stage))).toEqual(['b']);
    });

    it('never while an operator holds them, or while they are open', async () => {
      const stage = withBreaker(face, { idleTtl: 500, maxKeys: 2 });
      const { breakers: directory } = stage.runtime.registry;
      for (const who of ['isolated', 'disabled']) await stage.run(up, who);
      directory.control(NAME, 'isolated')!.isolate('by hand');
      directory.control(NAME, 'disabled')!.disable('by hand');
      await stage.clock.advance(1_000);
      for (const who of ['a', 'b', 'c']) await stage.run(up, who);

      expect(breakers(stage).reader('isolated')!.state).toBe('isolated');
      expect(breakers(stage).reader('disabled')!.state).toBe('disabled');
      expect((await stage.run(up, 'isolated')).error).toMatchObject({ code: 'CIRCUIT_OPEN' });

      const other = withBreaker(face, { idleTtl: 500 });
      await failFor(other, 2, 'open');
      await other.clock.advance(999);
      await other.run(up, 'a');
      expect(breakers(other).reader('open')!.state).toBe('open');
      await other.clock.advance(500);
      await other.run(up, 'b');
      expect(keysOf(breakers(other))).toEqual(['b']);
    });

    it('never while calls run or wait in their bulkhead', async () => {
      const stage = new Stage(face, { bulkhead: { key, maxKeys: 1, idleTtl: 100 } });
      const gate = new Gate();
      for (const who of ['a', 'b', 'c']) stage.call(gate.work, who);
      await stage.clock.advance(1_000);
      await stage.run(up, 'd');
      expect(keysOf(bulkheads(stage)).toSorted()).toEqual(['a', 'b', 'c', 'd']);

      gate.resolve();
      await settle();
      await stage.run(up, 'e');

      expect(keysOf(bulkheads(stage))).toEqual(['e']);
    });

    it('never while calls wait for their turn', async () => {
      const stage = new Stage(face, {
        rateLimit: { limit: 1, per: 10_000, maxWait: 10_000, key, maxKeys: 1, idleTtl: 100 },
      });
      await stage.run(up, 'a');
      const waiting = stage.call(up, 'a');
      await stage.clock.advance(1_000);
      await stage.run(up, 'b');
      const limits = stage.runtime.registry.rateLimiters.keyedReader(NAME)!;
      expect(limits.reader('a')!.snapshot().waiting).toBe(1);
      await stage.clock.advance(9_000);

      expect(waiting.value).toBe('ok');
    });

    itCanLeave(face, 'when the last who waited has left', async () => {
      const stage = new Stage(face, {
        rateLimit: { limit: 1, per: 10_000, maxWait: 10_000, key, maxKeys: 1 },
      });
      await stage.run(up, 'a');
      const waiting = stage.call(up, 'a');
      await settle();
      waiting.cancel();
      await stage.run(up, 'b');

      expect(keysOf(stage.runtime.registry.rateLimiters.keyedReader(NAME)!)).toEqual(['b']);
      expect(stage.clock.pending).toBe(0);
    });
  });
});
