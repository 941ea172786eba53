/** A running sum, updated in place: it stays in the same buffer, as a recorded step requires. */
import * as tf from '@tensorflow/tfjs';
import { hasFusedKernel } from './op.js';

/** Kernel name: takes `sum` and `term`, of the same shape, and adds the term to the sum in place. */
export const ACCUMULATE_KERNEL = 'VitAccumulate';

/** sum ← sum + term. */
export function accumulate(sum: tf.Variable, term: tf.Tensor): void {
  if (hasFusedKernel(ACCUMULATE_KERNEL)) tf.engine().runKernel(ACCUMULATE_KERNEL, { sum, term });
  else
    tf.tidy(() => {
      sum.assign(tf.add(sum, term));
    });
}
