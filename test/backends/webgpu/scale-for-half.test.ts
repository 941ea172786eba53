/** The scale for rounding: found by the pass that rounds, or by an earlier pass. */
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../../src/backends/open.js';
import type { VitBackend } from '../../../src/backends/webgpu/backend.js';
import { roundToHalf } from '../../../src/backends/webgpu/passes/half.js';
import { scaleForHalf } from '../../../src/backends/webgpu/passes/scale-for-half.js';
import { roundAndSumRows } from '../../../src/backends/webgpu/passes/sum-rows.js';
import { availableDevices } from '../../support/devices.js';

const onWebgpu = (await availableDevices()).includes('webgpu') ? describe : describe.skip;

onWebgpu('on webgpu', () => {
  let backend: VitBackend;
  beforeAll(async () => {
    await openDevice('webgpu');
    backend = tf.backend() as unknown as VitBackend;
  });

  const valuesOf = async (tensor: tf.TensorInfo): Promise<number[]> => [
    ...((await backend.read(tensor.dataId)) as Float32Array),
  ];

  // 3 · 2^-20 is scaled to 2^10 … 2^11, by 2^(10 + 19).
  const factor = 2 ** 29;
  const values = [1, -2, 0.5, 3, 0, 1.5, -3, 2].map((value) => value * 2 ** -20);

  /** A tensor with a note of its largest values in this many parts, or without a note. */
  const noted = (parts: number | null): tf.TensorInfo => {
    const x = backend.makeTensorInfo([2, 4], 'float32', Float32Array.from(values));
    if (parts !== null) {
      const largest = new Float32Array(parts);
      largest[parts - 1] = 3 * 2 ** -20;
      backend.notes.noteLargest(x, backend.makeTensorInfo([parts], 'float32', largest));
    }
    return x;
  };

  it.each([null, 1, 7, 1024, 1025, 3000])('the scale is the same from %s parts', async (parts) => {
    const before = backend.numDataIds();
    const x = noted(parts);
    const rounding = scaleForHalf(backend, x);
    const half = roundToHalf(backend, x, { scale: rounding });
    expect(await valuesOf(half)).toEqual(values.map((value) => value * factor));
    expect(await valuesOf(rounding.scale)).toEqual([factor, 1 / factor]);

    const again = scaleForHalf(backend, x);
    const { half: other, sums } = roundAndSumRows(backend, x, [2, 4], { scale: again });
    expect(await valuesOf(other)).toEqual(values.map((value) => value * factor));
    expect(await valuesOf(again.scale)).toEqual([factor, 1 / factor]);
    expect(await valuesOf(sums)).toEqual([0, 1, 2, 3].map((i) => values[i]! + values[i + 4]!));
    backend.release(x, half, other, sums, rounding.scale, again.scale);
    expect(backend.numDataIds()).toBe(before);
  });
});
