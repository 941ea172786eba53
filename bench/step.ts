/**
 * Images per second of whole training steps, on generated numbers: no data set, no degradation.
 *
 *   node dist/bench/step.js --device simd --work P [--batch 64] [--steps 5] [--threads 2] [--breakdown] [--json]
 *
 * P: pre-training, 32 px, patch 4, encoder 192×6 (3 heads), decoder 96×2 (3 heads), mask 0.75, batch 64.
 * F: fine-tuning the same encoder on 10 classes, batch 64.
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import type { DeviceName } from '../src/backends/device.js';
import { openDevice } from '../src/backends/open.js';
import { timeKernels } from './breakdown.js';
import { stream } from '../src/common/random.js';
import { initialValues } from '../src/model/parameters.js';
import { classify, predict } from '../src/model/vit.js';
import { drawKept } from '../src/objectives/mask.js';
import { adamW, softmaxCrossEntropy, tokenSelection, tokenSquaredError } from '../src/ops/index.js';
import { patchCount, resolveModel } from '../src/spec/model.js';
import { modelSchema } from '../src/spec/schema.js';
import { meanGradients } from '../src/training/gradients.js';
import { freshState, type TrainingState } from '../src/training/state.js';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'auto' },
    work: { type: 'string', default: 'P' },
    batch: { type: 'string', default: '64' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string' },
    breakdown: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const batch = Number(options.batch);
const sizes = { patchSize: 4, dim: 192, depth: 6, heads: 3, decoder: { dim: 96, depth: 2, heads: 3 } };
const model = resolveModel(modelSchema.parse(sizes), 32);
const classes = 10;
const device = await openDevice(options.device as DeviceName | 'auto', {
  threads: options.threads === undefined ? undefined : Number(options.threads),
});

const state = freshState(
  initialValues(
    model,
    options.work === 'P' ? { for: 'pretraining', masked: true } : { for: 'classification', classes },
    0,
  ),
  { depth: model.depth, layerDecay: 1, weightDecay: 0.05 },
);
const images = tf.randomNormal<tf.Rank.R4>([batch, 32, 32, 3]);
const loss = options.work === 'P' ? pretraining(state) : finetuning(state);

const kernels = options.breakdown ? timeKernels() : null;
const times: number[] = [];
for (let step = 0; step <= Number(options.steps); step++) {
  const begin = performance.now();
  const slots = [...state.slots.values()];
  const measured = tf.tidy(() => {
    const gradients = meanGradients(
      [images],
      loss,
      slots.map(({ value }) => value),
    );
    const rates = { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, step: step + 1, gradientScale: 1 };
    adamW(slots, gradients.gradients, rates);
    return gradients.loss;
  });
  await measured.data();
  measured.dispose();
  if (step > 0) times.push((performance.now() - begin) / 1000);
  else kernels?.reset(); // the first step compiles
}
const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
const result = {
  device: device.description,
  work: options.work,
  batch,
  imagesPerSecond: batch / median,
  seconds: times,
};
console.log(
  options.json ? JSON.stringify(result) : `${result.imagesPerSecond.toFixed(1)} images/s on ${result.device}`,
);
for (const { kernel, calls, milliseconds, floor } of kernels?.read() ?? []) {
  const [spent, least] = [milliseconds, floor].map((time) => (time / times.length).toFixed(2).padStart(8));
  console.log(`${spent!} ms, at least ${least!} ms  ${String(calls / times.length).padStart(4)} × ${kernel}`);
}
device.close();

function pretraining({ parameters }: TrainingState): (images: tf.Tensor4D) => tf.Scalar {
  const tokens = patchCount(model);
  const kept = Array.from({ length: batch }, (_, i) => drawKept(tokens, 0.75, stream(0, i)));
  const selection = tokenSelection(kept, tokens);
  const target = tf.randomNormal<tf.Rank.R3>([batch, tokens, 48]);
  return (x) => tokenSquaredError(predict(parameters, model, x, selection), target, selection.removed);
}

function finetuning({ parameters }: TrainingState): (images: tf.Tensor4D) => tf.Scalar {
  const target = tf.oneHot(tf.range(0, batch, 1, 'int32').mod(tf.scalar(classes, 'int32')), classes).cast('float32');
  return (x) => softmaxCrossEntropy(classify(parameters, model, x), target as tf.Tensor2D);
}
