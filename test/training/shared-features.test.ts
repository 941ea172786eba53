/** Probes of one encoder that run in one process: they share features, and their results are those of separate processes. */
import { join } from 'node:path';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Stage } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { stagePaths } from '../../src/store/layout.js';
import type { StageResult } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { SharedFeatures, type FeatureSet } from '../../src/training/shared-features.js';
import { temporaryFolder } from '../support/cli.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 8, trainImages: 60, testImages: 40, validation: { images: 20 } }
  model: { patchSize: 4, dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, warmupEpochs: 0, batchSize: 10 }
  linear: { epochs: 3, warmupEpochs: 0, batchSize: 10, baseLearningRate: [0.1, 1] }
  knn: { k: [3, 5] }
  attentive: { epochs: 2, warmupEpochs: 0, batchSize: 10 }
  evaluate:
    - linear
    - knn
    - attentive
    - { name: few, protocol: linear, shots: 2, repeats: 2 }
    - { name: half, protocol: knn, labelFraction: 0.5 }
grid: { objective: [masked, scratch], seed: [0, 1] }
`;

const isProbe = ({ config }: Stage): boolean => config.kind !== 'pretrain';

const folder = temporaryFolder();
let device: Device;
let stages: readonly Stage[];
beforeAll(async () => {
  device = await openDevice('simd');
  const sweep = readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' });
  const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
  const planned = buildPlan(sweep, () => fingerprint).stages;
  // All encoders before their probes, as a sweep runs them: a training of all weights drops the features.
  stages = planned.toSorted((a, b) => Number(isProbe(a)) - Number(isProbe(b)));
});
afterAll(() => {
  device.close();
  folder.remove();
});

/** Sets that were computed and not taken from those kept. */
class Counted extends SharedFeatures {
  computed = 0;

  override parts(...[encoder, key, compute, mayKeep]: Parameters<SharedFeatures['parts']>) {
    return super.parts(encoder, key, () => ((this.computed += 1), compute()), mayKeep);
  }
}

/** Runs a stage; its result without times. */
async function run(stage: Stage, name: string, features?: SharedFeatures): Promise<Partial<StageResult>> {
  const {
    seconds: _,
    imagesPerSecond: __,
    ...result
  } = await runStage(stage, stagePaths(join(folder.path, name, stage.id)), {
    device: 'simd',
    emit: () => undefined,
    signal: new AbortController().signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
    ...(features && { features }),
  });
  return result;
}

it('has the results of probes that compute their own features, and computes each set once for an encoder', async () => {
  const features = new Counted(2 ** 20);
  const alone = [];
  for (const stage of stages) alone.push(await run(stage, 'alone'));
  const shared = [];
  for (const stage of stages) shared.push(await run(stage, 'shared', features));
  expect(shared).toEqual(alone);
  // Of a pre-trained encoder: the pooled features of all training images, of the test and of the validation images; the tokens
  // of the training and of the test images; the shots of two repeats; and half of the training images.
  const trained = 3 + 2 + 2 + 1;
  // An encoder with initial weights is another one in the second repeat, for which all but the tokens are computed, and the
  // first one again after it.
  const fresh = 3 + 2 + 1 + 3 + 3;
  expect(features.computed).toBe(2 * trained + 2 * fresh);
});

describe('kept features', () => {
  const set = (value: number): FeatureSet => {
    return { features: Float32Array.of(value), labels: Uint32Array.of(0), width: 1 };
  };
  const always = (): boolean => true;

  /** The values of the returned parts: `values` if they are computed. */
  async function partsGot(
    kept: SharedFeatures,
    key: string,
    values: number[],
    { encoder = 'a', mayKeep = always } = {},
  ) {
    const own: number[] = [];
    // oxlint-disable-next-line require-await -- it stands for an encoder
    const compute = async function* () {
      for (const value of values) yield set(value);
    };
    for await (const { features } of kept.parts({ encoder }, { key }, compute, mayKeep)) {
      own.push(features[0]!);
      features[0] = NaN; // as a probe that standardises in place
    }
    return own;
  }

  /** The value of a set of one part. */
  async function got(kept: SharedFeatures, encoder: string, key: string, value: number, mayKeep = always) {
    return (await partsGot(kept, key, [value], { encoder, mayKeep }))[0];
  }

  it('are those of the encoder and the set, also after a caller has changed its copy', async () => {
    const kept = new SharedFeatures(1000);
    expect(await got(kept, 'a', 'train', 1)).toBe(1);
    expect(await got(kept, 'a', 'train', 2)).toBe(1);
    expect(await got(kept, 'a', 'test', 3)).toBe(3);
    expect(await got(kept, 'a', 'train', 4)).toBe(1);
  });

  it('are dropped for another encoder, and when they are cleared', async () => {
    const kept = new SharedFeatures(1000);
    await got(kept, 'a', 'train', 1);
    expect(await got(kept, 'b', 'train', 2)).toBe(2);
    expect(await got(kept, 'a', 'train', 3)).toBe(3);
    kept.clear();
    expect(await got(kept, 'a', 'train', 4)).toBe(4);
  });

  it('are not kept if some images could not be read, or if they exceed their bytes', async () => {
    const kept = new SharedFeatures(8); // one set: a feature and a label
    await got(kept, 'a', 'damaged', 1, () => false);
    expect(await got(kept, 'a', 'damaged', 2)).toBe(2);
    await got(kept, 'a', 'more', 3);
    expect(await got(kept, 'a', 'more', 4)).toBe(4);
    expect(await got(kept, 'a', 'damaged', 5)).toBe(2);
  });

  it('have all parts in their order, and are not kept where the whole set does not fit or was not taken', async () => {
    const kept = new SharedFeatures(16); // two parts
    expect(await partsGot(kept, 'three', [1, 2, 3])).toEqual([1, 2, 3]);
    expect(await partsGot(kept, 'three', [4, 5, 6])).toEqual([4, 5, 6]);
    for await (const { features } of kept.parts({ encoder: 'a' }, { key: 'two' }, () => twoParts(), always)) {
      expect(features[0]).toBe(7);
      break;
    }
    expect(await partsGot(kept, 'two', [1, 2])).toEqual([1, 2]);
    expect(await partsGot(kept, 'two', [3, 4])).toEqual([1, 2]);
  });

  // oxlint-disable-next-line require-await -- it stands for an encoder
  async function* twoParts() {
    yield set(7);
    yield set(8);
  }
});
