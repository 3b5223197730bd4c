import { settle } from '../../lib/testing/fake-clock.js';
import { Nested } from '../support/nested.js';
import { Gate, onEveryFace, Stage } from '../support/stage.js';

onEveryFace((face) => {
  it('#41 what goes wrong inside is an event, and without a listener it is nothing', async () => {
    const stage = new Stage(face, {
      circuitBreaker: {
        failOn: () => {
          throw new Error('a predicate that throws');
        },
      },
      retry: { maxAttempts: 2, delay: 1 },
    });
    const call = stage.call(() => Promise.reject(new Error('down')));
    await stage.clock.advance(10);
    expect(call.error).toMatchObject({ message: 'down' });
  });

  it('#78 the wait in the queue counts against a time limit around it', async () => {
    const stage = new Stage(face, { timeLimit: 100, bulkhead: { maxConcurrent: 1 } });
    const first = new Gate();
    stage.call(first.work);
    stage.clock.schedule(() => first.resolve(), 80);
    const second = stage.call(
      () => new Promise((resolve) => stage.clock.schedule(() => resolve('late'), 50)),
    );
    await stage.clock.advance(200);
    expect(second.error).toMatchObject({ code: 'CALL_TIMEOUT', started: true });
  });

  it('#78 and not against one further in', async () => {
    const stage = new Nested(face, { bulkhead: { maxConcurrent: 1 } });
    const inner = stage.inner({ timeLimit: 100 });
    stage.call(() => stage.sleep(80));
    const second = stage.call(() =>
      stage.ask(inner, async () => {
        await stage.sleep(50);
        return 'in time';
      }),
    );
    await stage.clock.advance(200);
    expect(second.value).toBe('in time');
  });

  it('#86 calls share nothing: of 100 callers each has an execution and a rejection of its own, and one that leaves takes no other along', async () => {
    const stage = new Stage(face, { retry: { maxAttempts: 1 }, bulkhead: { maxConcurrent: 100 } });
    const gates = Array.from({ length: 100 }, () => new Gate());
    const calls = gates.map((gate) => stage.call(gate.work));
    await settle();
    for (const [i, gate] of gates.entries()) gate.reject(new Error(`down ${i}`));
    await settle();
    expect(gates.map(({ starts }) => starts)).toEqual(Array(100).fill(1));
    expect(calls.map(({ error }) => (error as unknown as Error).message)).toEqual(
      gates.map((_, i) => `down ${i}`),
    );
  });
});
