/** Views computed on the device equal the arrays of `viewPixels`: every size, mirrored or not, from mixed sources. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { TrainingError } from '../../src/common/errors.js';
import type { ByteImage } from '../../src/common/image.js';
import { stream } from '../../src/common/random.js';
import { viewPixels, type View } from '../../src/common/view.js';
import { evaluationView, randomResizedCrop } from '../../src/data/augment.js';
import { cropViews, hasCropKernel } from '../../src/ops/index.js';
import { availableDevices } from '../support/devices.js';

/** Noise, in which every wrong pixel is visible. */
function noise(height: number, width: number): ByteImage {
  const random = stream(3, 'bytes', height, width);
  return { data: Uint8Array.from({ length: height * width * 3 }, () => random.integer(256)), height, width };
}

/** Height, width. */
const SOURCES = [
  [32, 32],
  [7, 5],
  [1, 1],
  [375, 500],
  [31, 213],
  [12, 12],
] as const;

function randomViews(size: number): View[] {
  return SOURCES.flatMap(([height, width]) =>
    [false, true].map((mirrored) => {
      const random = stream(1, 'crop', height, width, Number(mirrored));
      return { ...randomResizedCrop(noise(height, width), size, { scale: [0.2, 1] }, random), mirrored };
    }),
  );
}

const centreViews = (size: number): View[] =>
  SOURCES.map(([height, width]) => evaluationView(noise(height, width), size));

const devices = await availableDevices();

describe.each(devices)('on %s', (name) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(name);
  });
  afterAll(() => {
    device.close();
  });

  /** Largest difference from the arrays, of values in [0, 1]. */
  async function difference(views: readonly View[], mostBytes?: number): Promise<number> {
    const cropped = cropViews(views, mostBytes);
    const values = await cropped.data();
    cropped.dispose();
    const expected = views.flatMap((view) => [...viewPixels(view).data]);
    expect(values).toHaveLength(expected.length);
    return Math.max(...expected.map((value, i) => Math.abs(value - values[i]!)));
  }

  it('has a kernel for it if it is webgpu', () => {
    expect(hasCropKernel()).toBe(name === 'webgpu');
  });

  it.each([1, 12, 33])('random resized crops of %i px', async (size) => {
    expect(await difference(randomViews(size))).toBeLessThan(1e-6);
  });

  it.each([5, 12, 32])('evaluation views of %i px', async (size) => {
    expect(await difference(centreViews(size))).toBeLessThan(1e-6);
  });

  it('splits a batch that would need too large a buffer', async () => {
    expect(await difference(randomViews(9), 1000)).toBeLessThan(1e-6);
    expect(await difference(randomViews(9), 100_000)).toBeLessThan(1e-6);
  });

  it('leaks no tensor', () => {
    const before = tf.memory().numTensors;
    cropViews(randomViews(4), 1000).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('fails as invalid if a single view is too large for the device', () => {
    if (!hasCropKernel()) return; // views are computed on the host, and nothing is too large
    const backend = tf.backend() as tf.KernelBackend & { device: GPUDevice };
    const { device } = backend;
    Object.assign(backend, { device: { limits: { maxStorageBufferBindingSize: 10_000 } } });
    try {
      const crop = (): tf.Tensor => cropViews([evaluationView(noise(375, 500), 9)]);
      expect(crop).toThrow(TrainingError); // and not another error, after which the stage would be retried
      expect(crop).toThrow(/more than 10000 bytes/);
    } finally {
      Object.assign(backend, { device });
    }
  });
});
