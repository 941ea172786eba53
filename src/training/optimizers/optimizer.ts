/**
 * What an optimiser is: its state as named groups of tensors, and what it does with them in a step. Averaged weights have
 * the same form: a group that begins with the weights and follows them.
 */
import type * as tf from '@tensorflow/tfjs';

/** State with one tensor for each trainable parameter, of its shape. */
export interface TensorGroup {
  /** In checkpoints, the tensor of parameter `p` is called `<name>.p`. */
  readonly name: string;
  /** What its tensors are before the first step. */
  readonly initial: 'zeros' | 'weights';
}

/** A trainable parameter with what the recipe says of it. */
export interface TrainedParameter {
  readonly name: string;
  readonly value: tf.Variable;
  /** Factor of the step's learning rate, as layer-wise decay sets it. */
  readonly rateScale: number;
  readonly weightDecay: number;
  /** Its tensor in a group. */
  readonly state: (group: string) => tf.Variable;
}

/** What changes from step to step. */
export interface StepRates {
  readonly learningRate: number;
  /** Number of this step, from 1. */
  readonly step: number;
}

export interface Optimizer {
  readonly groups: readonly TensorGroup[];
  /** The tensors that {@link update} takes beside gradients and state. Their values may differ in each step. */
  inputs(rates: StepRates): tf.Tensor[];
  /**
   * Updates parameters and state in place. A device may record the kernels of one call and repeat them in later steps
   * with other values of `inputs`, see `ops/repeat.ts`.
   *
   * @param gradients One for each parameter, of its shape.
   * @param inputs What {@link inputs} made for this step.
   */
  update(
    parameters: readonly TrainedParameter[],
    gradients: readonly tf.Tensor[],
    rates: StepRates,
    inputs: readonly tf.Tensor[],
  ): void;
}
