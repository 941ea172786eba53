/** Every tfjs kernel that device simd replaces, against tfjs's own CPU kernel, on all kinds of shapes and values. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { stream } from '../../../src/common/random.js';
import type { Device } from '../../../src/backends/device.js';
import { product, relativeError } from '../../support/arrays.js';
import { simdVariants } from '../../support/devices.js';

interface Data {
  shape: number[];
  values: Float32Array;
}

type Kind = 'tame' | 'extreme' | 'exponents';

/** Special values that are mixed with the normal ones. */
const EXTREMES: Record<Kind, readonly number[]> = {
  tame: [],
  extreme: [0, -0, 1, 1e4, -1e4, 1e-40, -1e-40, 3e38, NaN, Infinity, -Infinity],
  exponents: [0, -0, -200, 1e4, -1e4, NaN, Infinity, -Infinity],
};

/** Values from a seed: a fast-check arbitrary for each value would take longer than all kernels together. */
const dataOf = (shape: number[], kind: Kind = 'extreme'): fc.Arbitrary<Data> =>
  fc.nat(1e6).map((seed) => {
    const random = stream(seed, 'values');
    const extremes = EXTREMES[kind];
    const values = Float32Array.from({ length: product(shape) }, () => {
      const place = Math.floor(random.uniform() * 6 * extremes.length);
      return extremes[place] ?? random.normal();
    });
    return { shape, values };
  });

