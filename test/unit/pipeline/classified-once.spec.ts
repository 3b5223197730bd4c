import { defaultClassifier } from '../../../lib/errors/default-classifier.js';
import { World } from './world.js';

function counting() {
  const asked: unknown[] = [];
  const classify = (error: unknown) => {
    asked.push(error);
    return defaultClassifier.classify(error);
  };
  const world = new World({ classifier: { classify } });
  world.runtime.env.errors = { failed: () => {} };
  return { world, asked };
}

const coded = (code: string): Error => Object.assign(new Error('x'), { code });

test('breaker, log, retry and fallback ask once what the error of an attempt is', async () => {
  const { world, asked } = counting();
  const target = world.target('A', {
    circuitBreaker: {},
    retry: { maxAttempts: 3, delay: 100, jitter: 'none' },
    fallback: { value: 'instead' },
  });
  const errors = [new Error('1'), new Error('2'), new Error('3')];
  const thrown = [...errors];

  const answer = world.call(target, () => Promise.reject(thrown.shift()!));
  await world.clock.advance(300);

  expect(await answer).toBe('instead');
  expect(asked).toEqual(errors);
});

test('one object that two attempts throw is looked at by each: it may have changed', async () => {
  const { world, asked } = counting();
  const target = world.target('A', { retry: { maxAttempts: 3, delay: 100, jitter: 'none' } });
  const error = coded('ECONNRESET');
  let calls = 0;

  const answer = world.call(target, () => {
    calls += 1;
    if (calls === 2) Object.assign(error, { code: 'ENOTFOUND', name: 'TypeError' });
    return Promise.reject(error);
  });
  await world.clock.advance(1_000);

  expect(await answer).toBe(error);
  expect(asked).toHaveLength(calls);
});

test('undefined, thrown, is an error like any other', async () => {
  const { world, asked } = counting();
  const target = world.target('A', { circuitBreaker: {}, fallback: { value: 'instead' } });

  expect(await world.call(target, () => Promise.reject(undefined))).toBe('instead');

  expect(asked).toEqual([undefined]);
});

test('one object that a fallback throws again is looked at again: it may have changed', async () => {
  const { world } = counting();
  const gone = (error: unknown): never => {
    throw Object.assign(error as Error, { status: 403 });
  };
  const target = world.target('A', { fallback: [{ handler: gone }, { value: 'instead' }] });

  expect(await world.call(target, () => Promise.reject(new Error('x')))).toMatchObject({
    status: 403,
  });
});
