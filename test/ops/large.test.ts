/**
 * Ops with more values than one tile, strip, block or workgroup, and never a multiple of these. A numerical difference
 * for each value would take hours: the gradients are compared with differences along random directions.
 */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import * as ops from '../../src/ops/index.js';
import { differenceAlong, dot, normals, product, read, relativeError } from '../support/arrays.js';
import { availableDevices } from '../support/devices.js';
import { attentionCase, gradientsOf, layerNormCase, linearCase, type Case } from './cases.js';
import * as reference from './reference.js';

const fixed = (shape: number[], name: string): Float64Array => normals(product(shape), name);
const squareTarget = fixed([3, 37, 52], 'large target');
const squareWeights = Float64Array.from({ length: 111 }, (_, i) => i % 3);
const labels = Float64Array.from({ length: 37 * 101 }, (_, i) => Number(i % 101 === (i * 7) % 37));

const CASES: Case[] = [
  linearCase(131, 70, 45, true, true), // no whole vectors
  linearCase(131, 72, 140, true, true), // vectors, and tiles that extend beyond every side
  linearCase(1100, 20, 24, false, false), // the sum over the rows is split into parts
  attentionCase(2, 70, 128, 2), // two blocks of tokens; keys and values in separate passes
  attentionCase(1, 33, 40, 2), // one token beyond a workgroup
  layerNormCase(37, 100),
  layerNormCase(8200, 4), // more rows than the workgroups process at once
  {
    name: 'tokenSquaredError of many tokens',
    shapes: [[3, 37, 52]],
    run: ([x]) =>
      ops.tokenSquaredError(
        x as tf.Tensor3D,
        tf.tensor3d([...squareTarget], [3, 37, 52]),
        tf.tensor2d([...squareWeights], [3, 37]),
      ),
    expected: ([x]) => [reference.squaredError(x!, squareTarget, squareWeights)],
  },
  {
    name: 'softmaxCrossEntropy of many classes',
    shapes: [[37, 101]],
    run: ([x]) => ops.softmaxCrossEntropy(x as tf.Tensor2D, tf.tensor2d([...labels], [37, 101])),
    expected: ([x]) => [reference.crossEntropy(x!, labels, 101)],
    std: 5,
  },
];

describe.each(await availableDevices())('on %s', (deviceName) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(deviceName);
  });
  afterAll(() => {
    device.close();
  });

  it.each(CASES)('$name: values and gradients', async ({ name, shapes, run, expected, std = 1 }) => {
    const values = shapes.map((shape, i) => normals(product(shape), `${name}/${i}`, std));
    const tensors = (): tf.Tensor[] => values.map((value, i) => tf.tensor([...value], shapes[i]));
    const y = expected(values);
    expect(relativeError(await read(() => run(tensors())), y)).toBeLessThan(1e-5);

    const weights = normals(y.length, `${name}/dy`);
    const gradients = gradientsOf(run, tensors, weights);
    for (const [input, gradient] of gradients.entries()) {
      const computed = await read(() => gradient);
      const size = Math.sqrt(dot(computed, computed));
      for (const direction of [0, 1, 2]) {
        const along = normals(computed.length, `${name}/${input}/along ${direction}`);
        const change = differenceAlong(
          (x) => dot(expected(values.map((value, i) => (i === input ? x : value))), weights),
          values[input]!,
          along,
        );
        expect(Math.abs(dot(computed, along) - change) / size).toBeLessThan(5e-5);
      }
    }
  });
});
