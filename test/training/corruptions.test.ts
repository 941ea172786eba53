/** Fine-tuned weights on corrupted images: the errors of a stage are those that its checkpoint has, image by image. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { normalizeImage } from '../../src/common/image.js';
import { mean } from '../../src/common/sums.js';
import { CORRUPTION_NAMES, corrupt, type CorruptionName } from '../../src/data/corruptions/index.js';
import { openDataset } from '../../src/data/dataset.js';
import { disposeParameters, toParameters } from '../../src/model/parameters.js';
import { classify } from '../../src/model/vit.js';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';
import { stagePaths } from '../../src/store/layout.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { runStage } from '../../src/training/run-stage.js';
import { temporaryFolder } from '../support/cli.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 8, trainImages: 60, testImages: 30 }
  model: { patchSize: 4, dim: 8, depth: 1, heads: 2 }
  finetune: { epochs: 20, warmupEpochs: 0, batchSize: 20, baseLearningRate: 0.1, mixup: 0, cutmix: 0, corruptions: true }
  objective: scratch
`;

const folder = temporaryFolder();
let device: Device;
beforeAll(async () => {
  device = await openDevice('simd');
});
afterAll(() => {
  device.close();
  folder.remove();
});

it('measures the weights that it leaves', async () => {
  const sweep = readSweep(SPEC, { file: 'corruptions.yaml', defaultName: 'corruptions' });
  const dataset = await openDataset(sweep.cells[0]!.job.data);
  const stage = buildPlan(sweep, () => dataset.fingerprint).stages[0]!;
  const paths = stagePaths(join(folder.path, stage.id));
  const signal = new AbortController().signal;
  const surroundings = {
    device: 'simd',
    emit: () => undefined,
    signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  };
  const result = await runStage(stage, paths, surroundings);
  if (result.kind !== 'finetune' || stage.config.kind !== 'finetune') throw new Error('expected fine-tuning');
  const { model } = stage.config;

  const parameters = toParameters(readSafetensors(paths.checkpoint).tensors);
  const isWrong = async (name: CorruptionName, severity: number, index: number): Promise<boolean> => {
    const { image, target } = (await dataset.test.read(index))!;
    const pixels = { ...image, data: Float32Array.from(image.data, (value) => value / 255) };
    const { data, ...size } = await corrupt(pixels, name, severity, index);
    const { data: input } = normalizeImage({ data: Float32Array.from(data, (value) => value / 255), ...size });
    const best = tf.tidy(
      () => tf.argMax(classify(parameters, model, tf.tensor4d(input, [1, 8, 8, 3])), 1).dataSync()[0],
    );
    return best !== target;
  };
  const errorOn = async (name: CorruptionName): Promise<number> => {
    const cases = [1, 2, 3, 4, 5].flatMap((severity) =>
      Array.from({ length: 30 }, (_, index) => ({ severity, index })),
    );
    const wrong = await Promise.all(cases.map(({ severity, index }) => isWrong(name, severity, index)));
    return (100 * wrong.filter(Boolean).length) / wrong.length;
  };
  const errors = result.corruptionErrors!;
  expect(errors.fog).toBeCloseTo(await errorOn('fog'), 9);
  expect(errors.grey).toBeCloseTo(await errorOn('grey'), 9);
  expect(Object.keys(errors)).toEqual(CORRUPTION_NAMES);
  expect(new Set(Object.values(errors)).size).toBeGreaterThan(5);
  // The mean is over the 15 corruptions of ImageNet-C, without grey.
  const { grey: _, ...counted } = errors;
  expect(result.meanError).toBeCloseTo(mean(Object.values(counted)), 9);
  // The metrics of blur and grey.
  const blurs = ['defocus_blur', 'glass_blur', 'motion_blur', 'zoom_blur'].map((name) => errors[name]!);
  expect(result.blurError).toBeCloseTo(mean(blurs), 9);
  expect(result.greyError).toBe(errors.grey);
  disposeParameters(parameters);
});
