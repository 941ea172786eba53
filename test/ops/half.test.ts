/**
 * Linear layers with float16 factors, against float64 with the error bound of float16: rounding a factor has a relative
 * error of at most 2^-12, of two factors 2^-11, and the errors of a sum's terms partly cancel.
 */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import * as ops from '../../src/ops/index.js';
import { forEachProduct, type MatrixTile, type MatrixUnits } from '../../src/backends/webgpu/passes/matrix-units.js';
import { differenceAlong, dot, normals, read, relativeError, type Values } from '../support/arrays.js';
import { availableDevices } from '../support/devices.js';
import * as reference from './reference.js';

const BOUND = 2 ** -11;
const devices = await availableDevices();

it('exists on no other device', async () => {
  for (const name of devices.filter((device) => device !== 'webgpu')) {
    const device = await openDevice(name);
    expect(ops.hasProducts('float16')).toBe(false);
    expect(() => ops.linear(tf.ones([1, 1]), tf.ones([1, 1]), null, undefined, 'float16')).toThrow(/VitLinearHalf/);
    device.close();
  }
});

/** Small, with more than one matrix along each side of each part, and more than one part. */
const TILE: MatrixTile = { rows: 64, columns: 32, depth: 32, split: [2, 1] };
/** Sides need not be powers of two, except for a side that is contiguous in a strip. */
const UNEVEN: MatrixTile = { rows: 48, columns: 32, depth: 32, split: [1, 1] };

const onWebgpu = devices.includes('webgpu') ? describe : describe.skip;

