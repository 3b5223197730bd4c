/** @type {import('jest').Config} */
export default {
  // no assertion on time: a shared machine under load may need it to boot an application
  testTimeout: 60_000,
  // jest leaves one core to its parent, which mostly waits: on two cores that is half the machine
  maxWorkers: '100%',
  testEnvironment: 'node',
  roots: ['<rootDir>/test', '<rootDir>/sample'],
  setupFilesAfterEnv: ['<rootDir>/test/support/no-unhandled.ts'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^nestjs-bulwark$': '<rootDir>/lib/index.ts',
    '^nestjs-bulwark/testing$': '<rootDir>/lib/testing/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/sample/.*/dist'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: false,
          },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        isModule: true,
        sourceMaps: 'inline',
      },
    ],
  },
};
