import type { ErrorMatchers, PolicySet } from 'nestjs-bulwark';
import { type Face, onEveryFace, Stage } from '../support/stage.js';

const slow = Object.assign(new Error('slow'), { code: 'ETIMEDOUT' });
const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });

async function attemptsOf(face: Face, policies: PolicySet, error: unknown): Promise<number> {
  const stage = new Stage(face, policies);
  stage.call(() => Promise.reject(error));
  await stage.clock.advance(100_000);
  return stage.executions;
}

onEveryFace((face) => {
  it('a fallback answers for the categories of `on`, and not for those of `except`', async () => {
    const stage = new Stage(face, {
      fallback: [
        { value: 'was slow', on: { category: 'timeout' } },
        { value: 'something else', except: { category: ['communication', 'validation'] } },
      ],
    });

    expect((await stage.run(() => Promise.reject(slow))).value).toBe('was slow');
    expect((await stage.run(() => Promise.reject(new Error('x')))).value).toBe('something else');
    expect((await stage.run(() => Promise.reject(reset))).error).toBe(reset);
  });

  it('a category of `on` also lets a fallback hide what it otherwise must not', async () => {
    const stage = new Stage(face, { fallback: { value: 'x', on: { category: 'permanent' } } });

    expect((await stage.run(() => Promise.reject(new TypeError('bug')))).value).toBe('x');
    expect((await stage.run(() => Promise.reject(Number.NaN))).error).toBe(Number.NaN);
  });

  it('`on` is asked of what an alternative said by the category of that', async () => {
    const refused = Object.assign(new Error('refused'), { status: 403 });
    const alternative = (): Promise<never> => Promise.reject(refused);
    const stage = new Stage(face, {
      fallback: [{ alternative }, { value: 'hidden', on: { category: 'timeout' } }],
    });

    expect((await stage.run(() => Promise.reject(slow))).error).toBe(refused);
  });

  it.each<[string, { retryOn?: ErrorMatchers; abortOn?: ErrorMatchers }, number, number]>([
    ['retryOn', { retryOn: { category: 'timeout' } }, 3, 1],
    ['retryOn a list', { retryOn: ['X', { category: ['timeout', 'poison'] }] }, 3, 1],
    ['abortOn', { abortOn: { category: 'timeout' } }, 1, 3],
  ])('%s by category decides what is retried', async (_option, retry, ofSlow, ofReset) => {
    expect(await attemptsOf(face, { retry }, slow)).toBe(ofSlow);
    expect(await attemptsOf(face, { retry }, reset)).toBe(ofReset);
  });

  it.each<[string, object, string, string]>([
    ['failOn', { failOn: { category: 'timeout' } }, 'open', 'closed'],
    ['ignore', { ignore: { category: 'timeout' } }, 'closed', 'open'],
  ])('%s by category decides what the breaker counts', async (_option, rules, ofSlow, ofReset) => {
    for (const [error, state] of [
      [slow, ofSlow],
      [reset, ofReset],
    ] as const) {
      const stage = new Stage(face, { circuitBreaker: { failureThreshold: 1, ...rules } });
      await stage.fail(1, error);
      expect(stage.breaker.snapshot().state).toBe(state);
    }
  });
});
