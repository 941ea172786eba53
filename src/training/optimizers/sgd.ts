/** Stochastic gradient descent with momentum, as PyTorch's `SGD`: coupled decay, and no dampening. */
import * as tf from '@tensorflow/tfjs';
import type { Optimizer } from './optimizer.js';

/** The running sum of the gradients. */
const VELOCITY = 'optimizer.velocity';

/** velocity ← momentum · velocity + gradient + decay · weight; weight ← weight − rate · velocity. */
export function sgd({ momentum }: { momentum: number }): Optimizer {
  return {
    groups: [{ name: VELOCITY, initial: 'zeros' }],
    inputs: ({ learningRate }) => [tf.scalar(learningRate)],
    update(parameters, gradients, _rates, [rate]) {
      for (const [i, { value, rateScale, weightDecay, state }] of parameters.entries()) {
        const velocity = state(VELOCITY);
        const gradient = tf.add(gradients[i]!, tf.mul(value, weightDecay));
        velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
        value.assign(tf.sub(value, tf.mul(velocity, tf.mul(rate!, rateScale))));
      }
    },
  };
}
