/** Boxes of cutmix, targets of mixed labels and rates of drop path against timm's. mixing.py writes the fixture. */
import * as tf from '@tensorflow/tfjs';
import { stream } from '../../src/common/random.js';
import { drawDropPath, dropPathTensors } from '../../src/training/drop-path.js';
import { cutmixBox, drawMix, mixLabels } from '../../src/training/mixing.js';
import { readFixture } from './fixture.js';

interface Fixture {
  boxes: {
    size: number;
    lambda: number;
    row: number;
    column: number;
    box: [top: number, left: number, bottom: number, right: number];
    share: number;
  }[];
  /** By the side of the images: the mean share that remains, with λ from Beta(1, 1). */
  meanShare: Record<string, number>;
  targets: { labels: number[]; classes: number; lambda: number; labelSmoothing: number; target: number[][] }[];
  dropPath: { depth: number; rate: number; rates: number[] }[];
}

const fixture = readFixture('mixing') as Fixture;

beforeAll(() => tf.setBackend('cpu'));

test.each(fixture.boxes)(
  'the box of λ $lambda around ($row, $column) of $size pixels',
  ({ size, lambda, row, column, box: [top, left, bottom, right], share }) => {
    expect(cutmixBox(size, lambda, row, column)).toEqual({ kind: 'cutmix', lambda: share, top, left, bottom, right });
  },
);

test.each(Object.entries(fixture.meanShare))('the mean share that remains of images of %s pixels', (size, expected) => {
  const draws = 20000;
  let sum = 0;
  for (let i = 0; i < draws; i++) {
    const mix = drawMix({ mixup: 0, cutmix: 1 }, Number(size), stream(0, 'test', i));
    sum += mix.kind === 'cutmix' ? mix.lambda : NaN;
  }
  // 4 standard deviations; with only even sides it would be 0.011
  expect(Math.abs(sum / draws - expected)).toBeLessThan(0.008);
});

test.each(fixture.targets)(
  'targets of λ $lambda and smoothing $labelSmoothing',
  ({ labels, lambda, target, ...rest }) => {
    const own = mixLabels(labels, { kind: 'mixup', lambda }, rest);
    target.flat().forEach((value, i) => {
      expect(own[i]).toBeCloseTo(value, 6);
    });
  },
);

test.each(fixture.dropPath)('drop path of rate $rate in $depth blocks', ({ depth, rate, rates }) => {
  const factors = drawDropPath(rate, depth, 400, stream(1, 'test'))!;
  // A kept branch is scaled by 1/(1 − its rate); a branch that is never dropped has no factors.
  const own = factors.map((branch) => (branch === null ? 0 : 1 - 1 / Math.max(...branch.dataSync())));
  expect(own).toHaveLength(2 * depth);
  own.forEach((value, branch) => {
    expect(value).toBeCloseTo(rates[Math.floor(branch / 2)]!, 6);
  });
  tf.dispose(dropPathTensors(factors));
});
