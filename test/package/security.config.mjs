import { join } from 'node:path';
import base from '../../jest.config.js';

/** Our Jest, for the security suites in a fresh application: nothing of the library comes from here. */
export function securityConfig(app, root, type) {
  const [[files, [swc, options]]] = Object.entries(base.transform);
  const isModule = type === 'module';
  return {
    rootDir: app,
    roots: ['<rootDir>/test/security'],
    testEnvironment: 'node',
    testTimeout: base.testTimeout,
    testMatch: base.testMatch,
    // it reads our sources
    testPathIgnorePatterns: ['recovery-sources'],
    setupFilesAfterEnv: base.setupFilesAfterEnv,
    extensionsToTreatAsEsm: isModule ? ['.ts'] : [],
    moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
    transform: {
      [files]: [
        join(root, 'node_modules', swc),
        { ...options, module: { type: isModule ? 'es6' : 'commonjs' } },
      ],
    },
  };
}
