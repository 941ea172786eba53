/** Sums down the columns of a matrix: gradients of biases, of the mask token, of norms; and the parts of split sums. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import {
  computedType,
  lanesFor,
  linearGroup,
  linearGroups,
  scalars,
  typeOf,
  type Operand,
  type Pass,
} from '../pass.js';
import type { Rounding } from './half.js';
import type { Scale } from './scale-for-half.js';

const THREADS = 256;
/** Invocations that share a column, in vectors where that can be: none where there are few rows. */
const sharersOf = (rows: number): number => (rows <= 32 ? 1 : 16);
/** Rows that a workgroup adds up: all, where they are few, or so many that one more pass is enough. */
const runOf = (rows: number): number => (rows <= 1024 ? rows : Math.max(256, Math.ceil(rows / 256)));

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
  const [sums] = sumDown(backend, [rows, columns], [shape], {
    name: 'sumRows',
    x: backend.asStored(x, columns),
    sizes: { weighted: weights !== undefined, scaled: scale !== undefined },
    reads: { ...(weights && { weights: scalars(weights) }), ...(scale && { scale: scalars(scale) }) },
    writes: {},
    add: (value) => `sum += ${weights ? 'weights[row] * ' : ''}${value};`,
    factor: scale && 'scale[1]',
  });
  return sums!;
}

/**
 * The same of two matrices that lie side by side.
 *
 * @param x rows × 2·columns
 * @returns The sums of each, new tensors.
 */
export function sumRowsOfPair(
  backend: VitBackend,
  x: tf.TensorInfo,
  [rows, columns]: readonly [number, number],
): [tf.TensorInfo, tf.TensorInfo] {
  const [one, other] = sumDown(backend, [rows, 2 * columns], [[columns], [columns]], {
    ...PLAIN,
    x: lanesFor(x, columns),
  });
  return [one!, other!];
}

/**
 * Rounds as {@link roundToHalf} does, and sums what it rounds, since it has it at hand.
 *
 * @param x rows × columns
 * @returns x·times·factor in float16, and the sums of x·times over the rows; new tensors.
 */
export function roundAndSumRows(
  backend: VitBackend,
  x: tf.TensorInfo,
  [rows, columns]: readonly [number, number],
  { times, scale }: Rounding & { scale: Scale },
): { half: tf.TensorInfo; sums: tf.TensorInfo } {
  const half = backend.outputHalf(x.shape);
  const target = backend.asStored(half, columns);
  const [sums] = sumDown(backend, [rows, columns], [[columns]], {
    name: 'roundAndSumRows',
    x: backend.asStored(x, columns),
    sizes: { times: times !== undefined, ...scale.sizes },
    reads: { ...(times && { times: backend.asStored(times, columns) }), ...scale.reads },
    writes: { half: target, ...scale.writes },
    before: scale,
    add: (value, at) => `
      let value = ${value}${times ? ` * ${computedType(target)}(times[${at}])` : ''};
      sum += value;
      half[${at}] = ${typeOf(target)}(value * factor);`,
    factor: undefined,
  });
  return { half, sums: sums! };
}

interface Summing {
  readonly name: string;
  readonly x: Operand;
  readonly sizes: Pass['sizes'];
  readonly reads: Pass['reads'];
  readonly writes: Pass['writes'];
  /** WGSL that comes before all else. */
  readonly before?: { readonly declarations: string; readonly begin: string };
  /** WGSL: adds to `sum` what a value of x, at a place of the buffer and in a `row`, has for it. */
  readonly add: (value: string, at: string) => string;
  /** WGSL: what sums are multiplied by. */
  readonly factor: string | undefined;
}

const PLAIN: Omit<Summing, 'x'> = {
  name: 'sumRows',
  sizes: { weighted: false, scaled: false },
  reads: {},
  writes: {},
  add: (value) => `sum += ${value};`,
  factor: undefined,
};

/** @param shapes Of the results, which lie side by side in x. */
function sumDown(
  backend: VitBackend,
  [rows, columns]: readonly [number, number],
  shapes: readonly (readonly number[])[],
  { name, x, sizes, reads, writes, before, add, factor }: Summing,
): tf.TensorInfo[] {
  const run = runOf(rows);
  const runs = Math.ceil(rows / run);
  const results = runs === 1 ? shapes.map((shape) => backend.output(shape)) : [backend.output([runs, columns])];
  const computed = computedType(x);
  const width = columns / x.lanes;
  const widthOfResult = width / results.length;
  const sharers = sharersOf(rows);
  const columnsOfGroup = THREADS / sharers;
  const across = Math.ceil(width / columnsOfGroup);
  const shared = `
    shares[thread] = sum;
    workgroupBarrier();
    for (var apart = ${THREADS / 2}u; apart >= ${columnsOfGroup}u; apart /= 2u) {
      if (thread < apart) { shares[thread] += shares[thread + apart]; }
      workgroupBarrier();
    }
    sum = shares[thread];`;
  backend.run({
    name,
    sizes: { rows, columns, ...sizes },
    reads: { x, ...reads },
    writes: {
      ...Object.fromEntries(results.map((tensor, i) => [`sums${i}`, { tensor, lanes: x.lanes }])),
      ...writes,
    },
    threads: THREADS,
    groups: linearGroups(across * runs),
    code: () => ({
      declarations: [
        before?.declarations ?? '',
        sharers === 1 ? '' : `var<workgroup> shares: array<${computed}, ${THREADS}>;`,
      ].join('\n'),
      body: `
        ${before?.begin ?? ''}
        let number = ${linearGroup(across * runs)} / ${across}u;
        let column = ${linearGroup(across * runs)} % ${across}u * ${columnsOfGroup}u + thread % ${columnsOfGroup}u;
        let inside = number < ${runs}u && column < ${width}u;
        let end = select(0u, min((number + 1u) * ${run}u, ${rows}u), inside);
        var sum = ${computed}(0.0);
        for (var row = number * ${run}u + thread / ${columnsOfGroup}u; row < end; row += ${sharers}u) {
          ${add(`${computed}(x[row * ${width}u + column])`, `row * ${width}u + column`)}
        }
        ${sharers === 1 ? '' : shared}
        if (thread >= ${columnsOfGroup}u || !inside) { return; }
        ${factor ? `sum *= ${factor};` : ''}
        ${results.map((_, i) => `if (column / ${widthOfResult}u == ${i}u) { sums${i}[number * ${widthOfResult}u + column % ${widthOfResult}u] = sum; }`).join('\n')}`,
    }),
  });
  if (runs === 1) return results;
  const [parts] = results;
  const totals = sumDown(backend, [runs, columns], shapes, { ...PLAIN, x: { tensor: parts!, lanes: x.lanes } });
  backend.release(parts!);
  return totals;
}
