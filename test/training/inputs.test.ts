/**
 * The inputs of training: every device gets the same images and labels. Device webgpu uploads little more than the
 * bytes of the images, into memory that does not grow.
 */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import type { VitBackend } from '../../src/backends/webgpu/backend.js';
import { openDevice } from '../../src/backends/open.js';
import { stream } from '../../src/common/random.js';
import { neededBox } from '../../src/common/resample.js';
import { viewPixels } from '../../src/common/view.js';
import { splitOf, type Split } from '../../src/data/split.js';
import { composeObjective, type Batch } from '../../src/objectives/compose.js';
import { degradedBatch, normalizedBatch } from '../../src/training/inputs.js';
import type { Mix } from '../../src/training/mixing.js';
import { augmentedView, augmenterOf, type ViewOptions } from '../../src/training/views.js';
import { BLUR, GEOMETRIES, STYLES, taskOf } from '../objectives/support.js';
import { availableDevices } from '../support/devices.js';

const SIZE = 24;
const IMAGES = 16;

/** Images of many sizes, as in a folder: smaller and larger than the views. */
const split: Split = splitOf({
  labels: Uint32Array.from({ length: 64 }, (_, i) => i % 3),
  read(index) {
    const random = stream(5, 'image', index);
    const [height, width] = [12 + random.integer(40), 12 + random.integer(40)];
    const data = Uint8Array.from({ length: height * width * 3 }, () => random.integer(256));
    return Promise.resolve({ data, height, width });
  },
});

const VIEWS = { seed: 1, size: SIZE, cropScale: [0.2, 1] as const, flip: true };
const RECIPES = {
  'crops alone': VIEWS,
  'RandAugment and random erasing': {
    ...VIEWS,
    randAugment: { magnitude: 9, std: 0.5, ops: 2, probability: 0.5, increasing: true },
    randomErasing: 0.5,
  },
};
const readBatch = (step: number, recipe: ViewOptions = VIEWS) =>
  Array.from({ length: IMAGES }, (_, i) => {
    return augmentedView(split, (step * IMAGES + i) % split.length, step, augmenterOf(recipe));
  });

const objective = composeObjective(taskOf({ geometry: GEOMETRIES.distorted, style: BLUR, maskRatio: 0.5 }), {
  imageSize: SIZE,
  patchSize: 4,
});
const drawBatch = (step: number) =>
  readBatch(step).map(async (reading, i) => ({
    view: (await reading).view,
    draw: objective.draw(stream(1, 'degrade', step, i)),
  }));

/** Every geometry and every style. */
const TASKS = [
  ...Object.entries(GEOMETRIES).map(([name, geometry]) => [name, taskOf({ geometry })] as const),
  ...Object.entries(STYLES).map(([name, style]) => [name, taskOf({ style, maskRatio: 0.75 })] as const),
];

const MIXES: Mix[] = [
  { kind: 'none' },
  { kind: 'mixup', lambda: 0.3 },
  { kind: 'cutmix', lambda: 0.8, top: 0, left: 5, bottom: 9, right: 24 },
  { kind: 'cutmix', lambda: 1, top: 3, left: 5, bottom: 3, right: 5 }, // an empty box
];

const devices = await availableDevices();

const CASES = [
  ...MIXES.map((mix) => ['crops alone', mix.kind, mix] as const),
  ...MIXES.slice(0, 2).map((mix) => ['RandAugment and random erasing', mix.kind, mix] as const),
];

const batchOf = async (recipe: keyof typeof RECIPES, mix: Mix) => {
  const { images, targets } = await normalizedBatch(readBatch(0, RECIPES[recipe]), SIZE, mix);
  const pixels = await images.data<'float32'>();
  images.dispose();
  return { pixels, targets };
};

describe.each(devices)('on %s', (name) => {
  let device: Device;
  const expected: Awaited<ReturnType<typeof batchOf>>[] = [];
  beforeAll(async () => {
    device = await openDevice('cpu');
    for (const [recipe, , mix] of CASES) expected.push(await batchOf(recipe, mix));
    device.close();
    device = await openDevice(name);
  });
  afterAll(() => {
    device.close();
  });

  it.each(CASES.map((each, index) => [...each, index] as const))(
    'the images of a batch with %s, mixed by %s, equal those of the arrays',
    async (recipe, _kind, mix, index) => {
      const { pixels, targets } = await batchOf(recipe, mix);
      const { pixels: plain, targets: plainTargets } = expected[index]!;
      expect(targets).toEqual(plainTargets);
      expect(pixels).toHaveLength(IMAGES * SIZE * SIZE * 3);
      const differences = plain.map((value, i) => Math.abs(value - pixels[i]!));
      expect(differences.reduce((a, b) => Math.max(a, b))).toBeLessThan(1e-5);
    },
  );
});

