/** The fused kernels on sizes that are divided among threads, against the plain form of each op and against one thread. */
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../../src/backends/open.js';
import * as ops from '../../../src/ops/index.js';
import { normals, product, relativeError } from '../../support/arrays.js';
import { simdVariants } from '../../support/devices.js';

interface Case {
  name: string;
  shapes: number[][];
  run: (inputs: tf.Tensor[]) => tf.Tensor;
}

const kept = [0, 1, 2, 3, 4, 5].map((image) => Int32Array.from({ length: 40 }, (_, i) => (i * 3 + image) % 120));

const CASES: Case[] = [
  {
    name: 'linear with gelu',
    shapes: [[1301, 37], [37, 211], [211]],
    run: ([x, w, b]) => ops.linear(x!, w!, b!, { activation: 'gelu' }),
  },
  {
    name: 'linear without bias',
    shapes: [
      [701, 53],
      [53, 149],
    ],
    run: ([x, w]) => ops.linear(x!, w!, null),
  },
  {
    name: 'layerNorm',
    shapes: [[1103, 97], [97], [97]],
    run: ([x, scale, shift]) => ops.layerNorm(x!, scale!, shift!, 1e-6),
  },
  { name: 'attention', shapes: [[5, 67, 3 * 42]], run: ([qkv]) => ops.attention(qkv as tf.Tensor3D, 3) },
  {
    name: 'gatherTokens and restoreTokens',
    shapes: [[6, 120, 130], [130]],
    run([x, token]) {
      const selection = ops.tokenSelection(kept, 120);
      return ops.restoreTokens(ops.gatherTokens(x as tf.Tensor3D, selection), token!, selection);
    },
  },
  {
    name: 'resample',
    shapes: [[9, 45, 31, 3]],
    run: ([x]) =>
      ops.resample(
        x as tf.Tensor4D,
        tf.tensor3d([...normals(29 * 45, 'rows')], [1, 29, 45]),
        tf.tensor3d([...normals(9 * 40 * 31, 'columns')], [9, 40, 31]),
      ),
  },
  {
    name: 'tokenSquaredError',
    shapes: [[40, 50, 48]],
    run: ([x]) =>
      ops.tokenSquaredError(
        x as tf.Tensor3D,
        tf.tensor3d([...normals(40 * 50 * 48, 'target')], [40, 50, 48]),
        tf.tensor2d(
          Float32Array.from({ length: 2000 }, (_, i) => i % 3),
          [40, 50],
        ),
      ),
  },
];

/** Value and gradients of one case on the active backend. */
function measure({ name, shapes, run }: Case): Float32Array[] {
  return tf.tidy(() => {
    const inputs = shapes.map((shape, i) => tf.tensor([...normals(product(shape), `${name}/${i}`)], shape));
    const weigh = (y: tf.Tensor): tf.Tensor => tf.sum(tf.mul(y, tf.sin(tf.range(0, y.size).reshape(y.shape))));
    const gradients = tf.grads((...values: tf.Tensor[]) => weigh(run(values)))(inputs);
    return [run(inputs), ...gradients].map((tensor) => tensor.dataSync() as Float32Array);
  });
}

(await openDevice('cpu')).close();
const plain = CASES.map(measure);
const results = new Map<string, Float32Array[][]>();

describe.each(await simdVariants())('on $label', ({ label, open }) => {
  beforeAll(async () => {
    const device = await open();
    results.set(label, CASES.map(measure));
    device.close();
  });

  it.each(CASES.map(({ name }, i) => [name, i] as const))('%s equals its plain form', (_name, i) => {
    results.get(label)![i]!.forEach((values, part) => {
      expect(relativeError(values, plain[i]![part]!)).toBeLessThan(2e-6);
    });
  });

  it('gives the same bits on one thread and on two', () => {
    const single = results.get(label.replace('2 threads', '1 thread'))!;
    expect(results.get(label)).toEqual(single);
  });
});