const side = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 13);
const shapeOf = (minLength: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(side, { minLength, maxLength }).filter((shape) => product(shape) < 600);

/** Two shapes that broadcast: axes of both may be 1, and the first axes may be missing. */
const broadcastable = shapeOf(0, 4).chain((shape) =>
  fc
    .tuple(...[0, 1].map(() => fc.tuple(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.nat(4))))
    .map((cuts) => cuts.map(([ones, missing]) => shape.map((size, i) => (ones[i] ? 1 : size)).slice(missing))),
);

/** A call on tensors, with its data. */
interface Call {
  inputs: Data[];
  run: (...tensors: tf.Tensor[]) => tf.Tensor;
  /** Absolute error of a sum whose terms may cancel. */
  rounding?: number;
}

/** Tolerance of sums of up to 600 terms of size 16. */
const ROUNDING = 1e-4;

const binary = (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): fc.Arbitrary<Call> =>
  broadcastable
    .chain(([a, b]) => fc.tuple(dataOf(a!), dataOf(b!)))
    .map((inputs) => ({ inputs, run: (a, b) => run(a, b) }));

const unary = (run: (x: tf.Tensor) => tf.Tensor, kind: Kind = 'extreme'): fc.Arbitrary<Call> =>
  shapeOf(0, 4)
    .chain((shape) => dataOf(shape, kind))
    .map((x) => ({ inputs: [x], run: (tensor) => run(tensor) }));

const reduction = (run: (x: tf.Tensor, axes: number[], keep: boolean) => tf.Tensor): fc.Arbitrary<Call> =>
  shapeOf(1, 4).chain((shape) =>
    fc
      .tuple(
        dataOf(shape, 'tame'),
        fc.subarray(
          shape.map((_, i) => i),
          { minLength: 1 },
        ),
        fc.boolean(),
      )
      .map(([x, axes, keep]) => ({ inputs: [x], run: (tensor) => run(tensor, axes, keep), rounding: ROUNDING })),
  );

const transposes = shapeOf(1, 5).chain((shape) =>
  fc
    .tuple(
      dataOf(shape),
      fc.shuffledSubarray(
        shape.map((_, i) => i),
        { minLength: shape.length },
      ),
    )
    .map(([x, permutation]): Call => ({ inputs: [x], run: (tensor) => tf.transpose(tensor, permutation) })),
);

const slices = shapeOf(1, 4).chain((shape) =>
  fc
    .tuple(dataOf(shape), ...shape.map((size) => fc.tuple(fc.nat(size - 1), fc.nat(size - 1))))
    .map(([x, ...ranges]): Call => {
      const begin = ranges.map(([a, b]) => Math.min(a, b));
      const size = ranges.map(([a, b]) => Math.abs(a - b) + 1);
      return { inputs: [x], run: (tensor) => tf.slice(tensor, begin, size) };
    }),
);

const tiles = shapeOf(1, 3).chain((shape) =>
  fc
    .tuple(dataOf(shape), fc.array(fc.constantFrom(1, 2, 3), { minLength: shape.length, maxLength: shape.length }))
    .map(([x, repeats]): Call => ({ inputs: [x], run: (tensor) => tf.tile(tensor, repeats) })),
);

const concats = shapeOf(1, 4).chain((shape) =>
  fc.nat(shape.length - 1).chain((axis) =>
    fc
      .array(side, { minLength: 2, maxLength: 3 })
      .chain((sizes) => fc.tuple(...sizes.map((size) => dataOf(shape.with(axis, size)))))
      .map((inputs): Call => ({ inputs, run: (...tensors) => tf.concat(tensors, axis) })),
  ),
);

const pads = shapeOf(1, 4).chain((shape) =>
  fc
    .tuple(dataOf(shape), ...shape.map(() => fc.tuple(fc.nat(2), fc.nat(2))))
    .map(([x, ...paddings]): Call => ({ inputs: [x], run: (tensor) => tf.pad(tensor, paddings, 0.5) })),
);

const products = fc
  .tuple(side, side, side, fc.constantFrom('', 'a', 'b', 'ab'), fc.boolean(), fc.boolean())
  .chain(([m, k, n, batched, transposeA, transposeB]) => {
    const [a, b] = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
    const batch = (name: string): number[] => (batched === '' ? [] : [batched.includes(name) ? 3 : 1]);
    return fc
      .tuple(dataOf([...batch('a'), ...a], 'tame'), dataOf([...batch('b'), ...b], 'tame'))
      .map((inputs): Call => ({
        inputs,
        run: (x, y) => tf.matMul(x, y, transposeA, transposeB),
        rounding: ROUNDING,
      }));
  });

const fills = shapeOf(0, 3).map((shape): Call => ({ inputs: [], run: () => tf.fill(shape, 2.5) }));

const CALLS: [string, fc.Arbitrary<Call>][] = [
  ['add', binary(tf.add)],
  ['sub', binary(tf.sub)],
  ['mul', binary(tf.mul)],
  ['div', binary(tf.div)],
  ['maximum', binary(tf.maximum)],
  ['minimum', binary(tf.minimum)],
  ['neg', unary(tf.neg)],
  ['abs', unary(tf.abs)],
  ['square', unary(tf.square)],
  ['sqrt', unary(tf.sqrt)],
  ['rsqrt', unary(tf.rsqrt)],
  ['exp', unary(tf.exp, 'exponents')],
  ['clipByValue', unary((x) => tf.clipByValue(x, -1, 2))],
  ['zerosLike', unary(tf.zerosLike)],
  ['fill', fills],
  ['softmax', unary((x) => tf.softmax(x.rank === 0 ? tf.reshape(x, [1]) : x), 'tame')],
  ['sum', reduction((x, axes, keep) => tf.sum(x, axes, keep))],
  ['mean', reduction((x, axes, keep) => tf.mean(x, axes, keep))],
  ['transpose', transposes],
  ['slice', slices],
  ['tile', tiles],
  ['concat', concats],
  ['pad', pads],
  ['matMul', products],
];

function compute({ inputs, run }: Call): { shape: number[]; values: number[] } {
  return tf.tidy(() => {
    const y = run(...inputs.map(({ shape, values }) => tf.tensor(values, shape, 'float32')));
    return { shape: y.shape, values: [...y.dataSync()] };
  });
}

/** Equal to float32 rounding; NaN and infinities exactly. One expectation: there are millions of values. */
function expectClose(actual: number[], expected: number[], rounding = 1e-44): void {
  const isClose = (value: number, i: number): boolean => {
    const want = expected[i]!;
    return Number.isFinite(want) ? Math.abs(value - want) <= 2e-6 * Math.abs(want) + rounding : Object.is(value, want);
  };
  expect(actual).toHaveLength(expected.length);
  const wrong = actual.findIndex((value, i) => !isClose(value, i));
  expect({ wrong, actual: actual[wrong], expected: expected[wrong] }).toEqual({ wrong: -1 });
}

describe.each(await simdVariants())('on $label', ({ open }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => {
    device.close();
  });

  it.each(CALLS)('%s gives the same result as in tfjs', (_name, calls) => {
    fc.assert(
      fc.property(calls, (call) => {
        void tf.setBackend('cpu');
        const expected = compute(call);
        void tf.setBackend('simd');
        const actual = compute(call);
        expect(actual.shape).toEqual(expected.shape);
        expectClose(actual.values, expected.values, call.rounding);
      }),
      { numRuns: 60 },
    );
  });

  it('tfjs computes all other kernels, empty tensors and integers', () => {
    tf.tidy(() => {
      expect([...tf.add(tf.tensor1d([1, 2], 'int32'), tf.tensor1d([3, 4], 'int32')).dataSync()]).toEqual([4, 6]);
      expect(tf.add(tf.zeros([0, 3]), tf.ones([3])).shape).toEqual([0, 3]);
      expect([...tf.topk(tf.tensor1d([1, 3, 2]), 2).values.dataSync()]).toEqual([3, 2]);
      expect(tf.sum(tf.zeros([0])).dataSync()[0]).toBe(0);
    });
  });

  it('casts integers and booleans to numbers that its kernels can read', () => {
    tf.tidy(() => {
      expect([...tf.mul(tf.cast(tf.tensor1d([3, -4], 'int32'), 'float32'), 2).dataSync()]).toEqual([6, -8]);
      expect([...tf.mul(tf.cast(tf.greater([1, 5], 2), 'float32'), 2).dataSync()]).toEqual([0, 2]);
      expect([...tf.cast(tf.cast(tf.tensor1d([1.5, -2.5]), 'int32'), 'float32').dataSync()]).toEqual([1, -2]);
    });
  });

  it('sums a million values with a relative error below a millionth', () => {
    const [total, mean] = tf.tidy(() => {
      const x = tf.fill([1_000_000], 0.1);
      return [tf.sum(x).dataSync()[0]!, tf.mean(x).dataSync()[0]!];
    });
    expect(Math.abs(total - 1e6 * Math.fround(0.1))).toBeLessThan(0.1);
    expect(mean).toBeCloseTo(0.1, 6);
  });

  it('keeps a slice after its source is disposed of and the memory is used again', () => {
    const whole = tf.tensor1d([1, 2, 3, 4]);
    const part = tf.slice(whole, [1], [2]);
    whole.dispose();
    const other = tf.fill([4], 9);
    expect([...part.dataSync()]).toEqual([2, 3]);
    tf.dispose([part, other]);
  });

  it('returns values as copies', () => {
    const x = tf.tensor1d([1, 2]);
    const values = x.dataSync();
    x.dispose();
    tf.fill([2], 7).dispose();
    expect([...values]).toEqual([1, 2]);
    expect(values.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('is correct on tensors that are divided among threads', () => {
    const [rows, inputs, outputs] = [1501, 131, 67];
    const check = (): { y: Float32Array; sum: Float32Array } =>
      tf.tidy(() => {
        const x = tf.sin(tf.range(0, rows * inputs)).reshape([rows, inputs]);
        const w = tf.cos(tf.range(0, inputs * outputs)).reshape([inputs, outputs]);
        const y = tf.add(tf.matMul(x, w), tf.range(0, outputs).div(10));
        const sum = tf.sum(tf.mul(tf.transpose(y), tf.reshape(tf.range(0, outputs), [-1, 1])), 0);
        return { y: y.dataSync() as Float32Array, sum: sum.dataSync() as Float32Array };
      });
    void tf.setBackend('cpu');
    const expected = check();
    void tf.setBackend('simd');
    const actual = check();
    expect(relativeError(actual.y, expected.y)).toBeLessThan(1e-6);
    expect(relativeError(actual.sum, expected.sum)).toBeLessThan(1e-5);
  });
});
