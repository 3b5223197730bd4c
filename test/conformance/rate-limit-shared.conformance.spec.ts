import type { PolicySet, RateLimitOptions } from 'nestjs-bulwark';
import type { RateLimitSnapshot } from '../../lib/policies/rate-limit/rate-limit.js';
import { type Face, onEveryFace, settle, Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');

/** One call each 100 ms, none at once beyond the first. */
const EVEN: RateLimitOptions = { limit: 10, per: 1_000, burst: 1 };

const stageOf = (
  face: Face,
  options: Partial<RateLimitOptions> = {},
  others: PolicySet = {},
): Stage => new Stage(face, { rateLimit: { ...EVEN, ...options }, ...others });

const snapshotOf = (stage: Stage, name = 'Controller.handle'): RateLimitSnapshot =>
  stage.runtime.registry.rateLimiters.reader(name)!.snapshot();

onEveryFace((face) => {
  it('is one for all who give its name', async () => {
    const stage = stageOf(face, { name: 'provider' });
    const other = stage.runtime.register('other', { rateLimit: { ...EVEN, name: 'provider' } });
    await stage.run(up);

    expect(other.pipeline.lane.rateLimit!.policy.enter()).toBe(-100);
    expect((await stage.run(up)).error).toMatchObject({ target: 'provider' });
    expect(snapshotOf(stage, 'provider')).toMatchObject({ admitted: 1, refused: 2 });
    expect(stage.runtime.registry.rateLimiters.list().map(({ name }) => name)).toEqual([
      'provider',
    ]);
  });

  it('reconfigured while calls wait, it serves them by the new pace', async () => {
    const stage = stageOf(face, { maxWait: 10_000 });
    const calls = Array.from({ length: 6 }, () => stage.call(up));
    await settle();
    expect(stage.executions).toBe(1);

    stage.runtime.reconfigure('Controller.handle', { rateLimit: { limit: 100 } });
    await stage.clock.advance(50);

    expect(calls.every(({ isPending }) => !isPending)).toBe(true);
    expect(stage.executions).toBe(6);
  });

  it('taken out while calls wait, it still serves those, and nobody else', async () => {
    const stage = stageOf(face, { maxWait: 10_000 });
    const calls = Array.from({ length: 3 }, () => stage.call(up));
    await settle();

    stage.runtime.reconfigure('Controller.handle', { rateLimit: false });

    expect((await stage.run(up)).value).toBe('ok');
    await stage.clock.advance(200);
    expect(calls.map(({ value }) => value)).toEqual(['ok', 'ok', 'ok']);
    expect(stage.clock.pending).toBe(0);
  });
});
