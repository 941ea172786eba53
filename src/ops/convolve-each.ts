/** Convolution of each image with its own kernel. */
import * as tf from '@tensorflow/tfjs';
import { hasFusedKernel } from './op.js';

/** Kernel name: takes `images` and `kernels`, returns the convolved images. */
export const CONVOLVE_KERNEL = 'VitConvolveEach';

/**
 * Convolves each image with its own kernel at stride 1, with zero padding. The kernel is not flipped, as in PyTorch.
 * Not differentiable: used for inputs only.
 *
 * @param images [batch, height, width, 3]
 * @param kernels [batch, 3 outputs, 3 inputs, k, k] with odd k
 * @returns [batch, height, width, 3]
 */
export function convolveEach(images: tf.Tensor4D, kernels: tf.Tensor5D): tf.Tensor4D {
  if (hasFusedKernel(CONVOLVE_KERNEL)) return tf.engine().runKernel(CONVOLVE_KERNEL, { images, kernels });
  return tf.tidy(() => {
    const [batch, outputs, inputs, side] = kernels.shape;
    const convolved = Array.from({ length: batch }, (_, i) => {
      const own = tf.reshape<tf.Rank.R4>(tf.slice(kernels, i, 1), [outputs, inputs, side, side]);
      return tf.conv2d(tf.slice(images, i, 1), tf.transpose<tf.Tensor4D>(own, [2, 3, 1, 0]), 1, 'same');
    });
    return tf.concat(convolved);
  });
}
