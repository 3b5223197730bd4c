// describe, it and expect without jest: the test files are imported once, and any test of theirs is
// run as often as there are mutants for it. Knows only what the tests use, and throws at the rest.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'expect';
import { bind } from 'jest-each';
import { jest, undoSpies } from './jest-globals.mjs';

const { setTimeout, clearTimeout, setImmediate } = globalThis;
/** How often, and how many times on end, a test is looked at that does not end. */
const LOOK = 50;
const LOOKS = 4;
/** Of a test that waits for something real. */
const PATIENCE = 5_000;

export const tests = [];
let suite = { path: [], before: [], after: [] };
let strays = [];

process.on('unhandledRejection', (error) => strays.push(error ?? new Error('rejected')));
process.on('uncaughtException', (error) => strays.push(error ?? new Error('thrown')));

// every storage that was ever entered costs each promise of the process, until it is disabled
const entered = new Set();
for (const way of ['run', 'enterWith']) {
  const plain = AsyncLocalStorage.prototype[way];
  AsyncLocalStorage.prototype[way] = function (...args) {
    entered.add(this);
    return plain.apply(this, args);
  };
}

export function install(file) {
  suite = { path: [file], before: [], after: [] };
  const seen = new Map();
  const it = (name, run) => {
    const plain = [...suite.path, name].join(' > ');
    const nth = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, nth);
    const { before, after } = suite;
    tests.push({ id: nth === 1 ? plain : `${plain} (${nth})`, file, run, before, after });
  };
  it.each = bind(it, false);
  const describe = (name, body) => {
    const outer = suite;
    // the arrays are filled in while the body runs, after which a test reads its own
    suite = { path: [...outer.path, name], before: [...outer.before], after: [...outer.after] };
    body();
    suite = outer;
  };
  describe.each = bind(describe, false);
  Object.assign(globalThis, {
    describe,
    it,
    test: it,
    expect,
    jest,
    beforeEach: (hook) => suite.before.push(hook),
    afterEach: (hook) => suite.after.unshift(hook),
    beforeAll: () => {
      throw new Error('beforeAll is not known here');
    },
    afterAll: () => {
      throw new Error('afterAll is not known here');
    },
  });
}

/** @returns the failure, or undefined */
export async function runTest(test) {
  strays = [];
  let failure;
  try {
    failure = await ends(async () => {
      for (const hook of test.before) await hook();
      await test.run();
    });
  } catch (error) {
    failure = error ?? new Error('thrown');
  }
  undoSpies();
  for (const hook of test.after) {
    try {
      await hook();
    } catch (error) {
      failure ??= error;
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
  for (const storage of entered) storage.disable();
  entered.clear();
  return failure ?? strays[0];
}

/**
 * Waits for a test; one that can never end is a failure. It can not when the process has been
 * looked at several times and had no timer, no turn and no input to wait for.
 */
function ends(run) {
  return new Promise((resolve, reject) => {
    let timer;
    let looks = 0;
    let left = PATIENCE / LOOK;
    const look = () => {
      looks = idle() ? looks + 1 : 0;
      left -= 1;
      if (looks >= LOOKS || left <= 0) resolve(new Error('the test does not end'));
      else timer = setTimeout(look, LOOK);
    };
    timer = setTimeout(look, LOOK);
    run()
      .then(() => resolve(undefined), reject)
      .finally(() => clearTimeout(timer));
  });
}

function idle() {
  const waiting = process.getActiveResourcesInfo();
  const timers = waiting.filter((kind) => kind === 'Timeout').length;
  // the timer that looks is one
  return timers <= 1 && !waiting.some((kind) => kind === 'Immediate' || kind.startsWith('FSReq'));
}
