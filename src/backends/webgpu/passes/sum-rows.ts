/** Sums down the columns of a matrix: gradients of biases, of the mask token, of norms; and the parts of split sums. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { computedType, lanesFor, linearGroup, linearGroups, scalars } from '../pass.js';

/** Rows that one invocation adds up, one after the other. */
const RUN = 64;
const THREADS = 64;

export interface Weighting {
  /** One for each row. */
  readonly weights?: tf.TensorInfo | undefined;
  /** [factor, 1 / factor] by which x has been multiplied, and the sums are divided. */
  readonly scale?: tf.TensorInfo | undefined;
}

/**
 * Σ weight·x over the rows, in a fixed order: the same numbers give the same sum.
 *
 * @param x rows × columns
 * @returns A new tensor of the given shape.
 */
export function sumRows(
  backend: VitBackend,
  x: tf.TensorInfo,
  [rows, columns]: readonly [number, number],
  shape: readonly number[],
  { weights, scale }: Weighting = {},
): tf.TensorInfo {
  const runs = Math.ceil(rows / RUN);
  const sums = backend.output(runs === 1 ? shape : [runs, columns]);
  const operand = backend.asStored(x, columns);
  const computed = computedType(operand);
  const { lanes } = operand;
  const width = columns / lanes;
  const across = Math.ceil(width / THREADS);
  backend.run({
    name: 'sumRows',
    sizes: { rows, columns, weighted: weights !== undefined, scaled: scale !== undefined },
    reads: { x: operand, ...(weights && { weights: scalars(weights) }), ...(scale && { scale: scalars(scale) }) },
    writes: { sums: lanesFor(sums, columns) },
    threads: THREADS,
    groups: linearGroups(across * runs),
    code: () => ({
      body: `
        let run = ${linearGroup(across * runs)} / ${across}u;
        let column = ${linearGroup(across * runs)} % ${across}u * ${THREADS}u + thread;
        if (run >= ${runs}u || column >= ${width}u) { return; }
        let end = min((run + 1u) * ${RUN}u, ${rows}u);
        var sum = ${computed}(0.0);
        for (var row = run * ${RUN}u; row < end; row++) {
          sum += ${weights ? 'weights[row] * ' : ''}${computed}(x[row * ${width}u + column]);
        }
        sums[run * ${width}u + column] = sum${scale ? ' * scale[1]' : ''};`,
    }),
  });
  if (runs === 1) return sums;
  const total = sumRows(backend, sums, [runs, columns], shape);
  backend.release(sums);
  return total;
}
