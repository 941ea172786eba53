/** Pre-training: recover clean images from degraded ones. (PAPER.md §6) */
import * as tf from '@tensorflow/tfjs';
import { stream } from '../common/random.js';
import { stepsPerEpoch } from '../data/batches.js';
import type { Split } from '../data/split.js';
import { initialValues, transfer } from '../model/parameters.js';
import { predict, type DropPath } from '../model/vit.js';
import { composeObjective, type Batch, type Objective } from '../objectives/compose.js';
import type { PretrainConfig } from '../spec/stages.js';
import type { PretrainNumbers } from '../stages/pretrain.js';
import { imagesPerStep } from './batch-size.js';
import { drawDropPath, dropPathTensors } from './drop-path.js';
import { degradedBatch } from './inputs.js';
import { train } from './loop.js';
import { adamW } from './optimizers/adamw.js';
import { preparedBatches, splitInParts } from './accumulation.js';
import { pretrainPurpose, pretrainShapes } from '../spec/shapes.js';
import { leavePreview } from './preview.js';
import { loopContext, openState, type StageContext } from './stage-context.js';
import { disposeState } from './state.js';
import { augmentedView, augmenterOf } from './views.js';

/** One part of a batch, on the device. */
interface Part {
  batch: Batch;
  dropPath: DropPath;
}

/**
 * Pre-trains. The checkpoint that it writes contains encoder and decoder.
 *
 * @throws TrainingError, Interrupted: see {@link train}.
 */
export async function pretrain(config: PretrainConfig, context: StageContext): Promise<PretrainNumbers> {
  const { dataset, emit, device } = context;
  const { model, recipe, seed, task } = config;
  const objective = composeObjective(task, model);
  const { depth } = model;
  const options = { depth, layerDecay: 1, weightDecay: recipe.weightDecay, optimizers: [adamW(recipe)] };
  const purpose = pretrainPurpose(config);
  const { length } = dataset.train;
  const steps = stepsPerEpoch(length, recipe.batchSize);
  const shapes = pretrainShapes(config);
  const initial = () => {
    const fresh = initialValues(model, purpose, seed);
    return context.parent ? transfer(context.parent, fresh) : fresh;
  };
  const state = openState(context, { shapes, initial, epochs: recipe.epochs, stepsPerEpoch: steps }, options);
  try {
    const baseline = await zeroLoss(config, objective, dataset.train);
    emit({ type: 'started', device, steps: steps * recipe.epochs, fromStep: state.step });
    const epochs = {
      length,
      batchSize: recipe.batchSize,
      seed,
      prepare: preparer(config, objective, dataset.train),
      tensors: tensorsOf,
    };
    const trained = await train<Part>(
      {
        recipe,
        baseline,
        stepsPerEpoch: steps,
        imagesPerStep: imagesPerStep(recipe.batchSize, length, emit),
        batches: (epoch, fromStep) => preparedBatches(epochs, epoch, fromStep),
        loss: ({ batch, dropPath }) =>
          batch.loss(predict(state.parameters, model, batch.inputs, batch.selection, dropPath)),
        tensors: tensorsOf,
      },
      state,
      loopContext(context, state),
    );
    // Before the result is written: no process works on a stage that has one.
    await leavePreview(config, objective, state.parameters, context);
    return {
      kind: 'pretrain',
      epochs: recipe.epochs,
      ...trained,
      corruptImages: [...dataset.train.corrupt],
      losses: state.losses,
      zeroLoss: baseline,
      trainImages: dataset.train.decodable,
    };
  } finally {
    disposeState(state);
  }
}

const tensorsOf = ({ batch, dropPath }: Part): tf.Tensor[] => [...batch.tensors, ...dropPathTensors(dropPath)];

/** One augmented, degraded batch on the device. */
async function prepare(
  { seed, recipe }: PretrainConfig,
  objective: Objective,
  split: Split,
  epoch: number,
  indices: Int32Array,
): Promise<Batch> {
  const augment = augmenterOf({ ...recipe, seed, size: objective.fieldSize });
  const reading = Array.from(indices, async (index) => {
    const { view } = await augmentedView(split, index, epoch, augment);
    return { view, draw: objective.draw(stream(seed, 'degrade', epoch, index)) };
  });
  return degradedBatch(objective, reading);
}

/** Prepares batches in parts. */
function preparer(config: PretrainConfig, objective: Objective, split: Split) {
  const { seed, recipe, model } = config;
  return async (indices: Int32Array, epoch: number, step: number): Promise<Part[]> => {
    const dropPaths = stream(seed, 'drop-path', epoch, step);
    const parts: Part[] = [];
    for (const part of splitInParts(indices, recipe.accumulate)) {
      const batch = await prepare(config, objective, split, epoch, part);
      parts.push({ batch, dropPath: drawDropPath(recipe.dropPath, model.depth, part.length, dropPaths) });
    }
    return parts;
  };
}

/** Number of images on which the zero prediction's loss is measured. */
const ZERO_LOSS_IMAGES = 256;

/** The loss of the zero prediction on the same task: the level that the loss has to fall below. */
async function zeroLoss(config: PretrainConfig, objective: Objective, split: Split): Promise<number> {
  const count = Math.min(ZERO_LOSS_IMAGES, split.length);
  const batch = await prepare(
    config,
    objective,
    split,
    0,
    // Distributed over the split: in a folder of images the first ones are all of one class.
    Int32Array.from({ length: count }, (_, i) => Math.floor((i * split.length) / count)),
  );
  const loss = objective.zeroLoss(batch);
  try {
    return (await loss.data())[0]!;
  } finally {
    loss.dispose();
    batch.dispose();
  }
}
