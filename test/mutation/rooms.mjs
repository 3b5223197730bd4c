/**
 * Which mutants are to be killed by which suites. A mutant of a policy has to die by the tests of
 * its own room: they are the ones that say what the policy promises, and they are quick.
 */
export const rooms = {
  kernel: { mutate: ['lib/kernel/**/*.ts'], tests: ['test/unit/kernel', 'test/unit/policies'] },
  'circuit-breaker': {
    mutate: ['lib/policies/circuit-breaker/**/*.ts'],
    tests: ['test/unit/policies/circuit-breaker', 'test/model'],
  },
  retry: {
    mutate: ['lib/policies/retry/**/*.ts'],
    tests: ['test/unit/policies/retry', 'test/model'],
  },
  bulkhead: {
    mutate: ['lib/policies/bulkhead/**/*.ts'],
    tests: ['test/unit/policies/bulkhead', 'test/model'],
  },
  'rate-limit': {
    mutate: ['lib/policies/rate-limit/**/*.ts'],
    tests: ['test/unit/policies/rate-limit', 'test/model'],
  },
  'time-limit': {
    mutate: ['lib/policies/time-limit/**/*.ts'],
    tests: ['test/unit/policies/time-limit'],
  },
  fallback: {
    mutate: ['lib/policies/fallback/**/*.ts'],
    tests: ['test/unit/policies/fallback'],
  },
  pipeline: {
    mutate: ['lib/pipeline/**/*.ts'],
    tests: ['test/unit/pipeline', 'test/conformance', 'test/hazards', 'test/model'],
  },
};
