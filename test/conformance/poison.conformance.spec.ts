import { ForbiddenException } from '@nestjs/common';
import { CircuitOpenError, type PolicySet } from 'nestjs-bulwark';
import { argOf, type Face, onEveryFace, Stage } from '../support/stage.js';

const HOUR = 3_600_000;
const bad = (): Promise<never> => Promise.reject(new Error('bad data'));
const down = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
const good = (): Promise<string> => Promise.resolve('good');

function stageOf(face: Face, id: (first: unknown) => unknown, others: PolicySet = {}): Stage {
  const retry = { maxAttempts: 3, delay: 1, jitter: 'none', messageId: id as never } as const;
  return new Stage(face, { ...others, retry });
}

/** The attempts that one call makes. */
async function attemptsOf(stage: Stage, method: () => Promise<unknown>): Promise<number> {
  const before = stage.executions;
  stage.call(method);
  await stage.clock.advance(100);
  return stage.executions - before;
}

onEveryFace((face) => {
  it('a message whose calls fail for the third time is poison: no more attempts', async () => {
    const stage = stageOf(face, () => 'm1');

    expect(await attemptsOf(stage, bad)).toBe(3);
    expect(await attemptsOf(stage, bad)).toBe(3);
    expect(await attemptsOf(stage, bad)).toBe(1);
    expect(await attemptsOf(stage, bad)).toBe(1);
  });

  it('of other messages nothing is known', async () => {
    let id = 'm1';
    const stage = stageOf(face, () => id);
    for (let i = 0; i < 3; i += 1) await attemptsOf(stage, bad);

    id = 'm2';

    expect(await attemptsOf(stage, bad)).toBe(3);
  });

  it('a success forgets it, be it at a later attempt', async () => {
    const stage = stageOf(face, () => 'm1');
    await attemptsOf(stage, bad);
    await attemptsOf(stage, bad);
    let tries = 0;
    await attemptsOf(stage, () => ((tries += 1) === 1 ? bad() : good()));
    expect(tries).toBe(1); // the third failure: it is poison, and was not tried again

    await attemptsOf(stage, good);

    expect(await attemptsOf(stage, bad)).toBe(3);
    expect(await attemptsOf(stage, () => ((tries += 1) === 2 ? bad() : good()))).toBe(2);
    expect(await attemptsOf(stage, bad)).toBe(3);
  });

  it('after an hour a failure is forgotten', async () => {
    const stage = stageOf(face, () => 'm1');
    await attemptsOf(stage, bad);
    await attemptsOf(stage, bad);
    await stage.clock.advance(HOUR);

    expect(await attemptsOf(stage, bad)).toBe(3);
  });

  it('an outage poisons no message', async () => {
    const stage = stageOf(face, () => 'm1');
    for (let i = 0; i < 5; i += 1) expect(await attemptsOf(stage, down)).toBe(3);

    expect(await attemptsOf(stage, bad)).toBe(3);
  });

  it('what blames somebody else is retried of a poison message too', async () => {
    const stage = stageOf(face, () => 'm1');
    for (let i = 0; i < 3; i += 1) await attemptsOf(stage, bad);
    let tries = 0;

    expect(await attemptsOf(stage, () => ((tries += 1) === 1 ? bad() : down()))).toBe(1);
    stage.call(() => ((tries += 1), down()));
    await stage.clock.advance(100);
    expect(tries).toBe(4);
  });

  it.each([
    ['refusals of ours', new CircuitOpenError('A.b', 'open')],
    ['cancelled calls', new DOMException('x', 'AbortError')],
  ])('nor do %s', async (_what, error) => {
    const stage = stageOf(face, () => 'm1');
    for (let i = 0; i < 5; i += 1) await attemptsOf(stage, () => Promise.reject(error));

    expect(await attemptsOf(stage, bad)).toBe(3);
  });

  it('errors of a poison message are of that category for fallbacks', async () => {
    const fallback = { value: 'parked', on: { category: 'poison' } } as const;
    const stage = stageOf(face, () => 'm1', { fallback });
    await attemptsOf(stage, bad);
    await attemptsOf(stage, bad);

    expect((await stage.run(bad)).value).toBe('parked');
  });

  it('what must not be hidden is not hidden of a poison message either', async () => {
    const stage = stageOf(face, () => 'm1', { fallback: { value: 'hidden' } });
    const refused = new ForbiddenException();
    for (let i = 0; i < 2; i += 1) await attemptsOf(stage, bad);
    await stage.run(() => Promise.reject(refused));

    expect((await stage.run(() => Promise.reject(refused))).error).toBe(refused);
    expect((await stage.run(bad)).value).toBe('hidden');
  });

  it('a call without an id is about no message', async () => {
    const stage = stageOf(face, () => undefined);

    for (let i = 0; i < 5; i += 1) expect(await attemptsOf(stage, bad)).toBe(3);
    expect(stage.eventTypes()).not.toContain('predicate-failed');
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('gotcha');
      },
      /gotcha/,
    ],
    ['answers a promise', () => Promise.reject(new Error('x')), /got a object, expected a string/],
    ['answers a number', () => 5, /got a number, expected a string of at most 1024/],
    ['answers too much', () => 'x'.repeat(1_025), /got 1025 characters, expected/],
  ])('a function that %s is reported, and the call goes on without it', async (_what, id, says) => {
    const stage = stageOf(face, id);

    for (let i = 0; i < 4; i += 1) expect(await attemptsOf(stage, bad)).toBe(3);
    expect(stage.events.find(({ type }) => type === 'predicate-failed')).toMatchObject({
      option: 'messageId',
      error: { message: expect.stringMatching(says) },
    });
  });

  it('is asked once a call, before the method can change its arguments', async () => {
    const seen: unknown[] = [];
    const stage = stageOf(face, (first: unknown) => {
      seen.push({ ...(argOf(first) as object) });
      return 'm1';
    });
    const spoil = (message: { id: number }): Promise<never> => {
      message.id = 0;
      return bad();
    };

    stage.call(spoil as never, { id: 7 });
    await stage.clock.advance(100);

    expect(seen).toEqual([{ id: 7 }]);
  });
});
