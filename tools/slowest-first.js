// The order of the test files: the slowest first, so that no core is idle at the end. jest orders files by their last
// durations, which a clean clone does not have.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
// A dependency of jest, in the version that jest uses.
const { default: TestSequencer } = createRequire(require.resolve('jest'))('@jest/test-sequencer');

/** Files that take more than 30 s on two cores. A file that is missing here costs some seconds, nothing else. */
const SLOW = [
  'training/agreement',
  'e2e/kills-real',
  'training/learning',
  'e2e/kills',
  'e2e/webgpu',
  'e2e/sweep',
  'training/leaks',
  'backends/simd/threads',
  'e2e/failures',
  'training/resume',
  'backends/simd/kernels',
  'report/coverage',
  'e2e/verify',
  'objectives/batches',
  'e2e/slurm',
  'spec/garbage',
  'training/state',
  'registries/registries',
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
