/** Images whose sampling grid is pulled towards a point, more strongly with distance: the geometry of `distorted`. */
import * as tf from '@tensorflow/tfjs';
import { hasFusedKernel } from './op.js';

/** Kernel name: takes `images` and `pulls`, returns the images. */
export const PULL_KERNEL = 'VitPullPixels';

/**
 * The output at g, in [-1, 1]² between the centres of the corner pixels, is the image at g + strength·|c − g|·(c − g):
 * bilinear, with zeros outside. In float32 the position is exact to 2e-5 of a pixel at 224 px. The values of
 * photographs are exact to 3e-6; those of noise, where neighbours differ most, to 7e-5. Not differentiable: used for
 * inputs only.
 *
 * @param images [batch, height, width, 3], both sides at least 2
 * @param pulls [batch, 3]: x and y of the point c, and the strength
 * @returns [batch, height, width, 3]
 */
export function pullPixels(images: tf.Tensor4D, pulls: tf.Tensor2D): tf.Tensor4D {
  if (hasFusedKernel(PULL_KERNEL)) return tf.engine().runKernel(PULL_KERNEL, { images, pulls });
  return tf.tidy(() => {
    const [batch, height, width] = images.shape;
    const [cx, cy, strength] = [0, 1, 2].map((i) => tf.reshape(tf.slice(pulls, [0, i], [-1, 1]), [batch, 1, 1]));
    const dx = tf.sub(cx!, tf.reshape(grid(width), [1, 1, width]));
    const dy = tf.sub(cy!, tf.reshape(grid(height), [1, height, 1]));
    const pull = tf.mul(strength!, tf.sqrt(tf.add(tf.square(dx), tf.square(dy))));
    // In pixels. Only the shift is computed, and its integer part is kept apart: a large coordinate would round the
    // fraction.
    const along = (axis: 'x' | 'y') => {
      const side = axis === 'x' ? width : height;
      const shift = tf.mul(tf.mul(pull, axis === 'x' ? dx : dy), (side - 1) / 2);
      const whole = tf.floor(shift);
      const own = tf.reshape(tf.range(0, side), axis === 'x' ? [1, 1, side] : [1, side, 1]);
      return { first: tf.add(whole, own), fraction: tf.sub(shift, whole), side };
    };
    const [x, y] = [along('x'), along('y')];
    const starts = tf.reshape(tf.mul(tf.range(0, batch), height * width), [batch, 1, 1]);
    const corner = (right: number, below: number): tf.Tensor => {
      const [column, row] = [tf.add(x.first, right), tf.add(y.first, below)];
      const inside = tf.mul(isInside(column, width), isInside(row, height));
      const weight = tf.mul(share(x.fraction, right), share(y.fraction, below));
      const place = tf.add(
        tf.add(starts, tf.mul(tf.clipByValue(row, 0, height - 1), width)),
        tf.clipByValue(column, 0, width - 1),
      );
      const pixels = tf.gather(tf.reshape(images, [-1, 3]), tf.cast(place, 'int32'));
      return tf.mul(pixels, tf.expandDims(tf.mul(weight, inside), -1));
    };
    return tf.addN([corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)]) as tf.Tensor4D;
  });
}

/** Coordinates from −1 to 1, each computed by a division: those of `tf.linspace` accumulate rounding errors. */
const grid = (side: number): tf.Tensor => tf.sub(tf.div(tf.mul(tf.range(0, side), 2), side - 1), 1);

/** The weight of the first (0) or the second (1) of two neighbours in linear interpolation. */
const share = (fraction: tf.Tensor, which: number): tf.Tensor => (which === 1 ? fraction : tf.sub(1, fraction));

/** 1 for 0 … side − 1, else 0. */
const isInside = (place: tf.Tensor, side: number): tf.Tensor =>
  tf.cast(tf.logicalAnd(tf.greaterEqual(place, 0), tf.less(place, side)), 'float32');
