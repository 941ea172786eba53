/** Colour maps against pixels computed by hand. */
import * as tf from '@tensorflow/tfjs';
import { composeColours, DENORMALIZE, mixColours, NORMALIZE, type ColourMap } from '../../src/ops/colours.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The results of maps on images of one pixel each. */
function mixed(pixels: readonly [number, number, number][], maps: readonly ColourMap[]): number[] {
  return tf.tidy(() => [...mixColours(tf.tensor4d(pixels.flat(), [pixels.length, 1, 1, 3]), maps).dataSync()]);
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, 5);
  });
}

/** red ← green + 1, green ← 2·blue, blue ← red. */
const TURN: ColourMap = { matrix: [0, 1, 0, 0, 0, 2, 1, 0, 0], offset: [1, 0, 0] };
/** red ← red − blue, green ← green + 3, blue ← 4·red. */
const OTHER: ColourMap = { matrix: [1, 0, -1, 0, 1, 0, 4, 0, 0], offset: [0, 3, 0] };

it('normalises each channel by the mean and standard deviation of ImageNet, and back', () => {
  const normalized = [(0.5 - 0.485) / 0.229, (0.25 - 0.456) / 0.224, (1 - 0.406) / 0.225] as const;
  expectClose(mixed([[0.5, 0.25, 1]], [NORMALIZE]), normalized);
  expectClose(mixed([[...normalized]], [DENORMALIZE]), [0.5, 0.25, 1]);
});

it('multiplies by rows of the matrix, then adds the offset', () => {
  expectClose(mixed([[0.1, 0.2, 0.3]], [TURN]), [1.2, 0.6, 0.1]);
});

it('applies one map to all images, or one to each', () => {
  const pixels: [number, number, number][] = [
    [0.1, 0.2, 0.3],
    [0.5, 0.6, 0.7],
  ];
  expectClose(mixed(pixels, [TURN]), [1.2, 0.6, 0.1, 1.6, 1.4, 0.5]);
  expectClose(mixed(pixels, [TURN, OTHER]), [1.2, 0.6, 0.1, -0.2, 3.6, 2]);
});

it('composes two maps in the order of its arguments', () => {
  // (0.1, 0.2, 0.3) → (1.2, 0.6, 0.1) → (1.1, 3.6, 4.8)
  expectClose(mixed([[0.1, 0.2, 0.3]], [composeColours(TURN, OTHER)]), [1.1, 3.6, 4.8]);
  // (0.1, 0.2, 0.3) → (−0.2, 3.2, 0.4) → (4.2, 0.8, −0.2)
  expectClose(mixed([[0.1, 0.2, 0.3]], [composeColours(OTHER, TURN)]), [4.2, 0.8, -0.2]);
});
