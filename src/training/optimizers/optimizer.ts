/**
 * The interface of an optimiser: its state as named groups of tensors, and its update in a step. Averaged weights have
 * the same form: a group that is initialised with the weights and follows them.
 */
import type * as tf from '@tensorflow/tfjs';

/** State with one tensor for each trainable parameter, of its shape. */
export interface TensorGroup {
  /** The tensor of parameter `p` is called `<name>.p` in checkpoints. */
  readonly name: string;
  /** The values of its tensors before the first step. */
  readonly initial: 'zeros' | 'weights';
}

/** A trainable parameter with its settings from the recipe. */
export interface TrainedParameter {
  readonly name: string;
  readonly value: tf.Variable;
  /** Factor of the step's learning rate, from layer-wise decay. */
  readonly rateScale: number;
  readonly weightDecay: number;
  /** Its tensor in a group. */
  readonly state: (group: string) => tf.Variable;
}

/** The values that change from step to step. */
export interface StepRates {
  readonly learningRate: number;
  /** Number of this step, from 1. */
  readonly step: number;
}

export interface Optimizer {
  readonly groups: readonly TensorGroup[];
  /** The tensors that {@link update} reads in addition to gradients and state. Their values may differ in each step. */
  inputs(rates: StepRates): tf.Tensor[];
  /**
   * Updates parameters and state in place. A device may record the kernels of one call and replay them in later steps
   * with other values of `inputs`, see `ops/repeat.ts`. So a value of `rates` that reaches a tensor is one of `inputs`.
   *
   * @param gradients One for each parameter, of its shape.
   * @param inputs The result of {@link inputs} for this step.
   */
  update(
    parameters: readonly TrainedParameter[],
    gradients: readonly tf.Tensor[],
    rates: StepRates,
    inputs: readonly tf.Tensor[],
  ): void;
}
