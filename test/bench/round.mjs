// One life of all contenders' processes: how code is compiled and laid out differs from life to life.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CASES } from './cases.mjs';
import { contenders } from './contenders.mjs';

const script = fileURLToPath(new URL('measure.mjs', import.meta.url));

/** A contender's process; does one thing at a time. */
async function start(name, asyncContext) {
  const child = fork(script, [name, asyncContext], { execArgv: ['--expose-gc'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with ${code}`);
  });
  ended.catch(() => {});
  const heard = () => Promise.race([once(child, 'message'), ended]);
  await heard();
  const ask = async (command, more) => {
    child.send({ command, ...more });
    const [{ answer }] = await heard();
    return answer;
  };
  const has = new Set(await ask('titles'));
  const of = (titles) => titles.filter((title) => has.has(title));
  return { name, ask, of, stop: () => child.disconnect() };
}

async function takeTurns(all, title) {
  for (const { ask, of } of all) if (of([title]).length > 0) await ask('turn', { title });
  // another one begins next time
  all.push(all.shift());
}

/** Some cases of all contenders. All cases have a turn before any has its next: so a slow second hurts none. */
async function measure(all, titles, turns) {
  for (const { ask, of } of all) await ask('warm', { titles: of(titles) });
  for (const { ask, of } of all) await ask('begin', { titles: of(titles), turns });
  // one more: a measurement begins with a turn that does not count
  for (let turn = 0; turn <= turns; turn += 1)
    for (const title of titles) await takeTurns(all, title);
  const result = {};
  for (const { name, ask, of } of all) {
    result[name] = {};
    for (const title of of(titles)) result[name][title] = await ask('end', { title });
  }
  return result;
}

/** Nanoseconds per call of each case of each contender. */
export async function runRound({ asyncContext, titles, turns }) {
  const all = await Promise.all(Object.keys(contenders).map((name) => start(name, asyncContext)));
  const of = (heavy) => titles.filter((title) => (CASES[title].heavy ?? false) === heavy);
  const light = await measure(all, of(false), turns);
  // what does not fit into the processor's caches varies more from turn to turn
  const heavy = await measure(all, of(true), 3 * turns);
  for (const { stop } of all) stop();
  const names = Object.keys(contenders);
  return Object.fromEntries(names.map((name) => [name, { ...light[name], ...heavy[name] }]));
}
