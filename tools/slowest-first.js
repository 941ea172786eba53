// The order of the test files: the slowest first, so that no core is idle at the end. jest orders files by their last
// durations, which a clean clone does not have.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
// A dependency of jest, in the version that jest uses.
const { default: TestSequencer } = createRequire(require.resolve('jest'))('@jest/test-sequencer');

/** Files that take more than 20 s of processor time. A file that is missing here costs some seconds, nothing else. */
const SLOW = [
  'training/agreement',
  'e2e/kills',
  'training/recipe-keys',
  'e2e/sweep',
  'e2e/failures',
  'e2e/kills-real',
  'report/coverage',
  'training/leaks',
  'registries/registries',
  'e2e/webgpu',
  'objectives/batches',
  'training/learning',
  'fuzz/fuzz',
  'e2e/slurm',
  'training/resume',
  'backends/simd/threads',
  'spec/garbage',
];

const rank = ({ path }) => {
  const index = SLOW.findIndex((name) => path.replaceAll('\\', '/').endsWith(`dist/test/${name}.test.js`));
  return index < 0 ? SLOW.length : index;
};

export default class SlowestFirst extends TestSequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}
