// One contender in a process of its own. Its parent says when it is the turn of which case, so that what
// slows the machine down for a while slows all contenders and cases, and none of them for good.
import { AsyncLocalStorage } from 'node:async_hooks';
import { measure } from 'mitata';
import { callsOf, CASES } from './cases.mjs';
import { contenders } from './contenders.mjs';

const [name, asyncContext] = process.argv.slice(2);
const WARM_MS = 20;
/** So that each of the 10,000 keys has been used as well. */
const HEAVY_BATCHES = 60;
/** Milliseconds of a turn: long enough to collect the garbage that it makes. */
const TURN_MS = 10;
const LITTERING_TURN_MS = 40;

// an application that uses AsyncLocalStorage pays for it in every promise
const storage = new AsyncLocalStorage();
const run = (body) => (asyncContext === 'on' ? storage.run({ user: 1 }, body) : body());

const makers = await run(() => contenders[name]());
const cases = new Map();

/** Every case has run before the first is measured, as the methods of an application have. */
async function warm(title) {
  const one = cases.get(title) ?? { batch: CASES[title].batch(makers[title]()), fastest: Infinity };
  cases.set(title, one);
  const until = performance.now() + WARM_MS;
  const least = CASES[title].heavy ? HEAVY_BATCHES : 1;
  for (let i = 0; i < least || performance.now() < until; i += 1) {
    const from = performance.now();
    await one.batch();
    one.fastest = Math.min(one.fastest, performance.now() - from);
  }
}

/** A measurement of so many turns, each of which waits until it is called for. */
function begin(title, turns) {
  const { batch, fastest } = cases.get(title);
  const turnMs = CASES[title].litters ? LITTERING_TURN_MS : TURN_MS;
  const batches = Math.max(1, Math.round(turnMs / fastest));
  const turn = { next: undefined, over: undefined };
  let start;
  const turnComes = () => new Promise((resolve) => (start = resolve));
  turn.next = turnComes();
  const manual = async () => {
    await turn.next;
    const from = process.hrtime.bigint();
    for (let i = 0; i < batches; i += 1) await batch();
    const ns = Number(process.hrtime.bigint() - from);
    turn.next = turnComes();
    turn.over();
    return ns;
  };
  const once = { min_samples: turns, max_samples: turns, min_cpu_time: 0 };
  const stats = measure(
    async function* () {
      yield { manual, budget: 'manual' };
    },
    { ...once, samples_threshold: Infinity, gc: false },
  );
  return {
    stats,
    calls: batches * callsOf(title),
    turn: () =>
      new Promise((resolve) => {
        turn.over = resolve;
        start();
      }),
  };
}

const commands = {
  titles: async () => Object.keys(makers),
  warm: async ({ titles }) => {
    for (const title of [...titles, ...titles]) await warm(title);
    // what will stay has its place from here on
    for (let i = 0; i < 3; i += 1) globalThis.gc();
  },
  begin: async ({ titles, turns }) => {
    for (const title of titles) Object.assign(cases.get(title), begin(title, turns));
  },
  turn: ({ title }) => cases.get(title).turn(),
  /** Nanoseconds per call in the fastest turn: others only tell who else was at work. */
  end: async ({ title }) => {
    const { stats, calls } = cases.get(title);
    return (await stats).min / calls;
  },
};

process.on('message', async ({ command, ...more }) => {
  process.send({ answer: await run(() => commands[command](more)) });
});
process.on('disconnect', () => process.exit(0));
process.send('ready');
