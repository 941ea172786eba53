/**
 * The tasks that threads run, by name. A task computes one chunk of a kernel's work from addresses, sizes and factors;
 * it knows no tensors. Addresses are those of the shared memory, sizes count float32 values; address 0 stands for "none".
 */
import type { Thread } from '../thread.js';
import { adamW } from './adamw.js';
import { copyStrided } from './copy.js';
import { binary, clip, fill, unary } from './elementwise.js';
import { attention, attentionGradient } from './attention.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { linear, linearInputGradient, linearWeightGradient } from './linear.js';
import { squaredErrorGradient } from './losses.js';
import { matMul, softmax } from './matmul.js';
import { sumAxis } from './reduce.js';
import { resample } from './resample.js';
import { gatherRows, sumWeightedRows } from './tokens.js';

export const TASKS = {
  adamW,
  attention,
  attentionGradient,
  binary,
  clip,
  copyStrided,
  fill,
  gatherRows,
  layerNorm,
  layerNormGradient,
  linear,
  linearInputGradient,
  linearWeightGradient,
  matMul,
  resample,
  softmax,
  squaredErrorGradient,
  sumAxis,
  sumWeightedRows,
  unary,
};

export type TaskName = keyof typeof TASKS;

/** What a task takes after its thread and its chunk. */
export type TaskArguments<Name extends TaskName> =
  Parameters<(typeof TASKS)[Name]> extends [Thread, number, ...infer Rest extends number[]] ? Rest : never;
