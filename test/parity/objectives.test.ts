/** Degradations, targets, losses and gradients against PyTorch and NumPy: see objectives.py. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { normalizeImage, type FloatImage } from '../../src/common/image.js';
import { convolve } from '../../src/task/styles/blurred.js';
import { composeObjective, type Batch, type Objective } from '../../src/objectives/compose.js';
import { decolorized, mixToGrey, scaleSaturation } from '../../src/task/styles/decolorized.js';
import { distort, type Distortion } from '../../src/task/geometries/distorted.js';
import type { Placement } from '../../src/task/entry.js';
import { normalizePatches } from '../../src/ops/index.js';
import { enlargeCentre } from '../../src/task/geometries/zoomed-in.js';
import { mirrorPad } from '../../src/task/geometries/zoomed-out.js';
import { stream } from '../../src/common/random.js';
import type { Geometry, Style, PretrainTarget } from '../../src/spec/task.js';
import { denormalizeImage } from '../../src/common/image.js';
import { relativeError } from '../support/arrays.js';
import { availableDevices } from '../support/devices.js';

interface Fixture {
  sizes: { imageSize: number; patchSize: number; field: number; content: number; window: number };
  kept: number[][];
  placements: Placement[];
  distortions: Distortion[];
  mix: [number, number, number];
  saturation: number;
  degraded: {
    distorted: string[];
    blurred: Record<string, string>;
    canvases: string[];
    enlarged: string;
    luminance: string;
    saturation: string;
    mix: string;
  };
  targets: Record<PretrainTarget, string>;
  losses: Record<string, { loss: number; zero: number; gradient?: string }>;
}

const fixture = JSON.parse(readFileSync('test/parity/fixtures/objectives.json', 'utf8')) as Fixture;
const { imageSize, patchSize, content, window } = fixture.sizes;
const tokens = (imageSize / patchSize) ** 2;
const width = 3 * patchSize ** 2;

function unpack(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

/** The images and predictions of objectives.py. */
function imageOf(n: number, size: number): FloatImage {
  const data = Float32Array.from({ length: size * size * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / size), Math.floor(i / 3) % size, i % 3];
    return ((13 * y + 7 * x + 3 * x * y + 5 * y * y * (c + 1) + 31 * c + 57 * n) % 256) / 255;
  });
  return { data, height: size, width: size };
}

function predictionValues(): Float32Array {
  return Float32Array.from({ length: 2 * tokens * width }, (_, i) => {
    const [n, t, j] = [Math.floor(i / width / tokens), Math.floor(i / width) % tokens, i % width];
    return ((389 * n + 211 * t + 97 * j + 13 * t * j) % 1021) / 510 - 1;
  });
}

function kernelOf(size: number): Float32Array {
  return Float32Array.from({ length: 9 * size * size }, (_, i) => (((37 * i) % 101) - 45) / 100);
}

const largestDifference = (actual: Float32Array, expected: Float32Array): number => {
  expect(actual).toHaveLength(expected.length);
  return actual.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
};

describe('degraded images', () => {
  const normalized = normalizeImage(imageOf(0, imageSize));
  const rows = { ...normalized, height: 4, data: normalized.data.slice(0, 4 * imageSize * 3) };

  it.each(fixture.distortions.map((draw, i) => [draw, i] as const))(
    'are distorted as by grid_sample: %j',
    (draw, i) => {
      const { data } = distort(normalizeImage(imageOf(i % 2, imageSize)), draw);
      expect(largestDifference(data, unpack(fixture.degraded.distorted[i]!))).toBeLessThan(1e-5);
    },
  );

  it.each([3, 7])('are blurred as by conv2d, kernel %d', (size) => {
    const { data } = convolve(normalized, { size, weights: kernelOf(size) });
    expect(relativeError(data, unpack(fixture.degraded.blurred[size]!))).toBeLessThan(1e-6);
  });

  it.each(fixture.placements.map((place, i) => [place, i] as const))('are mirrored as by numpy.pad: %j', (place, i) => {
    expect(mirrorPad(imageOf(i, content), place, imageSize).data).toEqual(unpack(fixture.degraded.canvases[i]!));
  });

  it('are enlarged as by antialiased bicubic interpolation', () => {
    const { data } = enlargeCentre(imageOf(0, imageSize), window, imageSize);
    expect(largestDifference(data, unpack(fixture.degraded.enlarged))).toBeLessThan(1e-5);
  });

  it('are decolorized in all three ways', () => {
    const luminance = decolorized.part({ kind: 'decolorized', variant: 'luminance' });
    const grey = luminance.restyle(rows, luminance.draw(stream(0, 'unused')));
    expect(largestDifference(grey.data, unpack(fixture.degraded.luminance))).toBeLessThan(1e-5);
    const paler = normalizeImage(scaleSaturation(denormalizeImage(rows), fixture.saturation));
    expect(largestDifference(paler.data, unpack(fixture.degraded.saturation))).toBeLessThan(1e-5);
    expect(largestDifference(mixToGrey(rows, fixture.mix).data, unpack(fixture.degraded.mix))).toBeLessThan(1e-5);
  });
});

