/** Every op, on every device of this machine, against its definition in float64: values and gradients. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import * as ops from '../../src/ops/index.js';
import { dot, normals, numericalGradient, product, read, relativeError, type Values } from '../support/arrays.js';
import { availableDevices, simdVariants } from '../support/devices.js';
import { attentionCase, gradientsOf, layerNormCase, layerNormOfTokensCase, linearCase, type Case } from './cases.js';
import * as reference from './reference.js';

/** Image 0 keeps tokens 3 and 0 (in that order), image 1 keeps 1 and 2. */
const KEPT = [Int32Array.of(3, 0), Int32Array.of(1, 2)];
const patchShape = [2, 6, 6, 3] as const;
const resampleShape = [2, 5, 4, 3] as const;

/** The index of pixel (row, column, channel) of a 6×6 image in 3 px patches. */
function patchIndex(index: number): number {
  const channel = index % 3;
  const column = Math.floor(index / 3) % 6;
  const row = Math.floor(index / 18) % 6;
  const image = Math.floor(index / 108);
  const token = Math.floor(row / 3) * 2 + Math.floor(column / 3);
  return image * 108 + token * 27 + ((row % 3) * 3 + (column % 3)) * 3 + channel;
}

const fixed = (shape: number[], name: string): Float64Array => normals(product(shape), name);
const squareTarget = fixed([2, 3, 5], 'target');
const squareWeights = Float64Array.of(1, 0, 1, 1, 0.5, 0);
const labels = Float64Array.of(1, 0, 0, 0.2, 0.3, 0.5);
const sharedRows = fixed([1, 7, 5], 'rows');
const ownColumns = fixed([2, 3, 4], 'columns');

const CASES: Case[] = [
  linearCase(5, 3, 7, true, false),
  linearCase(1, 1, 1, true, false),
  linearCase(4, 6, 2, false, false),
  linearCase(7, 5, 11, true, true),
  {
    name: 'linear of three axes with a residual',
    shapes: [[2, 3, 5], [5, 7], [7], [2, 3, 7]],
    run: ([x, w, b, residual]) => ops.linear(x!, w!, b!, { residual: residual! }),
    expected: ([x, w, b, residual]) => reference.linear(x!, w!, b!, 6, 5).map((value, i) => value + residual![i]!),
  },
  layerNormCase(3, 7),
  layerNormCase(1, 3),
  layerNormCase(5, 16, 1e4),
  layerNormOfTokensCase(2, 3, 5),
  attentionCase(2, 5, 6, 3),
  attentionCase(1, 1, 4, 2),
  attentionCase(3, 7, 5, 1),
  {
    name: 'qkvBias',
    shapes: [[5], [5]],
    run: ([q, v]) => ops.qkvBias(q!, v!),
    expected: ([q, v]) => [...Array.from(q!), 0, 0, 0, 0, 0, ...Array.from(v!)],
  },
  ...[4, 3].map((dim) => ({
    name: `meanTokens of ${dim} values`,
    shapes: [[2, 3, dim]],
    run: ([x]: tf.Tensor[]) => ops.meanTokens(x as tf.Tensor3D),
    expected: ([x]: Values[]) =>
      Array.from({ length: 2 * dim }, (_, i) => {
        const of = (token: number): number => x![(Math.floor(i / dim) * 3 + token) * dim + (i % dim)]!;
        return (of(0) + of(1) + of(2)) / 3;
      }),
  })),
  {
    name: 'gatherTokens',
    shapes: [[2, 4, 3]],
    run: ([x]) => ops.gatherTokens(x as tf.Tensor3D, ops.tokenSelection(KEPT, 4)),
    expected: ([x]) =>
      KEPT.flatMap((kept, b) => [...kept].flatMap((t) => [0, 1, 2].map((i) => x![(b * 4 + t) * 3 + i]!))),
  },
  {
    name: 'restoreTokens',
    shapes: [[2, 2, 3], [3]],
    run: ([x, token]) => ops.restoreTokens(x as tf.Tensor3D, token!, ops.tokenSelection(KEPT, 4)),
    expected: ([x, token]) =>
      KEPT.flatMap((kept, b) =>
        [0, 1, 2, 3].flatMap((t) =>
          [0, 1, 2].map((i) => (kept.includes(t) ? x![(b * 2 + kept.indexOf(t)) * 3 + i]! : token![i]!)),
        ),
      ),
  },
  {
    name: 'patchify',
    shapes: [[...patchShape]],
    run: ([x]) => ops.patchify(x as tf.Tensor4D, 3),
    expected: ([x]) => {
      const y = new Float64Array(x!.length);
      for (let i = 0; i < y.length; i++) y[patchIndex(i)] = x![i]!;
      return y;
    },
  },
  {
    name: 'unpatchify',
    shapes: [[2, 4, 27]],
    run: ([x]) => ops.unpatchify(x as tf.Tensor3D, 3),
    expected: ([x]) => Float64Array.from({ length: x!.length }, (_, i) => x![patchIndex(i)]!),
  },
  {
    name: 'resample with shared rows and own columns',
    shapes: [[...resampleShape]],
    run: ([x]) =>
      ops.resample(x as tf.Tensor4D, tf.tensor3d([...sharedRows], [1, 7, 5]), tf.tensor3d([...ownColumns], [2, 3, 4])),
    expected: ([x]) => reference.resample(x!, resampleShape, sharedRows, ownColumns, [7, 3]),
  },
  {
    name: 'tokenSquaredError',
    shapes: [[2, 3, 5]],
    run: ([x]) =>
      ops.tokenSquaredError(
        x as tf.Tensor3D,
        tf.tensor3d([...squareTarget], [2, 3, 5]),
        tf.tensor2d([...squareWeights], [2, 3]),
      ),
    expected: ([x]) => [reference.squaredError(x!, squareTarget, squareWeights)],
  },
  {
    name: 'softmaxCrossEntropy',
    shapes: [[2, 3]],
    run: ([x]) => ops.softmaxCrossEntropy(x as tf.Tensor2D, tf.tensor2d([...labels], [2, 3])),
    expected: ([x]) => [reference.crossEntropy(x!, labels, 3)],
    std: 5,
  },
  {
    // Of three pixels, the one in the middle does not count.
    name: 'pixelCrossEntropy',
    shapes: [[3, 3]],
    run: ([x]) => ops.pixelCrossEntropy(x as tf.Tensor2D, tf.tensor1d([2, -1, 0], 'int32')),
    expected: ([x]) => [
      reference.crossEntropy(
        [0, 1, 2, 6, 7, 8].map((i) => x![i]!),
        [0, 0, 1, 1, 0, 0],
        3,
      ),
    ],
    std: 5,
  },
];

