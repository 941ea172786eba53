/** The sum of the squares of many tensors: the square of the gradients' global norm. Not differentiable. */
import * as tf from '@tensorflow/tfjs';
import { hasFusedKernel } from './op.js';

/** Kernel name: takes tensors '0', '1', … of any shapes and returns a scalar. */
export const SUM_OF_SQUARES_KERNEL = 'VitSumOfSquares';

/** Σ x² over every value of every tensor. */
export function sumOfSquares(tensors: readonly tf.Tensor[]): tf.Scalar {
  if (hasFusedKernel(SUM_OF_SQUARES_KERNEL)) {
    const inputs = Object.fromEntries(tensors.map((tensor, i) => [String(i), tensor]));
    return tf.engine().runKernel<tf.Scalar>(SUM_OF_SQUARES_KERNEL, inputs);
  }
  return tf.tidy(() => tf.addN(tensors.map((tensor) => tf.sum<tf.Scalar>(tf.square(tensor)))));
}
