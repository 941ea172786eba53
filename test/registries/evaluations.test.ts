/**
 * What adding an evaluation, a data set and an augmentation takes: a file and a line each. A copy of the sources gets an
 * invented segmentation with two metrics, an invented data set of masks and an invented step on bytes; it is compiled with
 * all its types, and its sweep is run and reported.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inventedCopy, run } from './evaluations-support.js';

let copy: ReturnType<typeof inventedCopy>;
beforeAll(() => {
  copy = inventedCopy();
}, 600_000);
afterAll(() => {
  copy.remove();
});

const SPEC = `name: invented
job:
  data: { name: halves, imageSize: 16, trainImages: 24, testImages: 8 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 2, warmupEpochs: 1, batchSize: 8, baseLearningRate: 1.0e-6, invert: 1 }
  segment: { level: 128 }
  evaluate: [segment]
grid: { objective: [scratch, masked], seed: [0] }
`;

test('an invented evaluation is found wherever kinds of stages and metrics appear', () => {
  const spec = copy.write('invented.yaml', SPEC);
  const results = join(copy.folder, 'results');
  const plan = run(copy, 'sweep', spec, '--out', results, '--dry-run');
  expect(plan).toContain('segment masked');

  const progress = run(copy, 'sweep', spec, '--out', results, '--device', 'cpu', '--jobs', '1');
  expect(progress).toContain('1 pretrain, 2 segment to run');
  expect(progress).toMatch(/segment masked: mean IoU 1\.0000 in/);

  expect(run(copy, 'status', results)).toMatch(/^segment +2$/m);

  const report = run(copy, 'report', results);
  expect(report).toContain('Mean IoU (segment), over seeds');
  const other = run(copy, 'report', results, '--metric', 'segment.pixelAccuracy');
  expect(other).toContain('Pixel accuracy in percent (segment.pixelAccuracy), over seeds');
  const [header] = readFileSync(join(results, 'tables', 'runs.csv'), 'utf8').split('\r\n');
  for (const key of ['segment_mean_iou', 'segment_pixel_accuracy', 'segment_test_images', 'segment_stage']) {
    expect(header!.split(',')).toContain(key);
  }
  expect(run(copy, 'report', '--help')).toContain('segment.pixelAccuracy');
  expect(run(copy, 'completion', 'bash')).toContain('segment.pixelAccuracy');

  const schema = run(copy, 'schema');
  for (const key of ['"segment"', '"halves"', '"invert"']) expect(schema).toContain(key);
}, 600_000);

test('an evaluation refuses a data set that does not provide what it needs', () => {
  const spec = copy.write('refused.yaml', SPEC.replace('evaluate: [segment]', 'evaluate: [knn]'));
  expect(run(copy, 'plan', spec)).toContain(
    'knn needs classes of images, and the data set halves provides classes of pixels',
  );
}, 120_000);
