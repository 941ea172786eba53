/**
 * Semantic segmentation by a linear layer on the encoder's patch tokens: batch norm, dropout of channels, linear layer,
 * and bilinear upsampling of the scores to the image. This is the linear head of DINOv2. In DINOv3's, dropout is before
 * batch norm.
 */
import * as tf from '@tensorflow/tfjs';
import { denseMatrix } from '../common/resample.js';
import { accumulate, linear, resample } from '../ops/index.js';
import type { Parameters } from './parameters.js';

/** As in PyTorch's `BatchNorm2d`. */
const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/** How the head is applied: `train` normalises by the batch, and `dropped` is [batch, 1, dim] factors of channels. */
export type HeadMode = { kind: 'evaluate' } | { kind: 'train'; dropped: tf.Tensor3D | null };

/**
 * The scores of the classes for each pixel.
 *
 * In training, the running statistics of the batch norm are updated in place.
 *
 * @param tokens [batch, tokens, dim], the tokens of a square grid
 * @param upsampling [1, size, √tokens], see {@link upsamplingMatrix}
 * @returns [batch, size, size, classes]
 */
export function segmentTokens(
  head: Parameters,
  tokens: tf.Tensor3D,
  upsampling: tf.Tensor3D,
  mode: HeadMode,
): tf.Tensor4D {
  const [batch, count, dim] = tokens.shape;
  const rows = tf.reshape<tf.Rank.R2>(tokens, [batch * count, dim]);
  const normed = mode.kind === 'train' ? normByBatch(head, rows) : normByRunning(head, rows);
  const kept = tf.reshape<tf.Rank.R3>(normed, [batch, count, dim]);
  const dropped = mode.kind === 'train' && mode.dropped !== null ? tf.mul<tf.Tensor3D>(kept, mode.dropped) : kept;
  const scores = linear(dropped, of(head, 'segment_head.weight'), of(head, 'segment_head.bias'));
  const side = Math.sqrt(count);
  const grid = tf.reshape<tf.Rank.R4>(scores, [batch, side, side, scores.shape[2]]);
  return resample(grid, upsampling, upsampling);
}

/** Bilinear upsampling of a side, as PyTorch's `interpolate` without `align_corners`. The caller disposes of it. */
export const upsamplingMatrix = (tokens: number, size: number): tf.Tensor3D =>
  tf.tensor3d(denseMatrix('bilinear', tokens, size), [1, size, tokens]);

const of = (parameters: Parameters, name: string): tf.Variable => parameters.get(name)!;

function affine(head: Parameters, x: tf.Tensor2D, mean: tf.Tensor1D, variance: tf.Tensor1D): tf.Tensor2D {
  const scaled = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, EPSILON)));
  return tf.add(tf.mul(scaled, of(head, 'segment_norm.weight')), of(head, 'segment_norm.bias'));
}

function normByRunning(head: Parameters, x: tf.Tensor2D): tf.Tensor2D {
  const [mean, variance] = [of(head, 'segment_norm.running_mean'), of(head, 'segment_norm.running_var')];
  return affine(head, x, mean as tf.Tensor as tf.Tensor1D, variance as tf.Tensor as tf.Tensor1D);
}

function normByBatch(head: Parameters, x: tf.Tensor2D): tf.Tensor2D {
  const count = x.shape[0];
  const mean = tf.mean<tf.Tensor1D>(x, 0);
  const variance = tf.mean<tf.Tensor1D>(tf.square(tf.sub(x, mean)), 0);
  // PyTorch keeps the unbiased variance.
  const unbiased = tf.mul(variance, count / Math.max(1, count - 1));
  follow(of(head, 'segment_norm.running_mean'), mean);
  follow(of(head, 'segment_norm.running_var'), unbiased);
  return affine(head, x, mean, variance);
}

/** running ← running + momentum · (value − running), in place. */
function follow(running: tf.Variable, value: tf.Tensor): void {
  accumulate(running, tf.mul(tf.sub(value, running), MOMENTUM));
}
