/** The AdamW update (Loshchilov & Hutter 2019, decoupled decay) of many parameters at once. */
import * as tf from '@tensorflow/tfjs';
import { hasFusedKernel } from './op.js';

/** One parameter with its state. `first` and `second` are the running moments; all three have the same shape. */
export interface AdamWSlot {
  value: tf.Variable;
  first: tf.Variable;
  second: tf.Variable;
  /** Factor of the step's learning rate, from layer-wise decay. */
  rateScale: number;
  weightDecay: number;
}

export interface AdamWStep {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Number of this step, from 1. */
  step: number;
  /** The gradients are multiplied by this first (clipping, or the mean over accumulated parts). */
  gradientScale: number;
}

/**
 * Kernel name: takes "0", "1", … = value, first, second, gradient of each slot, in turn, and updates in place. The
 * values that change from step to step are among the attributes, and also in the input `rates` for kernels that read
 * them on the device.
 */
export const ADAMW_KERNEL = 'VitAdamW';

/** The values that change from step to step: [learningRate, 1/(1 − β₁ᵗ), 1/√(1 − β₂ᵗ), gradientScale]. */
export function adamWRates({ learningRate, beta1, beta2, step, gradientScale }: AdamWStep): tf.Tensor1D {
  return tf.tensor1d([learningRate, 1 / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), gradientScale]);
}

/**
 * Updates parameters and moments in place, in the order of torch.optim.AdamW: decay, moments, bias-corrected step.
 *
 * @param gradients One for each slot, of its shape.
 * @param rates {@link adamWRates} of the options. A {@link Repeated} step must give them, as one of its inputs.
 */
export function adamW(
  slots: readonly AdamWSlot[],
  gradients: readonly tf.Tensor[],
  options: AdamWStep,
  rates?: tf.Tensor1D,
): void {
  if (hasFusedKernel(ADAMW_KERNEL)) {
    const tensors = slots.flatMap((slot, i) => [slot.value, slot.first, slot.second, gradients[i]!]);
    const inputs = Object.fromEntries(tensors.map((tensor, i) => [String(i), tensor]));
    inputs.rates = rates ?? adamWRates(options);
    const perSlot = {
      rateScales: slots.map((slot) => slot.rateScale),
      weightDecays: slots.map((slot) => slot.weightDecay),
    };
    tf.engine().runKernel(ADAMW_KERNEL, inputs, { ...options, ...perSlot });
    if (!rates) inputs.rates.dispose();
    return;
  }
  slots.forEach((slot, i) => {
    tf.tidy(() => {
      updateSlot(slot, gradients[i]!, options);
    });
  });
}

function updateSlot(slot: AdamWSlot, gradient: tf.Tensor, options: AdamWStep): void {
  const { beta1, beta2, epsilon, step, gradientScale } = options;
  const rate = options.learningRate * slot.rateScale;
  const scaled = gradientScale === 1 ? gradient : tf.mul(gradient, gradientScale);
  const first = tf.add(tf.mul(slot.first, beta1), tf.mul(scaled, 1 - beta1));
  const second = tf.add(tf.mul(slot.second, beta2), tf.mul(tf.square(scaled), 1 - beta2));
  const denominator = tf.add(tf.mul(tf.sqrt(second), 1 / Math.sqrt(1 - beta2 ** step)), epsilon);
  const change = tf.mul(tf.div(first, denominator), rate / (1 - beta1 ** step));
  slot.value.assign(tf.sub(tf.mul(slot.value, 1 - rate * slot.weightDecay), change));
  slot.first.assign(first);
  slot.second.assign(second);
}