const others = (await availableDevices()).filter((name) => name !== 'simd');
const devices = [...others.map((name) => ({ label: name, open: () => openDevice(name) })), ...(await simdVariants())];

describe.each(devices)('on $label', ({ open }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => {
    device.close();
  });

  describe.each(CASES)('$name', ({ name: caseName, shapes, run, expected, std = 1 }) => {
    const values = shapes.map((shape, i) => normals(product(shape), `${caseName}/${i}`, std));
    const tensors = (): tf.Tensor[] => values.map((value, i) => tf.tensor([...value], shapes[i]));

    it('equals its definition', async () => {
      const y = await read(() => run(tensors()));
      expect(relativeError(y, expected(values))).toBeLessThan(1e-5);
    });

    it('has the gradient of its definition in every input', async () => {
      const weights = normals(expected(values).length, `${caseName}/dy`);
      const gradients = gradientsOf(run, tensors, weights);
      for (const [input, gradient] of gradients.entries()) {
        const numerical = numericalGradient(
          (x) => dot(expected(values.map((value, i) => (i === input ? x : value))), weights),
          values[input]!,
          1e-5 * std,
        );
        expect(relativeError(await read(() => gradient), numerical)).toBeLessThan(5e-5);
      }
    });

    it('leaks no tensor', async () => {
      const before = tf.memory().numTensors;
      tf.dispose(tf.tidy(() => tf.grads((...inputs: tf.Tensor[]) => tf.sum(run(inputs)))(tensors())));
      await read(() => run(tensors()));
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  describe.each([0, 3, 6])('with a NaN at position %i', (place) => {
    // Seven tokens of width seven: no whole vectors.
    const poisoned = (): tf.Tensor3D => {
      const values = normals(49, 'poisoned');
      values[21 + place] = NaN;
      return tf.tensor3d([...values], [1, 7, 7]);
    };
    const column = (fill: number): tf.Tensor => tf.fill([7], fill);

    it.each([
      ['linear', (x: tf.Tensor) => ops.linear(x, tf.ones([7, 7]), column(0), { activation: 'gelu' })],
      ['layerNorm', (x: tf.Tensor) => ops.layerNorm(x, column(1), column(0), 1e-6)],
    ])('%s gives NaN for that token and for no other', async (_name, run) => {
      const rows = await read(() => tf.sum(run(poisoned()), -1));
      expect([...rows].map(Number.isNaN)).toEqual([false, false, false, true, false, false, false]);
    });

    it('attention gives NaN for all tokens, since each of them reads it', async () => {
      const tokens = (): tf.Tensor3D => tf.concat([poisoned(), poisoned(), poisoned()], 2);
      expect([...(await read(() => tf.sum(ops.attention(tokens(), 1), -1)))].every(Number.isNaN)).toBe(true);
    });

    it('a loss gives NaN', async () => {
      const logits = (): tf.Tensor2D => tf.reshape(poisoned(), [7, 7]);
      const [loss] = await read(() => ops.softmaxCrossEntropy(logits(), tf.fill([7, 7], 1 / 7)));
      expect(loss).toBeNaN();
    });
  });

  it.each([
    ['±10,000', 1e4],
    ['denormals', 1e-40],
  ])('attention and the losses are correct for values of %s', async (_name, size) => {
    const values = Float64Array.from(normals(30, 'extreme'), (value) => Math.fround(value * size));
    const attended = await read(() => ops.attention(tf.tensor3d([...values], [1, 5, 6]), 1));
    expect(relativeError(attended, reference.attention(values, 1, 5, 1))).toBeLessThan(size > 1 ? 1e-3 : 1e-4);
    const target = new Float64Array(30).fill(1 / 6);
    const [loss] = await read(() => ops.softmaxCrossEntropy(tf.tensor2d([...values], [5, 6]), tf.fill([5, 6], 1 / 6)));
    expect(loss! / reference.crossEntropy(values, target, 6)).toBeCloseTo(1, 5);
  });
});
