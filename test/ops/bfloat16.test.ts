/**
 * Linear layers and attention with bfloat16 factors, against float64 with the error bound of bfloat16: rounding a factor
 * has a relative error of at most 2^-9, of two factors 2^-8, and the errors of a sum's terms partly cancel.
 */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import type { SimdBackend } from '../../src/backends/simd/backend.js';
import * as ops from '../../src/ops/index.js';
import { differenceAlong, dot, normals, product, read, relativeError, type Values } from '../support/arrays.js';
import { availableDevices, bfloat16Variants } from '../support/devices.js';
import * as reference from './reference.js';

const BOUND = 2 ** -8;
/** An error that float32 does not have. */
const ROUNDED = 1e-5;

it('exists on no other device', async () => {
  for (const name of (await availableDevices()).filter((device) => device !== 'simd')) {
    const device = await openDevice(name);
    expect(ops.hasProducts('bfloat16')).toBe(false);
    expect(() => ops.linear(tf.ones([1, 1]), tf.ones([1, 1]), null, undefined, 'bfloat16')).toThrow(
      /VitLinearBfloat16/,
    );
    device.close();
  }
});

it('is the result only of products in it', () => {
  const one = tf.ones([1, 1]);
  expect(() => ops.linear(one, one, null, undefined, 'float32', 'bfloat16')).toThrow(/requires bfloat16 products/);
});

/** What each variant computes, for the comparison of one thread with two. */
const results = new Map<string, Map<string, unknown>>();

const tensor = (name: string, shape: number[], std = 1): tf.Tensor =>
  tf.tensor([...normals(product(shape), name, std)], shape);

