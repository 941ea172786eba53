/**
 * The arithmetic of a training step, computed from the sizes: the matrix products of the model, 2·m·n·k FLOPs each, as
 * in PyTorch's FlopCounterMode. Norms, activations, softmax and the optimiser are omitted: together they are a few
 * percent, which tools count differently.
 */
import { keptTokens, type EncoderConfig, type ModelConfig } from './model.js';
import { targetWidth, type Task } from './task.js';

/** FLOPs per image of the forward pass and of a whole training step. */
export interface Cost {
  forward: number;
  /** Forward and backward. Recomputation that saves memory is not counted. */
  training: number;
}

const product = (rows: number, inner: number, columns: number): number => 2 * rows * inner * columns;

/** One transformer block over this many tokens. */
function blockForward(tokens: number, dim: number, mlpRatio: number): number {
  const projections = product(tokens, dim, 3 * dim) + product(tokens, dim, dim);
  const attention = 2 * product(tokens, dim, tokens); // scores, and the weighted sum of the values: all heads together
  const mlp = 2 * product(tokens, dim, Math.round(mlpRatio * dim));
  return projections + attention + mlp;
}

/** Patch embedding and encoder: all tokens are embedded, and the `visible` ones pass through the blocks. */
function encoderForward(model: EncoderConfig, visible: number): { embedding: number; blocks: number } {
  const { dim, depth, mlpRatio, patchSize, imageSize, classToken } = model;
  const tokens = (imageSize / patchSize) ** 2;
  const inEncoder = visible + (classToken ? 1 : 0);
  return {
    embedding: product(tokens, 3 * patchSize ** 2, dim),
    blocks: depth * blockForward(inEncoder, dim, mlpRatio),
  };
}

/**
 * The gradient of a product needs two products of the same size. Nothing needs the gradient of the patches, so it is not
 * counted.
 */
const withBackward = (forward: number, embedding: number): Cost => ({ forward, training: 3 * forward - embedding });

/**
 * One image of pre-training: the encoder on the visible tokens, the decoder on all.
 *
 * Degrading the image costs no FLOPs of the model. Masked zoomed-in pre-training therefore costs as much as masked
 * pre-training, and a task without a mask as much as identity. Without a mask, the encoder costs 1/(1 − maskRatio)
 * times as much as with one. (PAPER.md §2, §9)
 */
export function pretrainCost(
  model: ModelConfig,
  { maskRatio, target = 'patch-channel' }: Pick<Task, 'maskRatio'> & Partial<Pick<Task, 'target'>>,
): Cost {
  const { dim, patchSize, imageSize, decoder } = model;
  const tokens = (imageSize / patchSize) ** 2;
  const visible = keptTokens(tokens, maskRatio);
  const { embedding, blocks } = encoderForward(model, visible);
  const extra = model.classToken ? 1 : 0;
  const decoding =
    product(visible + extra, dim, decoder.dim) +
    decoder.depth * blockForward(tokens + extra, decoder.dim, model.mlpRatio) +
    product(tokens, decoder.dim, targetWidth(target, patchSize));
  return withBackward(embedding + blocks + decoding, embedding);
}

/** FLOPs per image of the features that probes read: the encoder on all tokens. */
export function encodingCost(model: EncoderConfig): number {
  const { embedding, blocks } = encoderForward(model, (model.imageSize / model.patchSize) ** 2);
  return embedding + blocks;
}

/** One image of fine-tuning: the encoder on all tokens, and the head on their mean or the class token. */
export function finetuneCost(model: EncoderConfig, classes: number): Cost {
  const tokens = (model.imageSize / model.patchSize) ** 2;
  const { embedding, blocks } = encoderForward(model, tokens);
  return withBackward(embedding + blocks + product(1, model.dim, classes), embedding);
}

/** One image of segmentation: the encoder, frozen or trained, and the head on each token. */
export function segmentationCost(model: EncoderConfig, classes: number, train: 'head' | 'all'): Cost {
  const tokens = (model.imageSize / model.patchSize) ** 2;
  const { embedding, blocks } = encoderForward(model, tokens);
  const head = product(tokens, model.dim, classes);
  if (train === 'all') return withBackward(embedding + blocks + head, embedding);
  // The gradient of the head's weights needs another product; nothing flows back into frozen tokens.
  return { forward: embedding + blocks + head, training: embedding + blocks + 2 * head };
}
