import base from './jest.config.js';

/** The suites in virtual time: all but those with real processes. @type {import('jest').Config} */
export default {
  ...base,
  testPathIgnorePatterns: ['/test/e2e/', '/test/crash/', '/node_modules/'],
  // jest never gives up the ES modules of a suite: a worker with 4 GB of them collects garbage and does little else
  workerIdleMemoryLimit: '1.5GB',
};
