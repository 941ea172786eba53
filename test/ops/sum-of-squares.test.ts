/** The sum of the squares of many tensors, on every device of this machine, against float64. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { stream } from '../../src/common/random.js';
import { sumOfSquares } from '../../src/ops/index.js';
import { availableDevices } from '../support/devices.js';

const devices = await availableDevices();

describe.each(devices)('on %s', (name) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(name);
  });
  afterAll(() => {
    device.close();
  });

  async function compare(shapes: readonly number[][]): Promise<void> {
    const random = stream(0, 'squares');
    const data = shapes.map((shape) =>
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
    const tensors = data.map((values, i) => tf.tensor(values, shapes[i]));
    const sum = sumOfSquares(tensors);
    const expected = data.flatMap((values) => [...values]).reduce((all, value) => all + value * value, 0);
    expect(sum.shape).toEqual([]);
    expect((await sum.data())[0]! / expected).toBeCloseTo(1, 5);
    tf.dispose([sum, ...tensors]);
  }

  it('sums tensors of any shape and number: more than a shader can access at once', async () => {
    await compare([[], [3], [4], [2, 5], [7, 3, 2], ...Array.from({ length: 20 }, (_, i) => [i + 1])]);
  });

  it('sums tensors that many workgroups share, in vectors of four and in single values', async () => {
    await compare([[512, 100], [9, 1237], [1], [40_001]]);
  });

  it('leaks no tensor', () => {
    const tensor = tf.tensor1d([3, 4]);
    const before = tf.memory().numTensors;
    sumOfSquares([tensor]).dispose();
    expect(tf.memory().numTensors).toBe(before);
    tensor.dispose();
  });
});
