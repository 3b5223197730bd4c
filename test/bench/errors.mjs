// What it costs to say what an error is: nanoseconds per classification of ten usual errors.
// node test/bench/errors.mjs (after `npm run build`); the last line is JSON.
import { defaultClassifier } from '../../dist/errors/default-classifier.js';
import { makeClassifier } from '../../dist/errors/classifier/classifier.js';

const ROUNDS = 7;
const CALLS = 200_000;

const named = (name, properties = {}) =>
  Object.defineProperty(Object.assign(new Error('x'), properties), 'name', { value: name });
const coded = (code) => Object.assign(new Error('x'), { code });
const status = (code) => Object.assign(new Error('x'), { getStatus: () => code });
const deep = (depth, inner) =>
  depth === 0 ? inner : new Error('x', { cause: deep(depth - 1, inner) });

const ERRORS = {
  'plain Error': new Error('x'),
  ECONNRESET: coded('ECONNRESET'),
  'fetch failed, ECONNREFUSED': new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }),
  'HttpException 503': status(503),
  'axios 404': named('AxiosError', { code: 'ERR_BAD_REQUEST', response: { status: 404 } }),
  'pg 40001': named('error', { code: '40001', severity: 'ERROR', routine: 'x' }),
  'gRPC UNAVAILABLE': Object.assign(new Error('x'), { code: 14, details: 'x', metadata: {} }),
  'Redis LOADING': Object.assign(named('ReplyError'), { message: 'LOADING x' }),
  TypeError: new TypeError('x'),
  'nothing known, 5 deep': deep(4, new Error('x')),
};

const withRules = makeClassifier({
  classify: [
    { match: 'EPAYMENT', category: 'validation' },
    { match: class Declined extends Error {}, category: 'permanent' },
    (error) => (error?.message === 'never' ? 'poison' : undefined),
  ],
});

/** The median of several rounds, for the machine has other work. */
function nanoseconds(classifier, errors) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i += 1) classifier.classify(errors[i % errors.length]);
    rounds.push(Number(process.hrtime.bigint() - from) / CALLS);
  }
  return Math.round(rounds.toSorted((a, b) => a - b)[ROUNDS >> 1]);
}

const all = Object.values(ERRORS);
nanoseconds(defaultClassifier, all); // as warm, and with as many shapes, as in an application
const figures = Object.fromEntries(
  Object.entries(ERRORS).map(([name, error]) => [name, nanoseconds(defaultClassifier, [error])]),
);
figures['the ten in turn'] = nanoseconds(defaultClassifier, all);
figures['the ten in turn, three rules before the table'] = nanoseconds(withRules, all);

for (const [name, ns] of Object.entries(figures))
  console.log(`${String(ns).padStart(6)} ns  ${name}`);
console.log(JSON.stringify({ bench: 'errors', unit: 'ns/op', ...figures }));
