/**
 * The Vision Transformer as pure functions of its parameters: encoder, light decoder, classifier. It uses only src/ops,
 * and runs on every backend that has these. (PAPER.md §2)
 */
import * as tf from '@tensorflow/tfjs';
import {
  attention,
  gatherTokens,
  layerNorm,
  linear,
  type LinearEpilogue,
  meanTokens,
  patchify,
  type Precision,
  qkvBias,
  restoreTokens,
  type TokenSelection,
} from '../ops/index.js';
import type { EncoderConfig, ModelConfig } from '../spec/model.js';
import type { Parameters } from './parameters.js';

const EPSILON = 1e-6;

/**
 * Stochastic depth of one forward pass: for each residual branch (two a block) the factor of each image, which is 0 if
 * the branch is dropped and 1/(1 − rate) if it is kept; or null.
 */
export type DropPath = readonly (tf.Tensor1D | null)[] | null;

function get(parameters: Parameters, name: string): tf.Tensor {
  const parameter = parameters.get(name);
  if (!parameter) throw new Error(`the model has no parameter ${name}`);
  return parameter;
}

const optional = (parameters: Parameters, name: string): tf.Tensor | null => parameters.get(name) ?? null;

function norm<T extends tf.Tensor>(parameters: Parameters, name: string, x: T, result?: Precision): T {
  return layerNorm(x, get(parameters, `${name}.weight`), get(parameters, `${name}.bias`), EPSILON, result);
}

/** The precision of a model's products; the product of a classifier's head, which is small, is always in float32. */
type Products = Pick<EncoderConfig, 'precision'>;

function project(
  parameters: Parameters,
  name: string,
  x: tf.Tensor3D,
  { precision }: Products,
  epilogue?: LinearEpilogue,
  result?: Precision,
): tf.Tensor3D {
  const [weight, bias] = [get(parameters, `${name}.weight`), optional(parameters, `${name}.bias`)];
  return linear(x, weight, bias, epilogue, precision, result);
}

/** The joint bias of q, k and v. With `qv` biases, the bias of k is 0, as in BEiT. */
const biasOf = (parameters: Parameters, name: string): tf.Tensor =>
  optional(parameters, `${name}.qkv.bias`) ??
  qkvBias(get(parameters, `${name}.q_bias`), get(parameters, `${name}.v_bias`));

/** x plus a branch that ends in a projection; `factors` scale the branch of each image. */
function addProjection(
  parameters: Parameters,
  name: string,
  x: tf.Tensor3D,
  branch: tf.Tensor3D,
  factors: tf.Tensor1D | null,
  products: Products,
): tf.Tensor3D {
  if (!factors) return project(parameters, name, branch, products, { residual: x });
  return tf.add(x, tf.mul(project(parameters, name, branch, products), tf.reshape(factors, [-1, 1, 1])));
}

/** Values that only products use are rounded to the precision of their factors; the sums of the residuals never are. */
function block(
  parameters: Parameters,
  name: string,
  config: Products & { heads: number },
  x: tf.Tensor3D,
  drop: readonly [tf.Tensor1D | null, tf.Tensor1D | null],
): tf.Tensor3D {
  const { precision } = config;
  const [attn, mlp] = [`${name}.attn`, `${name}.mlp`];
  const normed = norm(parameters, `${name}.norm1`, x, precision);
  const [weight, bias] = [get(parameters, `${attn}.qkv.weight`), biasOf(parameters, attn)];
  const qkv = linear(normed, weight, bias, undefined, precision, precision);
  const attended = addProjection(parameters, `${attn}.proj`, x, attention(qkv, config.heads), drop[0], config);
  const again = norm(parameters, `${name}.norm2`, attended, precision);
  const hidden = project(parameters, `${mlp}.fc1`, again, config, { activation: 'gelu' }, precision);
  return addProjection(parameters, `${mlp}.fc2`, attended, hidden, drop[1], config);
}

/**
 * The encoder without its last norm, which a classifier that reads the mean of the tokens does not have.
 *
 * @returns As {@link encode}.
 */
export function encodeTokens(
  parameters: Parameters,
  config: EncoderConfig,
  images: tf.Tensor4D,
  selection: TokenSelection | null = null,
  dropPath: DropPath = null,
): tf.Tensor3D {
  const embedded = project(parameters, 'patch_embed.proj', patchify(images, config.patchSize), config);
  const placed = tf.add<tf.Tensor3D>(embedded, get(parameters, 'pos_embed'));
  let x = selection ? gatherTokens(placed, selection) : placed;
  if (config.classToken) {
    const token = tf.reshape(get(parameters, 'cls_token'), [1, 1, config.dim]);
    x = tf.concat<tf.Tensor3D>([tf.tile(token, [x.shape[0], 1, 1]) as tf.Tensor3D, x], 1);
  }
  for (let i = 0; i < config.depth; i++) {
    const drop = [dropPath?.[2 * i] ?? null, dropPath?.[2 * i + 1] ?? null] as const;
    x = block(parameters, `blocks.${i}`, config, x, drop);
  }
  return x;
}

