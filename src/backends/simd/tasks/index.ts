/** The tasks that threads run, by name. */
import { adamW } from './adamw.js';
import { attention, attentionGradient } from './attention.js';
import { attentionBfloat16, attentionGradientBfloat16 } from './attention-bfloat16.js';
import { round } from './bfloat16.js';
import { copyStrided } from './copy.js';
import { binary, clip, fill, unary } from './elementwise.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { linear, linearInputGradient, linearWeightGradient } from './linear.js';
import { linearBfloat16, linearInputGradientBfloat16, linearWeightGradientBfloat16 } from './linear-bfloat16.js';
import { squaredErrorGradient } from './losses.js';
import { matMul, softmax } from './matmul.js';
import { sumAxis } from './reduce.js';
import { resample } from './resample.js';
import { accumulate, sumOfSquares } from './sums.js';
import type { SimdTask } from './task.js';
import { gatherRows, sumWeightedRows } from './tokens.js';

const DEFINED = {
  accumulate,
  adamW,
  attention,
  attentionBfloat16,
  attentionGradient,
  attentionGradientBfloat16,
  binary,
  clip,
  copyStrided,
  fill,
  gatherRows,
  layerNorm,
  layerNormGradient,
  linear,
  linearBfloat16,
  linearInputGradient,
  linearInputGradientBfloat16,
  linearWeightGradient,
  linearWeightGradientBfloat16,
  matMul,
  resample,
  round,
  softmax,
  squaredErrorGradient,
  sumAxis,
  sumOfSquares,
  sumWeightedRows,
  unary,
};

export type TaskName = keyof typeof DEFINED;

/** The record that each task takes. */
export type TaskArguments = {
  [Name in TaskName]: (typeof DEFINED)[Name] extends SimdTask<infer Values> ? Values : never;
};

export const TASKS: { readonly [Name in TaskName]: SimdTask<TaskArguments[Name]> } = DEFINED;
