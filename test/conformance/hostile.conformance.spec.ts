import { onEveryFace, Stage } from '../support/stage.js';
import { HOSTILE } from '../support/hostile-errors.js';

onEveryFace((face) => {
  it.each(HOSTILE)('#163 %s reaches the caller as it was thrown', async (_name, make) => {
    const stage = new Stage(face, {
      fallback: { value: 'hidden', on: [{ category: 'poison' }, 'NO_SUCH_CODE'] },
      retry: { maxAttempts: 2, delay: 1, abortOn: { category: 'permanent' }, messageId: () => 'm' },
      circuitBreaker: { failureThreshold: 2, ignore: { category: 'validation' } },
      timeLimit: 1_000,
    });
    const error = make();

    const call = stage.call(() => Promise.reject(error));
    await stage.clock.advance(1);

    expect(Object.is(call.error, error)).toBe(true);
    expect(stage.executions).toBe(2);
    expect(stage.breaker.snapshot().state).toBe('open');
    expect(stage.eventTypes()).not.toContain('predicate-failed');
  });
});
