/**
 * AdamW (Loshchilov & Hutter 2019, decoupled decay). The update itself is `ops/adamw.ts`, fused on devices that support
 * it.
 */
import type * as tf from '@tensorflow/tfjs';
import { adamW as update, adamWRates, type AdamWStep } from '../../ops/index.js';
import type { Optimizer, StepRates } from './optimizer.js';

/** The running means of the gradient and of its square. */
const FIRST = 'optimizer.first';
const SECOND = 'optimizer.second';

export interface AdamWOptions {
  beta1: number;
  beta2: number;
}

export function adamW({ beta1, beta2 }: AdamWOptions): Optimizer {
  const stepOf = (rates: StepRates): AdamWStep => ({ ...rates, beta1, beta2, epsilon: 1e-8, gradientScale: 1 });
  return {
    groups: [
      { name: FIRST, initial: 'zeros' },
      { name: SECOND, initial: 'zeros' },
    ],
    inputs: (rates) => [adamWRates(stepOf(rates))],
    update: (parameters, gradients, rates, [ratesOnDevice]) => {
      const slots = parameters.map(({ value, rateScale, weightDecay, state }) => {
        return { value, rateScale, weightDecay, first: state(FIRST), second: state(SECOND) };
      });
      update(slots, gradients, stepOf(rates), ratesOnDevice as tf.Tensor1D);
    },
  };
}
