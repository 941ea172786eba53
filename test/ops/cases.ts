/**
 * The test cases of ops: how to run each, and its definition in float64. Functions for cases that several files use.
 */
import * as tf from '@tensorflow/tfjs';
import * as ops from '../../src/ops/index.js';
import type { Values } from '../support/arrays.js';
import * as reference from './reference.js';

export interface Case {
  name: string;
  shapes: number[][];
  run: (inputs: tf.Tensor[]) => tf.Tensor;
  expected: (inputs: Values[]) => Values;
  /** Scale of the normal inputs. */
  std?: number;
}

export const linearCase = (rows: number, inputs: number, outputs: number, bias: boolean, gelu: boolean): Case => ({
  name: `linear ${rows}×${inputs}→${outputs}${bias ? ' with bias' : ''}${gelu ? ' and gelu' : ''}`,
  shapes: [[rows, inputs], [inputs, outputs], ...(bias ? [[outputs]] : [])],
  run: ([x, w, b]) => ops.linear(x!, w!, b ?? null, { activation: gelu ? 'gelu' : 'none' }),
  expected([x, w, b]) {
    const y = reference.linear(x!, w!, b ?? null, rows, inputs);
    return gelu ? y.map(reference.gelu) : y;
  },
});

export const attentionCase = (batch: number, tokens: number, dim: number, heads: number): Case => ({
  name: `attention of ${batch}×${tokens} tokens, ${dim} wide, ${heads} heads`,
  shapes: [[batch, tokens, 3 * dim]],
  run: ([qkv]) => ops.attention(qkv as tf.Tensor3D, heads),
  expected: ([qkv]) => reference.attention(qkv!, batch, tokens, heads),
});

export const layerNormCase = (rows: number, dim: number, std = 1): Case => ({
  name: `layerNorm ${rows}×${dim} of scale ${std}`,
  shapes: [[rows, dim], [dim], [dim]],
  run: ([x, scale, shift]) => ops.layerNorm(x!, scale!, shift!, 1e-6),
  expected: ([x, scale, shift]) => reference.layerNorm(x!, scale!, shift!, 1e-6),
  std,
});

/** For tokens of several images: the mean is over the last axis, not over the second. */
export const layerNormOfTokensCase = (batch: number, tokens: number, dim: number): Case => ({
  ...layerNormCase(batch * tokens, dim),
  name: `layerNorm of ${batch}×${tokens} tokens, ${dim} wide`,
  shapes: [[batch, tokens, dim], [dim], [dim]],
});

/** The gradient of Σ weights·run(inputs) in every input. */
export function gradientsOf(run: Case['run'], inputs: () => tf.Tensor[], weights: Values): tf.Tensor[] {
  const score = (...values: tf.Tensor[]): tf.Tensor =>
    tf.sum(tf.mul(tf.reshape(run(values), [-1]), tf.tensor1d(Array.from(weights))));
  return tf.tidy(() => tf.grads(score)(inputs()));
}
