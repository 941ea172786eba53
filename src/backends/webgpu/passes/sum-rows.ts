/** Sums down the columns of a matrix: gradients of biases, of the mask token, of norms; and the parts of split sums. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { computedType, lanesFor, linearGroup, linearGroups, scalars } from '../pass.js';

const THREADS = 256;
/** Invocations that share a column, in vectors where that can be: none where there are few rows. */
const sharersOf = (rows: number): number => (rows <= 32 ? 1 : 16);
/** Rows that a workgroup adds up: all, where they are few, or so many that one more pass is enough. */
const runOf = (rows: number): number => Math.max(256, Math.ceil(rows / 256));

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
  const run = runOf(rows);
  const runs = Math.ceil(rows / run);
  const sums = backend.output(runs === 1 ? shape : [runs, columns]);
  const operand = backend.asStored(x, columns);
  const computed = computedType(operand);
  const { lanes } = operand;
  const width = columns / lanes;
  const sharers = sharersOf(rows);
  const columnsOfGroup = THREADS / sharers;
  const across = Math.ceil(width / columnsOfGroup);
  const shared = `
    shares[thread] = sum;
    workgroupBarrier();
    for (var half = ${THREADS / 2}u; half >= ${columnsOfGroup}u; half /= 2u) {
      if (thread < half) { shares[thread] += shares[thread + half]; }
      workgroupBarrier();
    }
    sum = shares[thread];`;
  backend.run({
    name: 'sumRows',
    sizes: { rows, columns, weighted: weights !== undefined, scaled: scale !== undefined },
    reads: { x: operand, ...(weights && { weights: scalars(weights) }), ...(scale && { scale: scalars(scale) }) },
    writes: { sums: lanesFor(sums, columns) },
    threads: THREADS,
    groups: linearGroups(across * runs),
    code: () => ({
      declarations: sharers === 1 ? '' : `var<workgroup> shares: array<${computed}, ${THREADS}>;`,
      body: `
        let number = ${linearGroup(across * runs)} / ${across}u;
        let column = ${linearGroup(across * runs)} % ${across}u * ${columnsOfGroup}u + thread % ${columnsOfGroup}u;
        let inside = number < ${runs}u && column < ${width}u;
        let end = select(0u, min((number + 1u) * ${run}u, ${rows}u), inside);
        var sum = ${computed}(0.0);
        for (var row = number * ${run}u + thread / ${columnsOfGroup}u; row < end; row += ${sharers}u) {
          sum += ${weights ? 'weights[row] * ' : ''}${computed}(x[row * ${width}u + column]);
        }
        ${sharers === 1 ? '' : shared}
        if (thread < ${columnsOfGroup}u && inside) { sums[number * ${width}u + column] = sum${scale ? ' * scale[1]' : ''}; }`,
    }),
  });
  if (runs === 1) return sums;
  const total = sumRows(backend, sums, [runs, columns], shape);
  backend.release(sums);
  return total;
}