describe.each(await bfloat16Variants())('$label', ({ label, open }) => {
  let device: Device;
  const computed = new Map<string, unknown>();
  beforeAll(async () => {
    device = await open();
    results.set(label, computed);
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
    [530, 300, 24],
    [40, 20, 800],
    [64, 32, 96],
  ])('%i×%i→%i: values and gradients', async (rows, inputs, outputs) => {
    const name = `bfloat16 ${rows}`;
    const x = normals(rows * inputs, `${name}/x`);
    const weight = normals(inputs * outputs, `${name}/weight`);
    const bias = normals(outputs, `${name}/bias`);
    const dy = normals(rows * outputs, `${name}/dy`, 1e-12);
    const tensors = (): tf.Tensor[] => [
      tf.tensor2d([...x], [rows, inputs]),
      tf.tensor2d([...weight], [inputs, outputs]),
      tf.tensor1d([...bias]),
    ];
    const run = (...[a, b, c]: tf.Tensor[]): tf.Tensor => ops.linear(a!, b!, c!, undefined, 'bfloat16');
    const y = await read(() => run(...tensors()));
    const error = relativeError(y, reference.linear(x, weight, bias, rows, inputs));
    expect(error).toBeLessThan(BOUND);
    expect(error).toBeGreaterThan(ROUNDED);

    const gradients = tf.tidy(() => tf.grads(run)(tensors(), tf.tensor2d([...dy], [rows, outputs])));
    const expected = [
      reference.linear(dy, transposed(weight, inputs), null, rows, outputs),
      reference.linear(transposed(x, rows), dy, null, inputs, rows),
      reference.linear(new Float64Array(rows).fill(1), dy, null, 1, rows),
    ];
    for (const [i, gradient] of gradients.entries()) {
      expect(relativeError(await read(() => gradient), expected[i]!)).toBeLessThan(BOUND);
    }
    computed.set(name, y);
  });

  it.each([
    [2, 5, 32, 2],
    [2, 16, 32, 2],
    [1, 67, 15, 1],
    [3, 33, 64, 2],
  ])('attention of %i×%i tokens, %i wide, %i heads, between products', async (batch, tokens, dim, heads) => {
    const name = `bfloat16 attention ${tokens}`;
    const x = normals(batch * tokens * dim, `${name}/x`);
    const weight = normals(dim * 3 * dim, `${name}/weight`, 1 / Math.sqrt(dim));
    const dy = normals(batch * tokens * dim, `${name}/dy`);
    const run = (x: tf.Tensor): tf.Tensor => {
      const qkv = ops.linear(x, tf.tensor2d([...weight], [dim, 3 * dim]), null, undefined, 'bfloat16', 'bfloat16');
      return ops.attention(qkv as tf.Tensor3D, heads);
    };
    const input = (): tf.Tensor => tf.tensor3d([...x], [batch, tokens, dim]);
    const attended = (x: Float64Array): Float64Array =>
      reference.attention(reference.linear(x, weight, null, batch * tokens, dim), batch, tokens, heads);
    const y = await read(() => run(input()));
    const error = relativeError(y, attended(x));
    expect(error).toBeLessThan(2 * BOUND); // two products and the rounding of the weights follow each other
    expect(error).toBeGreaterThan(ROUNDED);

    const gradient = await read(() => tf.tidy(() => tf.grad(run)(input(), tf.tensor3d([...dy], [batch, tokens, dim]))));
    for (let i = 0; i < 3; i++) {
      const direction = normals(x.length, `${name}/direction ${i}`);
      const change = differenceAlong((x) => dot(attended(x), dy), x, direction);
      const size = Math.sqrt(dot(gradient, gradient) * dot(direction, direction));
      expect(Math.abs(dot(gradient, direction) - change) / size).toBeLessThan(BOUND);
    }
    computed.set(name, [y, gradient]);
  });

  it.each([
    [35, 16, 64, 'bfloat16'],
    [7, 5, 11, 'bfloat16'],
    [7, 5, 11, 'float32'],
  ] as const)(
    'two layers with GELU between them, %i×%i→%i and back, stored as %s',
    async (rows, dim, hidden, stored) => {
      const name = `bfloat16 layers ${rows} ${stored}`;
      const x = normals(rows * dim, `${name}/x`);
      const first = normals(dim * hidden, `${name}/first`, 1 / Math.sqrt(dim));
      const second = normals(hidden * dim, `${name}/second`, 1 / Math.sqrt(hidden));
      const bias = normals(hidden, `${name}/bias`);
      const dy = normals(rows * dim, `${name}/dy`);
      const run = (...[x, first, bias, second]: tf.Tensor[]): tf.Tensor => {
        const between = ops.linear(x!, first!, bias!, { activation: 'gelu' }, 'bfloat16', stored);
        return ops.linear(between, second!, tf.zeros([dim]), { residual: x! }, 'bfloat16');
      };
      const tensors = (): tf.Tensor[] => [
        tf.tensor2d([...x], [rows, dim]),
        tf.tensor2d([...first], [dim, hidden]),
        tf.tensor1d([...bias]),
        tf.tensor2d([...second], [hidden, dim]),
      ];
      const layers = (x: Values, first: Values, bias: Values): Float64Array => {
        const between = reference.linear(x, first, bias, rows, dim).map(reference.gelu);
        return reference.linear(between, second, null, rows, hidden).map((value, i) => value + x[i]!);
      };
      const y = await read(() => run(...tensors()));
      expect(relativeError(y, layers(x, first, bias))).toBeLessThan(BOUND);

      const gradients = tf.tidy(() => tf.grads(run)(tensors(), tf.tensor2d([...dy], [rows, dim])));
      const scores = [
        [x, (x: Float64Array) => dot(layers(x, first, bias), dy)],
        [first, (first: Float64Array) => dot(layers(x, first, bias), dy)],
        [bias, (bias: Float64Array) => dot(layers(x, first, bias), dy)],
      ] as const;
      const read32: Float32Array[] = [];
      for (const [i, [at, score]] of scores.entries()) {
        const gradient = await read(() => gradients[i]!);
        const direction = normals(at.length, `${name}/direction ${i}`);
        const change = differenceAlong(score, at, direction);
        const size = Math.sqrt(dot(gradient, gradient) * dot(direction, direction));
        expect(Math.abs(dot(gradient, direction) - change) / size).toBeLessThan(BOUND);
        read32.push(gradient);
      }
      gradients.at(-1)!.dispose();
      computed.set(name, [y, ...read32]);
    },
  );

  it('multiplies by the current weight, after AdamW and after an assignment', async () => {
    const { heap } = tf.backend() as unknown as SimdBackend;
    const held = [tf.memory().numDataBuffers, heap.statistics.used];
    const shape: [number, number] = [7, 13];
    const x = tensor('weight/x', [5, 7]);
    const start = [tensor('weight/weight', shape), tf.zeros(shape), tf.zeros(shape)];
    const [weight, first, second] = start.map((values) => tf.variable(values)) as [
      tf.Variable,
      tf.Variable,
      tf.Variable,
    ];
    const product = (weight: tf.Tensor): Promise<Float32Array> =>
      read(() => ops.linear(x, weight, null, undefined, 'bfloat16'));
    const fromCopy = async (): Promise<Float32Array> => {
      const copy = tf.tensor2d([...(await weight.data())], shape);
      const expected = await product(copy);
      copy.dispose();
      return expected;
    };
    const before = await product(weight);
    const gradient = tensor('weight/gradient', shape);
    const step = { learningRate: 0.1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, step: 1, gradientScale: 1 };
    ops.adamW([{ value: weight, first, second, rateScale: 1, weightDecay: 0.05 }], [gradient], step);
    const after = await product(weight);
    expect(after).not.toEqual(before);
    expect(after).toEqual(await fromCopy());

    const other = tensor('weight/other', shape);
    weight.assign(other);
    expect(await product(weight)).toEqual(await fromCopy());
    tf.dispose([...start, x, weight, first, second, gradient, other]);
    expect([tf.memory().numDataBuffers, heap.statistics.used]).toEqual(held);
  });

  it('keeps gradients of 0 at 0, and a NaN as NaN', async () => {
    const gradient = (dy: number): Promise<Float32Array> =>
      read(() =>
        tf.tidy(() => {
          const run = (x: tf.Tensor): tf.Tensor => ops.linear(x, tf.ones([3, 2]), null, undefined, 'bfloat16');
          return tf.grad(run)(tf.ones([2, 3]), tf.fill([2, 2], dy));
        }),
      );
    expect([...(await gradient(0))]).toEqual([0, 0, 0, 0, 0, 0]);
    expect((await gradient(NaN)).every(Number.isNaN)).toBe(true);
  });

  it('gives the same bits on one thread and on two', () => {
    expect(computed.size).toBe(13);
    expect(computed).toEqual(results.get(label.replace('2 threads', '1 thread')));
  });
});
