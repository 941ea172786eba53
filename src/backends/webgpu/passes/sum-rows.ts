/** Sums down the columns of a matrix: gradients of biases, of the mask token, of norms; and the parts of split sums. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { lanesFor, linearGroup, linearGroups, scalars } from '../pass.js';

/** Rows that one invocation adds up, one after the other. */
const RUN = 64;
const THREADS = 64;

/**
 * Σ weight·x over the rows, in a fixed order: the same numbers give the same sum.
 *
 * @param x rows × columns
 * @param weights One for each row, or null.
 * @returns A new tensor of the given shape.
 */
export function sumRows(
  backend: VitBackend,
  x: tf.TensorInfo,
  [rows, columns]: readonly [number, number],
  shape: readonly number[],
  weights: tf.TensorInfo | null = null,
): tf.TensorInfo {
  const runs = Math.ceil(rows / RUN);
  const sums = backend.output(runs === 1 ? shape : [runs, columns]);
  const operand = lanesFor(x, columns);
  const { lanes } = operand;
  const width = columns / lanes;
  const across = Math.ceil(width / THREADS);
  backend.run({
    name: 'sumRows',
    sizes: { rows, columns, weighted: weights !== null },
    reads: { x: operand, ...(weights && { weights: scalars(weights) }) },
    writes: { sums: lanesFor(sums, columns) },
    threads: THREADS,
    groups: linearGroups(across * runs),
    code: () => ({
      body: `
        let run = ${linearGroup(across * runs)} / ${across}u;
        let column = ${linearGroup(across * runs)} % ${across}u * ${THREADS}u + thread;
        if (run >= ${runs}u || column >= ${width}u) { return; }
        let end = min((run + 1u) * ${RUN}u, ${rows}u);
        var sum = ${lanes === 4 ? 'vec4<f32>(0.0)' : '0.0'};
        for (var row = run * ${RUN}u; row < end; row++) {
          sum += ${weights ? 'weights[row] * ' : ''}x[row * ${width}u + column];
        }
        sums[run * ${width}u + column] = sum;`,
    }),
  });
  if (runs === 1) return sums;
  const total = sumRows(backend, sums, [runs, columns], shape);
  backend.release(sums);
  return total;
}
