/** Rows and columns of images selected by index, in any order and any number of times: mirrors, shifts, crops. */
import * as tf from '@tensorflow/tfjs';
import { hasFusedKernel } from './op.js';

/** Kernel name: takes `images`, `rows` and `columns`, returns the images. */
export const PICK_KERNEL = 'VitPickPixels';

/**
 * Pixel (i, j) of an output is pixel (rows[i], columns[j]) of its image. Not differentiable: used for inputs only.
 *
 * @param images [batch, height, width, 3]
 * @param rows [batch, outHeight] int32, each below height
 * @param columns [batch, outWidth] int32, each below width
 * @returns [batch, outHeight, outWidth, 3]
 */
export function pickPixels(images: tf.Tensor4D, rows: tf.Tensor2D, columns: tf.Tensor2D): tf.Tensor4D {
  if (hasFusedKernel(PICK_KERNEL)) return tf.engine().runKernel(PICK_KERNEL, { images, rows, columns });
  return tf.tidy(() => {
    const [batch, height, width] = images.shape;
    const starts = tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(height * width, 'int32'));
    const lines = tf.add(tf.mul(rows, tf.scalar(width, 'int32')), tf.reshape(starts, [batch, 1]));
    const places = tf.add(tf.expandDims(lines, 2), tf.expandDims(columns, 1)); // [batch, outHeight, outWidth]
    return tf.gather<tf.Tensor4D>(tf.reshape(images, [-1, 3]) as unknown as tf.Tensor4D, places);
  });
}
