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
  // A busy machine must not turn a slow start of a database into a failure.
  testTimeout: 30_000,
};

export default {
  ...base,
  testMatch: ['**/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '\\.(ci|load|prod)\\.test\\.ts$'],
};