/**
 * Encodes images.
 *
 * @param images [batch, imageSize, imageSize, 3], ImageNet-normalised
 * @param selection The tokens to keep; null keeps all.
 * @returns [batch, kept (+1, first, with a class token), dim]
 */
export function encode(
  parameters: Parameters,
  config: EncoderConfig,
  images: tf.Tensor4D,
  selection: TokenSelection | null = null,
  dropPath: DropPath = null,
): tf.Tensor3D {
  return norm(parameters, 'norm', encodeTokens(parameters, config, images, selection, dropPath));
}

/**
 * Predicts the target tokens from encoded ones.
 *
 * @param encoded The result of {@link encode} for the same selection.
 * @returns [batch, tokens, outputs]
 */
export function decode(
  parameters: Parameters,
  config: ModelConfig,
  encoded: tf.Tensor3D,
  selection: TokenSelection | null,
): tf.Tensor3D {
  const embedded = project(parameters, 'decoder_embed', encoded, config);
  const patches = config.classToken ? dropFirstToken(embedded) : embedded;
  const all = selection ? restoreTokens(patches, get(parameters, 'mask_token'), selection) : patches;
  let x = tf.add<tf.Tensor3D>(all, get(parameters, 'decoder_pos_embed'));
  // The class token has no position; in MAE it has one of zeros.
  if (config.classToken) x = tf.concat([firstTokens(embedded), x], 1);
  for (let i = 0; i < config.decoder.depth; i++) {
    x = block(parameters, `decoder_blocks.${i}`, { ...config, heads: config.decoder.heads }, x, [null, null]);
  }
  const predicting = config.classToken ? dropFirstToken(x) : x;
  return project(parameters, 'decoder_pred', norm(parameters, 'decoder_norm', predicting, config.precision), config);
}

/** Predicts from images: {@link encode}, then {@link decode}. */
export function predict(
  parameters: Parameters,
  config: ModelConfig,
  images: tf.Tensor4D,
  selection: TokenSelection | null,
  dropPath: DropPath = null,
): tf.Tensor3D {
  return decode(parameters, config, encode(parameters, config, images, selection, dropPath), selection);
}

/**
 * Frozen features of a pre-trained encoder: the class token, or the mean of the normalised patch tokens.
 *
 * @returns [batch, dim]
 */
export function features(parameters: Parameters, config: EncoderConfig, images: tf.Tensor4D): tf.Tensor2D {
  return config.pooling === 'class-token'
    ? firstToken(encode(parameters, config, images))
    : meanTokens(encodedPatches(parameters, config, images));
}

/**
 * The normalised patch tokens of an encoder, without the class token.
 *
 * @returns [batch, tokens, dim]
 */
export function encodedPatches(
  parameters: Parameters,
  config: EncoderConfig,
  images: tf.Tensor4D,
  dropPath: DropPath = null,
): tf.Tensor3D {
  return patchTokens(encode(parameters, config, images, null, dropPath), config);
}

/**
 * The features that the head of a classifier reads: the normalised class token, or the mean of the patch tokens. The
 * mean is normalised by its own norm, `fc_norm`, instead of the encoder's (PAPER.md §7).
 *
 * @returns [batch, dim]
 */
export function classifierFeatures(
  parameters: Parameters,
  config: EncoderConfig,
  images: tf.Tensor4D,
  dropPath: DropPath = null,
): tf.Tensor2D {
  const tokens = encodeTokens(parameters, config, images, null, dropPath);
  return config.pooling === 'class-token'
    ? firstToken(norm(parameters, 'norm', tokens))
    : norm(parameters, 'fc_norm', meanTokens(patchTokens(tokens, config)));
}

/**
 * Class scores, from the {@link classifierFeatures}.
 *
 * @returns [batch, classes]
 */
export function classify(
  parameters: Parameters,
  config: EncoderConfig,
  images: tf.Tensor4D,
  dropPath: DropPath = null,
): tf.Tensor2D {
  const pooled = classifierFeatures(parameters, config, images, dropPath);
  return linear(pooled, get(parameters, 'head.weight'), get(parameters, 'head.bias'));
}

const patchTokens = (x: tf.Tensor3D, { classToken }: EncoderConfig): tf.Tensor3D =>
  classToken ? dropFirstToken(x) : x;

function firstToken(x: tf.Tensor3D): tf.Tensor2D {
  return tf.squeeze(firstTokens(x), [1]);
}

/** [batch, 1, dim] */
function firstTokens(x: tf.Tensor3D): tf.Tensor3D {
  return tf.slice(x, [0, 0, 0], [x.shape[0], 1, x.shape[2]]);
}

function dropFirstToken(x: tf.Tensor3D): tf.Tensor3D {
  return tf.slice(x, [0, 1, 0], [x.shape[0], x.shape[1] - 1, x.shape[2]]);
}
