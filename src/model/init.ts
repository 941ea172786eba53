/**
 * How the initial values of a model are drawn: one entry for each `model.init`. `parameters.ts` defines the kind of
 * each parameter.
 */
import type { Random } from '../common/random.js';
import type { Init } from '../spec/model.js';

/** Draws one value of a parameter with the given numbers of inputs and outputs. */
type Draw = (random: Random, inputs: number, outputs: number) => number;

export interface InitRule {
  /** Matrices of the blocks and of the prediction. */
  weights: Draw;
  /** Matrices of the patch embedding and of the projection from encoder to decoder. */
  embedding: Draw;
  /** Mask and class tokens; also new classifiers, before their factor of 0.001. */
  token: Draw;
}

export const INIT_RULES: Record<Init, InitRule> = {
  // The paper's pre-training model: both embeddings have PyTorch's default (PAPER.md §2).
  'truncated-normal-narrow': { weights: cutNormal, embedding: fanIn, token: cutNormal },
  // timm's trunc_normal_(std=.02), which truncates at ±2, a hundred standard deviations (PAPER.md §7).
  'truncated-normal': { weights: normal, embedding: fanIn, token: normal },
  // MAE's initialize_weights: Xavier for every matrix, including the patch embedding, and tokens of std 0.02.
  'xavier-uniform': { weights: xavier, embedding: xavier, token: normal },
};

const STD = 0.02;

function normal(random: Random): number {
  return random.normal(0, STD);
}

/** Truncated at ±0.02, that is at one standard deviation: the actual standard deviation is about 0.011. */
function cutNormal(random: Random): number {
  for (;;) {
    const value = normal(random);
    if (Math.abs(value) <= STD) return value;
  }
}

/** U(±√(6 / (inputs + outputs))), which keeps the variance of values and gradients about equal in all layers. */
function xavier(random: Random, inputs: number, outputs: number): number {
  const bound = Math.sqrt(6 / (inputs + outputs));
  return random.uniform(-bound, bound);
}

/** PyTorch's default for weights and biases of linear and convolutional layers: U(±1/√inputs). */
export function fanIn(random: Random, inputs: number): number {
  const bound = 1 / Math.sqrt(inputs);
  return random.uniform(-bound, bound);
}
