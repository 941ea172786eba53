// Tests are compiled with the sources (dist/test) and run as they are: jest-light-runner has no vm contexts, so native
// addons and typed arrays behave as they do in the program, and ES modules need no transform.
export default {
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  runner: 'jest-light-runner/child-process',
  // Half of the suite waits for processes that it started; jest leaves a core idle by default.
  maxWorkers: '100%',
  testSequencer: '<rootDir>/tools/slowest-first.js',
};
