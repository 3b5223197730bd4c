// How each situation is brought about with whatever can run a function. A case answers `{ ok, saw }`:
// whether the promise of its row was kept, and what happened.
import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export const OPEN_FOR = 50;
export const up = async () => 'ok';
export const down = async () => {
  throw new Error('down');
};
export const ended = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
export const within = (ms, promise) => Promise.race([ended(promise), sleep(ms, 'pending')]);

function gate() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  made.work = () => made.promise;
  return made;
}

/** How many of these calls get to run at once. */
async function running(run, calls) {
  let ran = 0;
  const work = () => {
    ran += 1;
    return gate().promise;
  };
  for (let i = 0; i < calls; i += 1) void ended(run(work));
  await sleep(300);
  return ran;
}

/**
 * The rows that need nothing but a way to run a function.
 *
 * `breaker(options)` opens at the first failure for OPEN_FOR and has one probe; answers
 * `{ run(fn), state() }`. `bulkhead(places, queue)` and `retry(retries, places?)` answer a `run(fn, signal?)`.
 */
export function common({ breaker, bulkhead, retry }) {
  const tripped = async (options) => {
    const made = await breaker(options);
    await ended(made.run(down));
    await sleep(OPEN_FOR + 30);
    return made;
  };

  const flood = async (calls, options) => {
    const { run } = await tripped(options);
    let ran = 0;
    const probe = gate();
    const all = Array.from({ length: calls }, () =>
      within(
        500,
        run(() => {
          ran += 1;
          return probe.promise;
        }),
      ),
    );
    const results = await Promise.all(all);
    return { ran, waiting: results.filter((r) => r === 'pending').length - ran };
  };

  const overlapping = async () => {
    const { run, state } = await breaker();
    const old = gate();
    void ended(run(old.work));
    await ended(run(down));
    await sleep(OPEN_FOR + 30);
    const probe = gate();
    void ended(run(probe.work));
    await sleep(5);
    return { old, probe, state, run };
  };

  return {
    9: async () => {
      const run = await bulkhead(2, 0);
      for (let i = 0; i < 10; i += 1) {
        await ended(
          run(() => {
            throw new Error('sync');
          }),
        );
      }
      const free = await running(run, 2);
      return { ok: free === 2, saw: `${free} of 2 free` };
    },
    21: async () => {
      const { ran } = await flood(50);
      return { ok: ran === 1, saw: `${ran} of 50 ran` };
    },
    22: async () => {
      const { waiting } = await flood(50);
      return { ok: waiting === 0, saw: `${waiting} wait for the probe` };
    },
    23: async () => {
      const { old, state } = await overlapping();
      old.resolve();
      await sleep(5);
      return { ok: state() === 'half-open', saw: `then ${state()}` };
    },
    24: async () => {
      const { old, probe, state } = await overlapping();
      old.reject(new Error('late'));
      await sleep(5);
      const during = state();
      probe.resolve();
      await sleep(5);
      return { ok: state() === 'closed', saw: `${during}, then ${state()}` };
    },
    26: async () => {
      const { run, state } = await tripped({ ignore: 'ignored' });
      await ended(run(() => Promise.reject(Object.assign(new Error('x'), { code: 'ignored' }))));
      const next = await within(200, run(up));
      return { ok: next.value === 'ok', saw: `${state()}, next call ${next.value ?? 'refused'}` };
    },
    32: async () => {
      const { run } = await breaker();
      await ended(run(down));
      const real = Date.now.bind(Date);
      Date.now = () => real() - 3_600_000;
      await sleep(OPEN_FOR + 30);
      const next = await within(200, run(up));
      return {
        ok: next.value === 'ok',
        saw: next.value === 'ok' ? 'probes in time' : 'stays open',
      };
    },
    S2: async () => {
      const { run, state } = await breaker({ window: 500, minimum: 5 });
      for (let i = 0; i < 4; i += 1) await ended(run(down));
      await sleep(2_000);
      await ended(run(down));
      return { ok: state() === 'closed', saw: state() };
    },
    S7: async () => {
      const { run } = await breaker();
      const result = await within(
        200,
        run(() => {
          throw new Error('in the set-up');
        }),
      );
      const heard = result.error?.message;
      return {
        ok: heard === 'in the set-up',
        saw: heard === undefined ? 'nothing heard' : 'heard',
      };
    },
    S9: async () => {
      const { ran } = await flood(20, { byDefault: true });
      return { ok: ran <= 3, saw: `${ran} ran` };
    },
    ...(bulkhead === undefined ? {} : queues(bulkhead)),
    ...(retry === undefined ? {} : retries(retry)),
  };
}

function queues(bulkhead) {
  return {
    70: async () => {
      const run = await bulkhead(1, 10);
      const store = new AsyncLocalStorage();
      const seen = [];
      const work = (user) => async () => {
        seen.push([user, store.getStore()]);
        await sleep(5);
      };
      await Promise.all(
        ['alice', 'bob', 'carol'].map((user) => store.run(user, () => run(work(user)))),
      );
      const wrong = seen.filter(([user, saw]) => user !== saw).length;
      return { ok: wrong === 0, saw: `${wrong} of 3 wrong` };
    },
    74: async () => {
      for (let offset = 0; offset <= 20; offset += 1) {
        const run = await bulkhead(1, 1);
        const first = gate();
        void ended(run(first.work));
        const queued = run(up);
        void queued.catch(() => {});
        await sleep(1);
        first.resolve();
        for (let tick = 0; tick < offset; tick += 1) await Promise.resolve();
        for (let i = 0; i < 3; i += 1) void ended(run(up));
        const result = await ended(queued);
        if (result.value !== 'ok') return { ok: false, saw: `rejected at microtick ${offset}` };
      }
      return { ok: true, saw: '21 of 21 ran' };
    },
    76: async () => {
      const run = await bulkhead(1, 1);
      void ended(run(gate().work));
      const controller = new AbortController();
      const queued = run(up, controller.signal);
      await sleep(5);
      controller.abort();
      const result = await within(100, queued);
      const next = await within(200, run(up));
      const gone = result !== 'pending';
      const free = next === 'pending'; // it queues, and is not refused
      return {
        ok: gone && free,
        saw: `${gone ? 'rejected' : 'pending after 100 ms'}, place ${free ? 'free' : 'held'}`,
      };
    },
  };
}

function retries(retry) {
  return {
    64: async () => {
      const run = await retry(2, 10);
      const { signal } = new AbortController();
      for (let i = 0; i < 2_000; i += 1) await run(up, signal);
      const left = getEventListeners(signal, 'abort').length;
      return { ok: left === 0, saw: `${left}` };
    },
    S4: async () => {
      const run = await retry(4, 1);
      await ended(run(down));
      const free = await running(run, 5);
      return { ok: free === 1, saw: `${free} free of 1` };
    },
    S8: async () => {
      const run = await retry(2);
      const counts = [];
      for (let i = 0; i < 2; i += 1) {
        let ran = 0;
        await ended(
          run(() => {
            ran += 1;
            return down();
          }),
        );
        counts.push(ran);
      }
      return { ok: counts.every((n) => n === 3), saw: `${counts.join(', then ')} attempts` };
    },
  };
}

export const outcomeOf = (result, mine) => {
  if (result === 'pending') return 'the caller hangs';
  if (result.error === undefined) return result.value === 'ok' ? 'success' : 'another answer';
  return result.error.message === mine ? 'own error' : 'the listener’s error';
};