describe('degraded images share working memory', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('cpu');
  });
  afterAll(() => {
    device.close();
  });

  const pixelsOf = ({ inputs, fields, dispose }: Batch) => {
    const pixels = [inputs.dataSync(), fields.dataSync()];
    dispose();
    return pixels;
  };

  it.each(TASKS)('%s: every batch equals that of images with memory of their own', async (_name, task) => {
    const composed = composeObjective(task, { imageSize: SIZE, patchSize: 4 });
    const size = composed.fieldSize;
    for (const step of [0, 1]) {
      const drawn = await Promise.all(readBatch(step, { ...VIEWS, size }));
      const read = drawn.map(({ view }, i) => ({ view, draw: composed.draw(stream(1, 'degrade', step, i)) }));
      const separate = composed.batch(read.map((each) => composed.apply(viewPixels(each.view), each.draw)));
      const reading = read.map((each) => Promise.resolve(each));
      const shared = await degradedBatch(composed, reading);
      expect(pixelsOf(shared)).toEqual(pixelsOf(separate));
    }
  });
});

(devices.includes('webgpu') ? describe : describe.skip)('on webgpu', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('webgpu');
  });
  afterAll(() => {
    device.close();
  });

  it('uploads the bytes of the crops and tables, no images in floating point', async () => {
    const backend = tf.backend() as unknown as VitBackend;
    const write = backend.write.bind(backend);
    const written: { dtype: string; bytes: number }[] = [];
    backend.write = (values, shape, dtype) => {
      const given = values as typeof values | undefined; // none for tensors that a kernel is about to compute
      if (given) written.push({ dtype, bytes: 4 * given.length });
      return write(values, shape, dtype);
    };
    let pixels = 0;
    const outputOf = backend.outputOf.bind(backend);
    backend.outputOf = (pieces, size) => {
      for (const { bytes } of pieces) pixels += bytes.length;
      return outputOf(pieces, size);
    };
    const batch = await degradedBatch(objective, drawBatch(0));
    backend.write = write;
    backend.outputOf = outputOf;
    batch.dispose();

    const views = await Promise.all(readBatch(0));
    const boxes = views.map(({ view: { rows, columns } }) => neededBox(rows, columns));
    const cropped = boxes.reduce((sum, { height, width }) => sum + height * width * 3, 0);
    expect(pixels).toBeGreaterThanOrEqual(cropped);
    expect(pixels).toBeLessThan(2 * cropped + 4 * IMAGES); // with the pixels between the rows, and whole words
    const inFloatingPoint = IMAGES * SIZE * SIZE * 3 * 4;
    for (const { dtype, bytes } of written) if (dtype === 'float32') expect(bytes).toBeLessThan(inFloatingPoint / 4);
  });

  it('reuses the same memory for every batch, after the device has read it', async () => {
    const { device: gpu } = tf.backend() as unknown as VitBackend;
    const createBuffer = gpu.createBuffer.bind(gpu);
    let made = 0;
    gpu.createBuffer = (descriptor) => {
      if (descriptor.usage & GPUBufferUsage.MAP_WRITE) made += 1;
      return createBuffer(descriptor);
    };
    const madeIn: number[] = [];
    for (let i = 0; i < 6; i++) {
      made = 0;
      const batch = await degradedBatch(objective, drawBatch(0));
      await batch.inputs.data();
      batch.dispose();
      madeIn.push(made);
    }
    Reflect.deleteProperty(gpu, 'createBuffer');
    expect(madeIn[0]).toBeLessThanOrEqual(1); // none, if another test has created one
    expect(madeIn.slice(2)).toEqual([0, 0, 0, 0]);
  });

  it('uses the same memory again in every step', async () => {
    const step = async (index: number): Promise<void> => {
      const batch = await degradedBatch(objective, drawBatch(index));
      const recipe = RECIPES['RandAugment and random erasing'];
      const { images } = await normalizedBatch(readBatch(index, recipe), SIZE, MIXES[index % 3]);
      const sum = tf.tidy(() => tf.add(tf.sum(batch.inputs), tf.sum(images)));
      await sum.data();
      batch.dispose();
      tf.dispose([images, sum]);
    };
    const allocated = (): number =>
      (tf.memory() as unknown as { numBytesAllocatedInGPU: number }).numBytesAllocatedInGPU;
    const tensors = tf.memory().numTensors;
    const growths: number[] = [];
    for (let window = 0; window < 6; window++) {
      const before = allocated();
      for (let i = 0; i < 16; i++) await step(window * 16 + i);
      growths.push(allocated() - before);
    }
    expect(tf.memory().numTensors).toBe(tensors);
    // Occasionally a batch has a new size class; there are few of them.
    expect(growths.slice(1)).toContain(0);
  });
});