onWebgpu.each([
  ['as the device is', false],
  ['with matrix units emulated', true],
])('on webgpu, %s', (_, emulated) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('webgpu');
    if (!emulated) return;
    const matrixUnits: MatrixUnits = {
      lanes: 32,
      emulated,
      tiles: forEachProduct((layout) => (layout === 'plain' ? UNEVEN : TILE)),
    };
    Object.assign(tf.backend(), { matrixUnits });
  });
  afterAll(() => {
    device.close();
  });

  const transposed = (x: Float64Array, rows: number): Float64Array => {
    const columns = x.length / rows;
    return x.map((_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
  };

  it.each([
    [7, 5, 11],
    [131, 72, 140],
    [1100, 20, 24],
    [200, 72, 104],
    [64, 32, 96],
  ])('%i×%i→%i: values, and gradients of any size', async (rows, inputs, outputs) => {
    expect(ops.hasProducts('float16')).toBe(true);
    const name = `half ${rows}`;
    const [x, weight, bias] = [
      normals(rows * inputs, `${name}/x`),
      normals(inputs * outputs, `${name}/weight`),
      normals(outputs, `${name}/bias`),
    ];
    const tensors = (): [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D] => [
      tf.tensor2d([...x], [rows, inputs]),
      tf.tensor2d([...weight], [inputs, outputs]),
      tf.tensor1d([...bias]),
    ];
    const run = (...[a, b, c]: tf.Tensor[]): tf.Tensor => ops.linear(a!, b!, c!, undefined, 'float16');
    const y = await read(() => run(...tensors()));
    const error = relativeError(y, reference.linear(x, weight, bias, rows, inputs));
    expect(error).toBeLessThan(BOUND);
    expect(error).toBeGreaterThan(1e-6); // otherwise it was float32

    for (const size of [1, 1e-10, 1e10]) {
      const dy = normals(rows * outputs, `${name}/dy`).map((value) => Math.fround(value * size));
      const gradients = tf.tidy(() => tf.grads(run)(tensors(), tf.tensor2d([...dy], [rows, outputs])));
      const [dx, dWeight] = [
        reference.linear(dy, transposed(weight, inputs), null, rows, outputs),
        reference.linear(transposed(x, rows), dy, null, inputs, rows),
      ];
      expect(relativeError(await read(() => gradients[0]!), dx)).toBeLessThan(BOUND);
      expect(relativeError(await read(() => gradients[1]!), dWeight)).toBeLessThan(BOUND);
    }
  });

  it.each([
    [2, 5, 32, 2],
    [2, 16, 32, 2],
    [1, 33, 64, 2],
    [2, 49, 32, 1],
    [1, 67, 16, 1],
  ])('attention of %i×%i tokens, %i wide, %i heads, between products', async (batch, tokens, dim, heads) => {
    const name = `half attention ${tokens}`;
    const [x, weight] = [
      normals(batch * tokens * dim, `${name}/x`),
      normals(dim * 3 * dim, `${name}/weight`, 1 / Math.sqrt(dim)),
    ];
    const dy = normals(batch * tokens * dim, `${name}/dy`, 1e-6);
    const run = (x: tf.Tensor): tf.Tensor => {
      const qkv = ops.linear(x, tf.tensor2d([...weight], [dim, 3 * dim]), null, undefined, 'float16', 'float16');
      return ops.attention(qkv as tf.Tensor3D, heads);
    };
    const input = (): tf.Tensor => tf.tensor3d([...x], [batch, tokens, dim]);
    const score = (x: Float64Array): number => {
      const qkv = reference.linear(x, weight, null, batch * tokens, dim);
      return dot(reference.attention(qkv, batch, tokens, heads), dy);
    };
    const expected = reference.attention(reference.linear(x, weight, null, batch * tokens, dim), batch, tokens, heads);
    expect(relativeError(await read(() => run(input())), expected)).toBeLessThan(2 * BOUND);

    const gradient = await read(() => tf.tidy(() => tf.grad(run)(input(), tf.tensor3d([...dy], [batch, tokens, dim]))));
    for (let i = 0; i < 3; i++) {
      const direction = normals(x.length, `${name}/direction ${i}`);
      const change = differenceAlong(score, x, direction);
      const size = Math.sqrt(dot(gradient, gradient) * dot(direction, direction));
      expect(Math.abs(dot(gradient, direction) - change) / size).toBeLessThan(BOUND);
    }
  });

  it.each([
    [35, 16, 64],
    [7, 5, 11],
  ])('two layers with GELU between them, %i×%i→%i and back', async (rows, dim, hidden) => {
    const name = `half layers ${rows}`;
    const [x, first, second] = [
      normals(rows * dim, `${name}/x`),
      normals(dim * hidden, `${name}/first`, 1 / Math.sqrt(dim)),
      normals(hidden * dim, `${name}/second`, 1 / Math.sqrt(hidden)),
    ];
    const bias = normals(hidden, `${name}/bias`);
    const dy = normals(rows * dim, `${name}/dy`, 1e-6);
    const run = (...[x, first, bias, second]: tf.Tensor[]): tf.Tensor => {
      const between = ops.linear(x!, first!, bias!, { activation: 'gelu' }, 'float16', 'float16');
      return ops.linear(between, second!, null, undefined, 'float16');
    };
    const tensors = (): tf.Tensor[] => [
      tf.tensor2d([...x], [rows, dim]),
      tf.tensor2d([...first], [dim, hidden]),
      tf.tensor1d([...bias]),
      tf.tensor2d([...second], [hidden, dim]),
    ];
    const computed = (x: Values, first: Values, bias: Values): Float64Array => {
      const between = reference.linear(x, first, bias, rows, dim).map(reference.gelu);
      return reference.linear(between, second, null, rows, hidden);
    };
    expect(relativeError(await read(() => run(...tensors())), computed(x, first, bias))).toBeLessThan(2 * BOUND);

    const gradients = tf.tidy(() => tf.grads(run)(tensors(), tf.tensor2d([...dy], [rows, dim])));
    const scores = [
      [x, (x: Float64Array) => dot(computed(x, first, bias), dy)],
      [first, (first: Float64Array) => dot(computed(x, first, bias), dy)],
      [bias, (bias: Float64Array) => dot(computed(x, first, bias), dy)],
    ] as const;
    for (const [i, [at, score]] of scores.entries()) {
      const gradient = await read(() => gradients[i]!);
      const direction = normals(at.length, `${name}/direction ${i}`);
      const change = differenceAlong(score, at, direction);
      const size = Math.sqrt(dot(gradient, gradient) * dot(direction, direction));
      expect(Math.abs(dot(gradient, direction) - change) / size).toBeLessThan(BOUND);
    }
    gradients.at(-1)!.dispose();
  });

  it('multiplies by the current weight, after AdamW and after an assignment', async () => {
    const held = tf.memory().numDataBuffers;
    const shape: [number, number] = [8, 12];
    const values = (name: string): tf.Tensor2D => tf.tensor2d([...normals(96, `half weight/${name}`)], shape);
    const x = tf.tensor2d([...normals(40, 'half weight/x')], [5, 8]);
    const start = [values('weight'), tf.zeros(shape), tf.zeros(shape)];
    const [weight, first, second] = start.map((tensor) => tf.variable(tensor)) as [
      tf.Variable,
      tf.Variable,
      tf.Variable,
    ];
    const product = (weight: tf.Tensor): Promise<Float32Array> =>
      read(() => ops.linear(x, weight, null, undefined, 'float16'));
    const asIs = async (): Promise<Float32Array> => {
      const fresh = tf.tensor2d([...(await weight.data())], shape);
      const expected = await product(fresh);
      fresh.dispose();
      return expected;
    };
    const before = await product(weight);
    const gradient = values('gradient');
    const step = { learningRate: 0.1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, step: 1, gradientScale: 1 };
    ops.adamW([{ value: weight, first, second, rateScale: 1, weightDecay: 0.05 }], [gradient], step);
    const after = await product(weight);
    expect(after).not.toEqual(before);
    expect(after).toEqual(await asIs());

    const other = values('other');
    weight.assign(other);
    expect(await product(weight)).toEqual(await asIs());
    tf.dispose([...start, x, weight, first, second, gradient, other]);
    expect(tf.memory().numDataBuffers).toBe(held);
  });

  it('keeps gradients of 0 at 0, and a NaN as NaN', async () => {
    const gradient = (dy: number): Promise<Float32Array> =>
      read(() =>
        tf.tidy(() => {
          const run = (x: tf.Tensor): tf.Tensor => ops.linear(x, tf.ones([3, 2]), null, undefined, 'float16');
          return tf.grad(run)(tf.ones([2, 3]), tf.fill([2, 2], dy));
        }),
      );
    expect([...(await gradient(0))]).toEqual([0, 0, 0, 0, 0, 0]);
    expect((await gradient(NaN)).every(Number.isNaN)).toBe(true);
  });
});