const GEOMETRIES: Record<string, Geometry> = {
  'same-grid': { kind: 'none' },
  'centre-border': {
    kind: 'zoomed-in',
    fraction: 224 / 288,
    loss: 'centre-border',
    centreWeight: 0.8,
    borderWeight: 0.2,
  },
  'mapped-back': { kind: 'zoomed-out', fraction: 160 / 224 },
};
const NORMALIZATIONS = ['patch-channel', 'patch', 'none'] as const;
const LOSSES = Object.keys(GEOMETRIES).flatMap((name) =>
  (['removed', 'all'] as const).flatMap((which) =>
    NORMALIZATIONS.map((target) => ({ key: `${name}/${which}/${target}`, name, which, target })),
  ),
);
type LossCase = (typeof LOSSES)[number];

/** All tokens of a masked batch count if the style is changed. */
const STYLES: Record<LossCase['which'], Style> = {
  removed: { kind: 'preserved' },
  all: { kind: 'decolorized', variant: 'luminance' },
};

function batchOf({ name, which, target }: LossCase): { objective: Objective; batch: Batch } {
  const task = { maskRatio: 0.75, geometry: GEOMETRIES[name]!, style: STYLES[which], target };
  const objective = composeObjective(task, { imageSize, patchSize });
  const examples = fixture.kept.map((kept, n) => ({
    input: imageOf(n, imageSize), // not used by the loss
    field: imageOf(n, objective.fieldSize),
    kept: Int32Array.from(kept),
    placement: name === 'mapped-back' ? fixture.placements[n]! : null,
  }));
  return { objective, batch: objective.batch(examples) };
}

const devices = await availableDevices();

describe.each(devices)('on %s', (deviceName) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(deviceName);
  });
  afterAll(() => {
    device.close();
  });

  it.each(NORMALIZATIONS)('targets are the same (%s)', async (target) => {
    const { data } = imageOf(0, imageSize);
    const actual = await read(normalizePatches(tf.tensor4d(data, [1, imageSize, imageSize, 3]), patchSize, target));
    expect(relativeError(actual, unpack(fixture.targets[target]))).toBeLessThan(1e-5);
  });

  it.each(LOSSES)('loss and gradient are the same: $key', async (lossCase) => {
    const expected = fixture.losses[lossCase.key]!;
    const { objective, batch } = batchOf(lossCase);
    const prediction = tf.tensor3d(predictionValues(), [2, tokens, width]);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => batch.loss(x as tf.Tensor3D))(prediction);
    const [loss] = await read(value);
    const [zero] = await read(objective.zeroLoss(batch));
    const gradient = await read(grad);
    prediction.dispose();
    batch.dispose();

    expect(relativeError([loss!, zero!], [expected.loss, expected.zero])).toBeLessThan(1e-5);
    if (expected.gradient !== undefined) {
      expect(relativeError(gradient, unpack(expected.gradient))).toBeLessThan(1e-5);
    }
  });
});

async function read(tensor: tf.Tensor): Promise<Float32Array> {
  const values = await tensor.data<'float32'>();
  tensor.dispose();
  return values;
}
