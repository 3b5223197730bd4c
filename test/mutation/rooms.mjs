const model = (name) => `test/model/${name}.model.spec.ts`;
const hazard = (name) => `test/hazards/${name}.spec.ts`;

/**
 * Which mutants are to be killed by which suites. A mutant of a policy has to die by the tests of
 * its own room: they are the ones that say what the policy promises, and they are quick.
 */
export const rooms = {
  kernel: {
    mutate: ['lib/kernel/**/*.ts'],
    tests: ['test/unit/kernel', 'test/unit/policies', 'test/unit/pipeline'],
  },
  'circuit-breaker': {
    mutate: ['lib/policies/circuit-breaker/**/*.ts'],
    tests: [
      'test/unit/policies/circuit-breaker',
      model('circuit-breaker'),
      model('circuit-breaker-liveness'),
    ],
  },
  retry: {
    mutate: ['lib/policies/retry/**/*.ts'],
    tests: ['test/unit/policies/retry', model('retry-budget')],
  },
  bulkhead: {
    mutate: ['lib/policies/bulkhead/**/*.ts'],
    tests: ['test/unit/policies/bulkhead', model('bulkhead')],
  },
  'rate-limit': {
    mutate: ['lib/policies/rate-limit/**/*.ts'],
    tests: ['test/unit/policies/rate-limit', model('rate-limit')],
  },
  'time-limit': {
    mutate: ['lib/policies/time-limit/**/*.ts'],
    tests: ['test/unit/policies/time-limit'],
  },
  fallback: {
    mutate: ['lib/policies/fallback/**/*.ts'],
    tests: ['test/unit/policies/fallback', model('last-good')],
  },
  pipeline: {
    mutate: ['lib/pipeline/**/*.ts'],
    tests: [
      'test/unit/pipeline',
      'test/conformance',
      hazard('style-4'),
      hazard('attack'),
      hazard('attack-3'),
      hazard('direct-and-engine'),
      hazard('limited-calls-attack'),
      hazard('kept-and-engine'),
      hazard('statistics-attack'),
      model('engine'),
    ],
  },
};
