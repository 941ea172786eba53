/** Separable resampling of image batches: one fixed matrix along the rows, one along the columns. */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

const swap = (x: tf.Tensor): tf.Tensor => tf.transpose(x as tf.Tensor3D, [0, 2, 1]);

/** R·X·Cᵀ for each image and channel. */
function apply(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor): tf.Tensor {
  const [batch, height, width, channels] = images.shape as [number, number, number, number];
  const [outHeight, outWidth] = [rows.shape[1]!, columns.shape[1]!];
  const tall = tf.matMul(tile(rows, batch), tf.reshape(images, [batch, height, width * channels]));
  const turned = tf.transpose(tf.reshape(tall, [batch, outHeight, width, channels]), [0, 2, 1, 3]);
  const wide = tf.matMul(tile(columns, batch), tf.reshape(turned, [batch, width, outHeight * channels]));
  return tf.transpose(tf.reshape(wide, [batch, outWidth, outHeight, channels]), [0, 2, 1, 3]);
}

/** Some backends do not broadcast the batch of a matrix product. */
function tile(matrix: tf.Tensor, batch: number): tf.Tensor {
  return matrix.shape[0] === batch ? matrix : tf.tile(matrix, [batch, 1, 1]);
}

const op = defineOp({
  name: 'VitResample',
  forward: ([images], [rows, columns]) => ({ output: apply(images!, rows!, columns!), saved: [] }),
  backward: (dy, { constants: [rows, columns] }) => [apply(dy, swap(rows!), swap(columns!))],
});

/**
 * Resamples all images with the same matrices, or each with its own.
 *
 * @param images [batch, height, width, channels]
 * @param rows [1 or batch, outHeight, height]
 * @param columns [1 or batch, outWidth, width]
 * @returns [batch, outHeight, outWidth, channels]
 */
export function resample(images: tf.Tensor4D, rows: tf.Tensor3D, columns: tf.Tensor3D): tf.Tensor4D {
  return op([images], [rows, columns], {}) as tf.Tensor4D;
}
