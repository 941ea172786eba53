/** How a sweep divides the cores between stages at once and threads of each. */
import { shareCores } from '../../src/runner/run-here.js';

it.each([
  ['as many stages as cores, one thread each', {}, true, { jobs: 8, threads: 1 }],
  ['the cores of fewer stages go to their threads', { jobs: 2 }, true, { jobs: 2, threads: 4 }],
  ['more threads, fewer stages', { threads: 3 }, true, { jobs: 2, threads: 3 }],
  ['both as given', { jobs: 5, threads: 7 }, true, { jobs: 5, threads: 7 }],
  ['never less than one', { jobs: 20 }, true, { jobs: 20, threads: 1 }],
  ['one stage on a GPU', {}, false, { jobs: 1, threads: 8 }],
] as const)('%s', (_name, given, software, expected) => {
  expect(shareCores(given, software, 8)).toEqual(expected);
});
