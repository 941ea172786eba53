/**
 * LARS (You et al. 2017), as in MAE's linear probe: momentum on gradients that are scaled by the ratio of the weights'
 * norm to the gradients'. Only matrices are scaled and decayed. (PAPER.md §10)
 */
import * as tf from '@tensorflow/tfjs';
import type { Optimizer } from './optimizer.js';

/** The running sum of the scaled gradients. */
const VELOCITY = 'optimizer.velocity';

const TRUST_COEFFICIENT = 0.001;

export function lars({ momentum }: { momentum: number }): Optimizer {
  return {
    groups: [{ name: VELOCITY, initial: 'zeros' }],
    inputs: ({ learningRate }) => [tf.scalar(learningRate)],
    update(parameters, gradients, _rates, [rate]) {
      for (const [i, { value, rateScale, weightDecay, state }] of parameters.entries()) {
        const velocity = state(VELOCITY);
        const gradient = value.rank > 1 ? scaled(value, gradients[i]!, weightDecay) : gradients[i]!;
        velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
        value.assign(tf.sub(value, tf.mul(velocity, tf.mul(rate!, rateScale))));
      }
    },
  };
}

/** The decayed gradient, times coefficient · ‖weight‖ / ‖gradient‖; unscaled if one of the norms is 0. */
function scaled(weight: tf.Tensor, gradient: tf.Tensor, weightDecay: number): tf.Tensor {
  const decayed = tf.add(gradient, tf.mul(weight, weightDecay));
  const [weightNorm, gradientNorm] = [weight, decayed].map((x) => tf.sqrt(tf.sum(tf.square(x)))) as [
    tf.Scalar,
    tf.Scalar,
  ];
  const apply = tf.logicalAnd(tf.greater(weightNorm, 0), tf.greater(gradientNorm, 0));
  const ratio = tf.mul(tf.div(weightNorm, tf.maximum(gradientNorm, 1e-38)), TRUST_COEFFICIENT);
  return tf.mul(decayed, tf.where(apply, ratio, tf.onesLike(ratio)));
}
