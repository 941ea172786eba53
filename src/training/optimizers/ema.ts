/**
 * An exponential moving average of the weights, as timm's `ModelEmaV2` keeps it: after each step, average ← decay ·
 * average + (1 − decay) · weight. It begins with the first weights.
 */
import * as tf from '@tensorflow/tfjs';
import { accumulate } from '../../ops/index.js';
import { AVERAGE } from '../../weights/names.js';
import type { Optimizer } from './optimizer.js';

/** @param decay In [0, 1). List it after the optimiser that updates the weights. */
export function ema(decay: number): Optimizer {
  return {
    groups: [{ name: AVERAGE, initial: 'weights' }],
    inputs: () => [],
    update(parameters) {
      for (const { value, state } of parameters) {
        const average = state(AVERAGE);
        accumulate(average, tf.mul(tf.sub(value, average), 1 - decay));
      }
    },
  };
}
