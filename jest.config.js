import { availableParallelism } from 'node:os';

// Tests are compiled with the sources (dist/test) and run as they are: jest-light-runner has no vm contexts, so native
// addons and typed arrays behave as they do in the program, and ES modules need no transform.
export default {
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  runner: 'jest-light-runner/child-process',
  // Half of the suite waits for processes that it started, for a retry or for Slurm: more files than cores keep all cores busy.
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  testSequencer: '<rootDir>/tools/slowest-first.js',
};
