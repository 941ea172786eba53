/** VitResample and its gradient: src/ops/resample.ts says what they are. First down the columns, then along the rows. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { invocations, scalars } from '../pass.js';
import { defineKernel } from './kernel.js';

/**
 * One matrix along one axis of [batch, outer, length, inner], its own for each image or one for all.
 *
 * @param matrix [1 or batch, m, n]; maps n to m values, or with `transposed` m to n.
 */
function along(
  backend: VitBackend,
  x: TensorInfo,
  matrix: TensorInfo,
  { batch, outer, inner }: { batch: number; outer: number; inner: number },
  transposed: boolean,
): TensorInfo {
  const [matrices, m, n] = matrix.shape as [number, number, number];
  const [from, to] = transposed ? [m, n] : [n, m];
  const y = backend.output([batch, outer, to, inner]);
  const count = sizeOf(y.shape);
  const { begin, ...layout } = invocations(count);
  const weight = transposed ? `matrix[own + k * ${n}u + place]` : `matrix[own + place * ${n}u + k]`;
  backend.run({
    name: 'resample',
    sizes: { batch, outer, inner, matrices, m, n, transposed },
    reads: { x: scalars(x), matrix: scalars(matrix) },
    writes: { y: scalars(y) },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        let within = i % ${inner}u;
        let place = (i / ${inner}u) % ${to}u;
        let line = i / ${inner * to}u;
        let own = ${matrices === 1 ? '0u' : `(line / ${outer}u) * ${m * n}u`};
        var sum = 0.0;
        for (var k = 0u; k < ${from}u; k++) { sum += ${weight} * x[(line * ${from}u + k) * ${inner}u + within]; }
        y[i] = sum;`,
    }),
  });
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
