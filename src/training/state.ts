/**
 * What training changes: parameters, AdamW's moments, the step, and the losses so far. It can be saved and loaded, and
 * there is nothing else to save: every random draw is a function of seed, epoch and step (src/common/random.ts).
 */
import { existsSync, renameSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import {
  disposeParameters,
  toParameters,
  toValues,
  toVariable,
  type Parameters,
  type Values,
} from '../model/parameters.js';
import type { AdamWSlot } from '../ops/index.js';
import type { StagePaths } from '../store/layout.js';
import { layerScale, weightDecayOf } from './parameter-groups.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

export interface TrainingState {
  parameters: Parameters;
  /** One for each trainable parameter, by name. */
  slots: ReadonlyMap<string, AdamWSlot>;
  /** Optimiser steps done. */
  step: number;
  /** Sum of the losses of the steps done in the epoch under way. Kept on the device, to be read now and then. */
  lossSum: tf.Variable;
  /** Largest global L2 norm of a step's gradients so far, before clipping; 0 before the first step. On the device too. */
  largestGradientNorm: tf.Variable;
  /** Training loss of the first step; null until it is known. */
  firstLoss: number | null;
  /** Mean loss of each finished epoch. */
  losses: number[];
}

export interface SlotOptions {
  depth: number;
  layerDecay: number;
  weightDecay: number;
}

/** What a checkpoint holds beside the weights, which stand under their own names: two named groups of tensors. */
const OPTIMIZER = 'optimizer.';
const PROGRESS = 'progress.';
const FIRST = `${OPTIMIZER}first.`;
const SECOND = `${OPTIMIZER}second.`;
const LOSS_SUM = `${PROGRESS}loss_sum`;
const LARGEST_GRADIENT_NORM = `${PROGRESS}largest_gradient_norm`;

type TensorGroup = 'weights' | 'optimizer' | 'progress';

/** The group of a tensor, by its name in a checkpoint. */
function groupOf(name: string): TensorGroup {
  if (name.startsWith(OPTIMIZER)) return 'optimizer';
  return name.startsWith(PROGRESS) ? 'progress' : 'weights';
}

/** What is known of a training beside its tensors. */
type Progress = Pick<TrainingState, 'step' | 'firstLoss' | 'losses'>;

/** Training at its beginning. */
export function freshState(values: Values, options: SlotOptions): TrainingState {
  return assemble(values, new Map(), options, { step: 0, firstLoss: null, losses: [] });
}

function assemble(
  values: Values,
  saved: Values,
  { depth, layerDecay, weightDecay }: SlotOptions,
  progress: Progress,
): TrainingState {
  const parameters = toParameters(values);
  const moment = (name: string, shape: number[]): tf.Variable =>
    toVariable(saved.get(name) ?? { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }, false);
  const slots = [...parameters]
    .filter(([, value]) => value.trainable)
    .map(([name, value]): [string, AdamWSlot] => [
      name,
      {
        value,
        first: moment(FIRST + name, value.shape),
        second: moment(SECOND + name, value.shape),
        rateScale: layerScale(name, depth, layerDecay),
        weightDecay: weightDecayOf(value.shape, weightDecay),
      },
    ]);
  const [lossSum, largestGradientNorm] = [moment(LOSS_SUM, []), moment(LARGEST_GRADIENT_NORM, [])];
  return { parameters, slots: new Map(slots), lossSum, largestGradientNorm, ...progress };
}

/**
 * Writes a checkpoint atomically: parameters under their names, then the optimiser's state. The one before it is kept: a
 * disk may lie about what it has written.
 */
export async function saveState(paths: CheckpointPaths, stageId: string, state: TrainingState): Promise<void> {
  const extra = new Map<string, tf.Variable>([
    [LOSS_SUM, state.lossSum],
    [LARGEST_GRADIENT_NORM, state.largestGradientNorm],
  ]);
  for (const [name, slot] of state.slots) extra.set(FIRST + name, slot.first).set(SECOND + name, slot.second);
  const values = new Map([...(await toValues(state.parameters)), ...(await toValues(extra))]);
  const next = `${paths.checkpoint}.next`;
  writeSafetensors(next, values, {
    stage: stageId,
    step: String(state.step),
    first_loss: JSON.stringify(state.firstLoss),
    losses: JSON.stringify(state.losses),
  });
  if (existsSync(paths.checkpoint)) renameSync(paths.checkpoint, paths.previousCheckpoint);
  renameSync(next, paths.checkpoint);
}

export type CheckpointPaths = Pick<StagePaths, 'checkpoint' | 'previousCheckpoint'>;

/**
 * Reads a checkpoint to go on from.
 *
 * @throws CorruptFileError when the file is damaged; Error when it belongs to another stage.
 */
export function loadState(path: string, stageId: string, options: SlotOptions): TrainingState {
  const { tensors, metadata } = readSafetensors(path);
  if (metadata.stage !== stageId) {
    throw new Error(`${path} belongs to stage ${metadata.stage ?? '?'}, not ${stageId}`);
  }
  return assemble(modelValues(tensors), tensors, options, {
    step: Number(metadata.step),
    firstLoss: JSON.parse(metadata.first_loss ?? 'null') as number | null,
    losses: JSON.parse(metadata.losses ?? '[]') as number[],
  });
}

/** The model's weights in a checkpoint, without the optimiser's state. */
export function readWeights(path: string): Values {
  return modelValues(readSafetensors(path).tensors);
}

function modelValues(tensors: Values): Values {
  return new Map([...tensors].filter(([name]) => groupOf(name) === 'weights'));
}

export function disposeState(state: TrainingState): void {
  disposeParameters(state.parameters);
  tf.dispose([state.lossSum, state.largestGradientNorm]);
  for (const { first, second } of state.slots.values()) tf.dispose([first, second]);
}
