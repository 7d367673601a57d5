/** Tests that need nothing installed. Those that need real servers (`*.ci.test.ts`) or the whole machine (`*.load.test.ts`) are run by `.ci/run`. */
export const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['/dist/', '/out/'],
  maxWorkers: 2,
  // Node 24 can spin for ever at its natural end, waiting for a handle that is gone (node::Environment::CleanupHandles; seen where tests
  // run in Jest's own process). What a test leaves running is found by its own checks of processes and handles.
  forceExit: true,
  // A busy machine must not turn a slow start of a database into a failure.
  testTimeout: 30_000,
};

export default {
  ...base,
  testMatch: ['**/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '\\.(ci|load|prod)\\.test\\.ts$'],
};
