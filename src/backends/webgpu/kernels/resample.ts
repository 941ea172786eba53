/** VitResample and its gradient: src/ops/resample.ts describes them. First along the columns, then along the rows. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { definePass, invocations, scalars } from '../pass.js';
import { defineKernel } from './kernel.js';

interface Sizes {
  readonly batch: number;
  readonly outer: number;
  readonly inner: number;
  /** Number of matrices: 1, or one for each image. */
  readonly matrices: number;
  /** Sides of a matrix. */
  readonly m: number;
  readonly n: number;
  readonly transposed: boolean;
}

/** Values along the axis before and after. */
const lengthsOf = ({ m, n, transposed }: Sizes): readonly [number, number] => (transposed ? [m, n] : [n, m]);

const resamplePass = definePass<Sizes, 'x' | 'matrix', 'y'>('resample', (sizes) => {
  const { batch, outer, inner, matrices, m, n, transposed } = sizes;
  const [from, to] = lengthsOf(sizes);
  const weight = transposed ? `matrix[own + k * ${n}u + place]` : `matrix[own + place * ${n}u + k]`;
  const { begin, ...layout } = invocations(batch * outer * to * inner);
  const body = `
    ${begin}
    let within = i % ${inner}u;
    let place = (i / ${inner}u) % ${to}u;
    let line = i / ${inner * to}u;
    let own = ${matrices === 1 ? '0u' : `(line / ${outer}u) * ${m * n}u`};
    var sum = 0.0;
    for (var k = 0u; k < ${from}u; k++) { sum += ${weight} * x[(line * ${from}u + k) * ${inner}u + within]; }
    y[i] = sum;`;
  return { ...layout, body };
});

/**
 * One matrix along one axis of [batch, outer, length, inner].
 *
 * @param matrix [1 or batch, m, n]: one for all images, or one for each. Maps n to m values, or with `transposed` m to n.
 */
function along(
  backend: VitBackend,
  x: TensorInfo,
  matrix: TensorInfo,
  { batch, outer, inner }: { batch: number; outer: number; inner: number },
  transposed: boolean,
): TensorInfo {
  const [matrices, m, n] = matrix.shape as [number, number, number];
  const sizes = { batch, outer, inner, matrices, m, n, transposed };
  const y = backend.output([batch, outer, lengthsOf(sizes)[1], inner]);
  backend.run(resamplePass(sizes, { x: scalars(x), matrix: scalars(matrix) }, { y: scalars(y) }));
  return y;
}

function resampled(backend: VitBackend, x: TensorInfo, rows: TensorInfo, columns: TensorInfo, transposed: boolean) {
  const [batch, , width, channels] = x.shape as [number, number, number, number];
  const height = transposed ? rows.shape[2]! : rows.shape[1]!;
  const tall = along(backend, x, rows, { batch, outer: 1, inner: width * channels }, transposed);
  const y = along(backend, tall, columns, { batch, outer: height, inner: channels }, transposed);
  backend.release(tall);
  return y;
}

export const resampleKernels = [
  defineKernel('VitResample', (backend, { input0: images, constant0: rows, constant1: columns }) =>
    resampled(backend, images!, rows!, columns!, false),
  ),
  defineKernel('VitResampleGrad', (backend, { dy, constant0: rows, constant1: columns }) =>
    resampled(backend, dy!, rows!, columns!, true),
  ),
];
