// The methods that everybody guards, and what builds the cases around them.
import { of } from 'rxjs';
import { CASES } from '../cases.mjs';

class Failure extends Error {}

/** A new error without its stack trace, which would cost ten times what is measured around it. */
function failure() {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new Failure('down');
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

export const ok = async (value) => value;

/**
 * Fails but for one call of a batch, so that a breaker that counts runs of failures stays closed. Not at
 * once, as no dependency does: Node would keep book of a rejection that nobody handles yet.
 */
export const failing = async (i) => {
  await null;
  if (i === 0) return i;
  throw failure();
};

export const down = async () => {
  await null;
  throw failure();
};

/** Longer than a run of failures in `failing`. */
export const NEVER_REACHED = 5_000;

/** Milliseconds, longer than a run of the benchmark: what is open stays open. */
export const LONG = 3_600_000;

const METHODS = {
  answers: () => async (value) => value,
  fails: () => async (i) => {
    await null;
    if (i === 0) return i;
    throw failure();
  },
  rejects: () => async (_value) => {
    await null;
    throw failure();
  },
  streams: () => (value) => of(value),
};

/** A method that does what the case asks of it: a function of its own for every case, as in an application. */
export const methodOf = (title) =>
  METHODS[title === 'open-rejected' ? 'rejects' : (CASES[title]?.bare ?? 'answers')]();

export async function failTimes(count, call) {
  for (let i = 0; i < count; i += 1) {
    try {
      await call(1);
    } catch {
      // so that a breaker opens
    }
  }
}

/** A class with a method for each case, decorated as the TypeScript compiler does. */
export function makeService(decorated, prepare = () => {}) {
  class Service {}
  for (const [title, decorators] of Object.entries(decorated)) {
    let descriptor = { value: methodOf(title), writable: true, configurable: true };
    Object.defineProperty(Service.prototype, title, descriptor);
    prepare(Service.prototype, title);
    for (const decorator of decorators.toReversed())
      descriptor = decorator(Service.prototype, title, descriptor) ?? descriptor;
    Object.defineProperty(Service.prototype, title, descriptor);
  }
  return Service;
}

/** Boots a Nest application around the service. */
export async function provide(module, Service) {
  const { Test } = await import('@nestjs/testing');
  const app = await Test.createTestingModule({ imports: [module], providers: [Service] }).compile();
  app.useLogger(false);
  await app.init();
  return app.get(Service);
}
