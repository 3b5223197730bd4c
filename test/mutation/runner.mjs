// A test runner for Stryker. Its own for jest loads every test file anew for each mutant, which takes
// hours here; this one imports tests and mutated library once per process and runs, for a mutant,
// the tests that reach it until one fails. A mutant of code that runs at import has a process to
// itself, and all the tests.
//
// The tests share one process, so a mutant might leave something behind that fails tests of the
// next. Hence nothing counts as killed unless the same test passes with the mutant switched off and
// fails once more with it on. If it fails without, the process is given up and the mutant is run
// anew in a fresh one, where a failure cannot be another's.
import { INSTRUMENTER_CONSTANTS } from '@stryker-mutator/api/core';
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { install, runTest, tests } from './harness.mjs';

/**
 * Left out, which can only lower the score: what measures the machine says nothing of a mutant, and
 * what does one thing a thousand times takes longer than all the rest.
 */
const LEFT_OUT =
  /cost the machine|is cheap: fifty thousand|keeps neither the errors nor the long|a thousand attempts|a storm of|1,000 seeds/;
const DRY = 'dry-run.json';
const KILLERS = 'killers.json';
const HUNG = 'hung.json';
const RECENT = 12;

const stryker = (globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {});
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});

class OnceRunner {
  #fresh = true;
  #loaded = false;
  #dry = {};
  #killers = {};
  #watch;

  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun() {
    await this.#load();
    const results = [];
    const times = {};
    for (const test of tests) {
      stryker.currentTestId = test.id;
      const began = performance.now();
      const failure = await this.#run(test);
      const timeSpentMs = performance.now() - began;
      times[test.id] = timeSpentMs;
      const { id, file: fileName } = test;
      const base = { id, name: id, fileName: resolve(fileName), timeSpentMs };
      results.push(
        failure === undefined
          ? { ...base, status: 0 }
          : { ...base, status: 1, failureMessage: text(failure) },
      );
    }
    stryker.currentTestId = undefined;
    const { mutantCoverage } = stryker;
    const covering = {};
    for (const [test, hits] of Object.entries(mutantCoverage.perTest)) {
      for (const mutant of Object.keys(hits)) (covering[mutant] ??= []).push(test);
    }
    writeFileSync(DRY, JSON.stringify({ times, covering }));
    return { status: 'complete', tests: results, mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation }) {
    const { id, fileName } = activeMutant;
    const isStatic = mutantActivation === 'static';
    if (read(HUNG).mutant === id) {
      rmSync(HUNG);
      return { status: 'timeout', reason: 'a test spins' };
    }
    stryker.hitLimit = undefined;
    stryker.activeMutant = isStatic ? id : undefined;
    this.#watch ??= watch();
    this.#watch.mutant(id);
    try {
      await this.#load();
    } catch (error) {
      if (isStatic) return killed('import', error, 0);
      throw error;
    }
    const fresh = this.#fresh;
    this.#fresh = false;
    const wanted = testFilter && new Set(testFilter);
    let count = 0;
    for (const test of this.#order(fileName, id)) {
      if (wanted && !wanted.has(test.id)) continue;
      count += 1;
      const failure = await this.#with(test, id, hitLimit);
      if (failure === undefined) continue;
      if (stryker.hitCount > hitLimit) return { status: 'timeout', reason: 'hit limit' };
      if (!isStatic) {
        const without = await this.#with(test, undefined);
        // given up: Stryker starts another process for the same mutant
        if (without !== undefined && !fresh) process.exit(1);
        if (without === undefined && (await this.#with(test, id, hitLimit)) === undefined) {
          console.error(`not twice: ${id} ${test.id} ${text(failure)}`);
          continue;
        }
      }
      this.#killedBy(fileName, test.id);
      stryker.activeMutant = undefined;
      this.#watch.mutant('');
      return killed(test.id, failure, count);
    }
    stryker.activeMutant = undefined;
    this.#watch.mutant('');
    return { status: 'survived', nrOfTests: count };
  }

  async #load() {
    if (this.#loaded) return;
    this.#loaded = true;
    const fc = await import('fast-check');
    fc.configureGlobal({ seed: 20_260_101, endOnFailure: true });
    this.#dry = read(DRY);
    this.#killers = read(KILLERS);
    for (const file of process.env.MUTATION_TESTS.split(' ').flatMap(specs)) {
      install(file);
      await import(pathToFileURL(resolve(file.replace(/\.ts$/, '.js'))).href);
    }
    const kept = tests.filter(({ id }) => !LEFT_OUT.test(id));
    tests.splice(0, tests.length, ...kept);
  }

  /** @returns the failure, or undefined */
  #with(test, mutant, hitLimit) {
    stryker.activeMutant = mutant;
    stryker.hitCount = hitLimit === undefined ? undefined : 0;
    stryker.hitLimit = hitLimit;
    return this.#run(test);
  }

  #run(test) {
    this.#watch?.begins();
    return runTest(test);
  }

  /** The likely killers first: what killed neighbours, what reaches the mutant, what is quick. */
  #order(file, mutant) {
    const { times = {}, covering = {} } = this.#dry;
    const recent = this.#killers[file] ?? [];
    const reaching = new Set(covering[mutant]);
    const rank = ({ id }) => {
      const place = recent.indexOf(id);
      if (place !== -1) return place - RECENT;
      return (times[id] ?? 0) + (reaching.has(id) ? 0 : 1e6);
    };
    const ranked = tests.map((test) => [rank(test), test]);
    return ranked.sort(([a], [b]) => a - b).map(([, test]) => test);
  }

  #killedBy(file, test) {
    const others = (this.#killers[file] ?? []).filter((id) => id !== test);
    this.#killers[file] = [test, ...others].slice(0, RECENT);
    writeFileSync(KILLERS, JSON.stringify(this.#killers));
  }
}

/** Ends this process when one test has had seconds of the processor to itself: it spins. */
function watch() {
  const began = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const { writeFileSync } = require('node:fs');
    let mutant = '', seen = -1, since = 0;
    parentPort.on('message', (id) => { mutant = id; seen = -1; });
    setInterval(() => {
      const { user, system } = process.cpuUsage();
      const spent = (user + system) / 1000;
      if (seen !== workerData.began[0]) { seen = workerData.began[0]; since = spent; }
      else if (mutant !== '' && spent - since > workerData.limit) {
        writeFileSync(${JSON.stringify(HUNG)}, JSON.stringify({ mutant }));
        process.kill(process.pid, 'SIGKILL');
      }
    }, 200);`,
    { eval: true, workerData: { began, limit: 10_000 } },
  );
  worker.unref();
  return {
    mutant: (id) => worker.postMessage(id),
    begins: () => {
      began[0] += 1;
    },
  };
}

function killed(test, failure, nrOfTests) {
  return { status: 'killed', killedBy: [test], failureMessage: text(failure), nrOfTests };
}

function text(error) {
  return String(error?.stack ?? error).slice(0, 2_000);
}

function specs(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith('.spec.ts'))
    .sort()
    .map((name) => `${path}/${name}`);
}

function create() {
  return new OnceRunner();
}
create.inject = [];

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'once', create)];
