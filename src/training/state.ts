/**
 * The values that training changes: weights, the state of the optimiser, the step, and the losses so far. It can be
 * saved and loaded. Nothing else has to be saved: every random draw is a function of seed, epoch and step
 * (src/common/random.ts).
 *
 * A checkpoint contains weights under their own names, and all else in named groups: those of the optimisers
 * (`optimizer.first.<weight>`, `average.<weight>`) and `progress.<number>`. Its metadata list the groups of the
 * optimisers, so its weights can be read without these.
 */
import { renameSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import {
  disposeParameters,
  isTrainable,
  toParameters,
  toVariable,
  type Parameters,
  type Shapes,
  type Values,
} from '../model/parameters.js';
import type { StagePaths } from '../store/layout.js';
import { isThere } from '../store/open.js';
import { adamW } from './optimizers/adamw.js';
import type { Optimizer, TensorGroup, TrainedParameter } from './optimizers/optimizer.js';
import { layerScale, weightDecayOf } from './parameter-groups.js';
import {
  CorruptFileError,
  streamSafetensors,
  writeSafetensors,
  type SafetensorsHeader,
  type TensorSource,
} from '../store/safetensors.js';

export interface TrainingState {
  parameters: Parameters;
  /** The trainable parameters, each with its tensors in the groups. */
  trained: readonly TrainedParameter[];
  /** In the order of their updates. */
  optimizers: readonly Optimizer[];
  /** The tensors of the optimisers by group, then by the name of the parameter. */
  groups: ReadonlyMap<string, Parameters>;
  /** Optimiser steps done. */
  step: number;
  /** Sum of the losses of the current epoch's steps so far. It is on the device, and read at intervals. */
  lossSum: tf.Variable;
  /** Largest global L2 norm of a step's gradients so far, before clipping; 0 before the first step. On the device. */
  largestGradientNorm: tf.Variable;
  /** Training loss of the first step; null until it is known. */
  firstLoss: number | null;
  /** Mean loss of each finished epoch. */
  losses: number[];
}

export interface StateOptions {
  depth: number;
  layerDecay: number;
  weightDecay: number;
  /**
   * AdamW with PyTorch's rates by default. Each optimiser after the first sees the weights after the updates before it.
   */
  optimizers?: readonly Optimizer[];
}

const DEFAULT_OPTIMIZERS = [adamW({ beta1: 0.9, beta2: 0.999 })];

/** The stage that a checkpoint belongs to. */
export interface CheckpointIdentity {
  /** Identity of the stage. */
  stage: string;
  /** Digest of the parent's checkpoint that the training started from; null: it started from none. */
  parent: string | null;
}

/** The required contents of a checkpoint. */
export interface CheckpointOwner extends CheckpointIdentity {
  /** Shapes of the weights: all those of the model that the stage trains, and no others. */
  shapes: Shapes;
}

/** The owner of a checkpoint to continue from, and how long its training is. */
export interface TrainingPlan extends CheckpointOwner {
  epochs: number;
  stepsPerEpoch: number;
}

const LOSS_SUM = 'progress.loss_sum';
const LARGEST_GRADIENT_NORM = 'progress.largest_gradient_norm';

const groupsOf = (optimizers: readonly Optimizer[]): TensorGroup[] => optimizers.flatMap(({ groups }) => groups);
const namesOf = (optimizers: readonly Optimizer[]): string[] => groupsOf(optimizers).map(({ name }) => name);

/** The name of a parameter's tensor in a checkpoint. */
const nameIn = (group: string, parameter: string): string => `${group}.${parameter}`;

/** The shape of every tensor of a checkpoint, by its name there. */
function checkpointShapes(weights: Shapes, groups: readonly string[]): Map<string, readonly number[]> {
  const all = new Map(weights).set(LOSS_SUM, []).set(LARGEST_GRADIENT_NORM, []);
  for (const [parameter, shape] of weights) {
    if (isTrainable(parameter)) for (const group of groups) all.set(nameIn(group, parameter), shape);
  }
  return all;
}

/** The parameters with the tensors of a group in the place of the trained ones, such as averaged weights. */
export function parametersWith({ parameters, groups }: TrainingState, group: string): Parameters {
  return new Map([...parameters, ...(groups.get(group) ?? [])]);
}

/** The state at the beginning of a training. */
export function freshState(values: Values, options: StateOptions): TrainingState {
  const zeros = (shape: readonly number[]): Float32Array => new Float32Array(shape.reduce((a, b) => a * b, 1));
  const fresh = (shape: readonly number[], data = zeros(shape)): tf.Variable =>
    toVariable({ shape: [...shape], data }, false);
  return assemble(
    toParameters(values),
    {
      progress: (_, shape) => fresh(shape),
      state: ({ initial }, parameter, shape) =>
        initial === 'zeros' ? fresh(shape) : fresh(shape, values.get(parameter)!.data),
    },
    options,
    { step: 0, firstLoss: null, losses: [] },
  );
}

/** The source of the tensors other than the weights. */
interface TensorsBeside {
  progress: (name: string, shape: readonly number[]) => tf.Variable;
  state: (group: TensorGroup, parameter: string, shape: readonly number[]) => tf.Variable;
}

function assemble(
  parameters: Parameters,
  beside: TensorsBeside,
  { depth, layerDecay, weightDecay, optimizers = DEFAULT_OPTIMIZERS }: StateOptions,
  progress: Progress,
): TrainingState {
  const trainable = [...parameters].filter(([, value]) => value.trainable);
  const groups = new Map(
    groupsOf(optimizers).map((group) => [
      group.name,
      new Map(trainable.map(([name, { shape }]) => [name, beside.state(group, name, shape)])),
    ]),
  );
  const trained = trainable.map(([name, value]): TrainedParameter => ({
    name,
    value,
    rateScale: layerScale(name, depth, layerDecay),
    weightDecay: weightDecayOf(value.shape, weightDecay),
    state: (group) => groups.get(group)!.get(name)!,
  }));
  const [lossSum, largestGradientNorm] = [beside.progress(LOSS_SUM, []), beside.progress(LARGEST_GRADIENT_NORM, [])];
  return { parameters, trained, optimizers, groups, lossSum, largestGradientNorm, ...progress };
}

/** Numbers of a training that are not tensors. */
type Progress = Pick<TrainingState, 'step' | 'firstLoss' | 'losses'>;

/**
 * Writes a checkpoint atomically: parameters under their names, then the progress and the optimisers' state. The
 * previous checkpoint is kept, since a disk may report a write that it has not finished.
 *
 * @param about Further metadata, which describe the model.
 */
export async function saveState(
  paths: CheckpointPaths,
  identity: CheckpointIdentity,
  state: TrainingState,
  about: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors = new Map<string, tf.Variable>([
    ...state.parameters,
    [LOSS_SUM, state.lossSum],
    [LARGEST_GRADIENT_NORM, state.largestGradientNorm],
  ]);
  for (const { name, state: tensorIn } of state.trained) {
    for (const group of state.groups.keys()) tensors.set(nameIn(group, name), tensorIn(group));
  }
  const next = `${paths.checkpoint}.next`;
  await writeSafetensors(next, toSources(tensors), {
    ...identityMetadata(identity),
    step: String(state.step),
    first_loss: JSON.stringify(state.firstLoss),
    losses: JSON.stringify(state.losses),
    groups: JSON.stringify([...state.groups.keys()]),
    ...about,
  });
  if (isThere(paths.checkpoint)) renameSync(paths.checkpoint, paths.previousCheckpoint);
  renameSync(next, paths.checkpoint);
}

/** The metadata of a weights file, which identify its stage. */
export const identityMetadata = ({ stage, parent }: CheckpointIdentity): Record<'stage' | 'parent', string> => ({
  stage,
  parent: parent ?? NO_PARENT,
});

const NO_PARENT = 'none';

/**
 * Checks that a weights file is of this stage and that its training started from this parent.
 *
 * @throws CorruptFileError if it is not.
 */
export function checkIdentity(
  path: string,
  { metadata }: Pick<SafetensorsHeader, 'metadata'>,
  { stage, parent }: CheckpointIdentity,
): void {
  if (metadata.stage !== stage) {
    throw new CorruptFileError(`${path} belongs to stage ${metadata.stage ?? '?'}, not to ${stage}`);
  }
  if (metadata.parent !== (parent ?? NO_PARENT)) {
    const [began, now] = [metadata.parent ?? '?', parent ?? NO_PARENT].map((digest) => digest.slice(0, 12));
    throw new CorruptFileError(`${path} began with other weights (${began}) than its pre-training has now (${now})`);
  }
}

/** Variables as sources for a file; each is downloaded only when it is written. */
export function toSources(variables: Parameters): Map<string, TensorSource> {
  return new Map(
    [...variables].map(([name, variable]) => {
      // The type allows any values; every variable here is float32.
      return [name, { shape: variable.shape, read: () => variable.data() as Promise<Float32Array> }];
    }),
  );
}

export type CheckpointPaths = Pick<StagePaths, 'checkpoint' | 'previousCheckpoint'>;

/**
 * Reads a checkpoint to continue from, and uploads one tensor after another.
 *
 * @throws CorruptFileError if the file is damaged, or is not a checkpoint of this training.
 */
export function loadState(path: string, plan: TrainingPlan, options: StateOptions): TrainingState {
  const groups = namesOf(options.optimizers ?? DEFAULT_OPTIMIZERS);
  const tensors = new Map<string, tf.Variable>();
  let progress: Progress | undefined;
  try {
    streamSafetensors(path, {
      begin: (header) => {
        checkOwner(path, header, plan, groups);
        progress = progressOf(path, header, plan);
      },
      take: (name, value) => tensors.set(name, toVariable(value, plan.shapes.has(name) && isTrainable(name))),
    });
  } catch (error) {
    tf.dispose([...tensors.values()]);
    throw error;
  }
  const parameters = new Map([...tensors].filter(([name]) => plan.shapes.has(name)));
  const beside: TensorsBeside = {
    progress: (name) => tensors.get(name)!,
    state: ({ name }, parameter) => tensors.get(nameIn(name, parameter))!,
  };
  return assemble(parameters, beside, options, progress!);
}

/**
 * Reads the model's weights from a checkpoint, without the state of its optimisers, which may be any. The whole file is
 * verified.
 *
 * @returns the weights and the digest of the file.
 * @throws CorruptFileError if the file is damaged, or is not a checkpoint of this stage.
 */
export function readWeights(path: string, owner: CheckpointOwner): { weights: Values; sha256: string } {
  const weights = new Map<string, { shape: number[]; data: Float32Array }>();
  const { sha256 } = streamSafetensors(path, {
    begin: (header) => {
      checkOwner(path, header, owner, groupsIn(path, header));
    },
    wants: (name) => owner.shapes.has(name),
    take: (name, value) => weights.set(name, value),
  });
  return { weights, sha256 };
}

const damaged = (path: string, what: string): CorruptFileError => new CorruptFileError(`${path} is damaged: ${what}`);

/**
 * @param groups The groups in addition to the weights.
 * @throws CorruptFileError if the file is of another stage, or its tensors are not exactly those of the stage.
 */
function checkOwner(path: string, header: SafetensorsHeader, owner: CheckpointOwner, groups: readonly string[]): void {
  checkIdentity(path, header, owner);
  const { tensors } = header;
  const expected = checkpointShapes(owner.shapes, groups);
  const foreign = [...tensors.keys()].find((name) => !expected.has(name));
  if (foreign !== undefined) throw damaged(path, `the model has no ${foreign}`);
  for (const [name, shape] of expected) {
    const found = tensors.get(name)?.shape;
    if (found === undefined) throw damaged(path, `it has no ${name}`);
    if (found.join() !== shape.join()) {
      throw damaged(path, `${name} has the shape [${found.join()}], not [${shape.join()}]`);
    }
  }
}

const groupsSchema = z.array(z.string());

/**
 * The groups that a checkpoint has by its metadata. Those of earlier versions do not list them; if they are
 * pre-trainings, which others read, they have AdamW's.
 *
 * @throws CorruptFileError if the metadata are not a list of names.
 */
function groupsIn(path: string, { metadata }: SafetensorsHeader): readonly string[] {
  if (metadata.groups === undefined) return namesOf(DEFAULT_OPTIMIZERS);
  const groups = groupsSchema.safeParse(parseJson(metadata.groups));
  if (!groups.success) throw damaged(path, 'its groups of tensors are not a list of names');
  return groups.data;
}

const lossesSchema = z.array(z.number());

/** @throws CorruptFileError if the numbers cannot be those of this training. */
function progressOf(path: string, { metadata }: SafetensorsHeader, { epochs, stepsPerEpoch }: TrainingPlan): Progress {
  const step = /^\d+$/.test(metadata.step ?? '') ? Number(metadata.step) : NaN;
  if (!(step <= epochs * stepsPerEpoch)) {
    throw damaged(path, `its step is ${metadata.step ?? 'missing'}, not one from 0 to ${epochs * stepsPerEpoch}`);
  }
  const losses = lossesSchema.safeParse(parseJson(metadata.losses));
  if (losses.data?.length !== Math.floor(step / stepsPerEpoch)) {
    throw damaged(path, 'its losses are not one number for each finished epoch');
  }
  const firstLoss = z.number().nullable().safeParse(parseJson(metadata.first_loss));
  if (!firstLoss.success) throw damaged(path, 'its first loss is not a number');
  return { step, losses: losses.data, firstLoss: firstLoss.data };
}

/** undefined if it is not JSON. */
function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

export function disposeState(state: TrainingState): void {
  disposeParameters(state.parameters);
  tf.dispose([state.lossSum, state.largestGradientNorm]);
  for (const group of state.groups.values()) disposeParameters(group);
}
