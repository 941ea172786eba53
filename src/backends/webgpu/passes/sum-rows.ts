/** Sums down the columns of a matrix: gradients of biases, of the mask token, of norms; and the parts of split sums. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import {
  computedType,
  definePass,
  lanesFor,
  linearGroup,
  linearGroups,
  scalars,
  typeOf,
  type BufferElements,
  type Operand,
  type Pass,
  type Shader,
} from '../pass.js';
import type { Rounding } from './half.js';
import { scaleCode, type ScaleSearch, type HalfScale } from './scale-for-half.js';
import { repeat } from './unroll.js';

const THREADS = 256;
/** Invocations that share a column (of vectors, if possible). With few rows, each column has one invocation. */
const sharersOf = (rows: number): number => (rows <= 32 ? 1 : 16);
/** Rows that a workgroup sums: all if they are few, otherwise so many that one more pass is enough. */
const runOf = (rows: number): number => (rows <= 1024 ? rows : Math.max(256, Math.ceil(rows / 256)));
const runsOf = (rows: number): number => Math.ceil(rows / runOf(rows));

export interface Weighting {
  /** One for each row. */
  readonly weights?: tf.TensorInfo | undefined;
  /** [factor, 1 / factor] by which x has been multiplied; the sums are divided by it. */
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
  const operand = backend.asStored(x, columns);
  const reads = { x: operand, weights: weights && scalars(weights), scale: scale && scalars(scale) };
  const [sum] = sumInPasses(backend, [rows, columns], [shape], operand.lanes, (sums, results) =>
    sumRowsPass({ rows, columns, results }, reads, sums),
  );
  return sum!;
}

/**
 * The same for two matrices that lie side by side.
 *
 * @param x rows × 2·columns
 * @returns The sums of each, new tensors.
 */
export function sumRowsOfPair(
  backend: VitBackend,
  x: tf.TensorInfo,
  [rows, columns]: readonly [number, number],
): [tf.TensorInfo, tf.TensorInfo] {
  const operand = lanesFor(x, columns);
  const shapes = [[columns], [columns]];
  const [one, other] = sumInPasses(backend, [rows, 2 * columns], shapes, operand.lanes, (sums, results) =>
    sumRowsPass({ rows, columns: 2 * columns, results }, { x: operand }, sums),
  );
  return [one!, other!];
}

/**
 * Rounds as {@link roundToHalf} does, and sums the values that it rounds.
 *
 * @param x rows × columns
 * @returns x·times·factor in float16, and the sums of x·times over the rows; new tensors.
 */
export function roundAndSumRows(
  backend: VitBackend,
  x: tf.TensorInfo,
  [rows, columns]: readonly [number, number],
  { times, scale }: Rounding & { scale: HalfScale },
): { half: tf.TensorInfo; sums: tf.TensorInfo } {
  const half = backend.outputHalf(x.shape);
  const operand = (tensor: tf.TensorInfo) => backend.asStored(tensor, columns);
  const reads = { x: operand(x), times: times && operand(times), ...scale.reads };
  const { finding } = scale;
  const [total] = sumInPasses(backend, [rows, columns], [[columns]], reads.x.lanes, (sums, results) =>
    roundAndSumRowsPass({ rows, columns, results, finding }, reads, { ...sums, half: operand(half), ...scale.writes }),
  );
  return { half, sums: total! };
}

type Sums = Readonly<Record<`sums${number}`, Operand>>;

/**
 * Runs a pass that sums, and another one if its sums are of parts of the rows.
 *
 * @param shapes Shapes of the results, which are side by side in x.
 * @param pass The pass that writes its sums to this many results.
 */
function sumInPasses(
  backend: VitBackend,
  [rows, columns]: readonly [number, number],
  shapes: readonly (readonly number[])[],
  lanes: 1 | 4,
  pass: (sums: Sums, results: number) => Pass,
): tf.TensorInfo[] {
  const runs = runsOf(rows);
  const results = runs === 1 ? shapes.map((shape) => backend.output(shape)) : [backend.output([runs, columns])];
  const sums = Object.fromEntries(results.map((tensor, i) => [`sums${i}`, { ...scalars(tensor), lanes }]));
  backend.run(pass(sums, results.length));
  if (runs === 1) return results;
  const parts = results[0]!;
  const totals = sumInPasses(backend, [runs, columns], shapes, lanes, (sums, results) =>
    sumRowsPass({ rows: runs, columns, results }, { x: { ...scalars(parts), lanes } }, sums),
  );
  backend.release(parts);
  return totals;
}

interface Sizes {
  readonly rows: number;
  readonly columns: number;
  /** Number of results, which are side by side in x. */
  readonly results: number;
}

const sumRowsPass = definePass<Sizes, 'x' | 'weights?' | 'scale?', `sums${number}`>(
  'sumRows',
  (sizes, { x, weights, scale }) =>
    sumDown(sizes, x, {
      add: (value) => `sum += ${weights ? 'weights[row] * ' : ''}${value};`,
      factor: scale && 'scale[1]',
    }),
);

const roundAndSumRowsPass = definePass<
  Sizes & { finding: ScaleSearch | null },
  'x' | 'times?' | 'parts?' | 'scale?',
  `sums${number}` | 'half' | 'scale?'
>('roundAndSumRows', ({ finding, ...sizes }, { x, times, half }) =>
  sumDown(sizes, x, {
    before: scaleCode(finding),
    add: (value, at) => `
      let value = ${value}${times ? ` * ${computedType(half)}(times[${at}])` : ''};
      sum += value;
      half[${at}] = ${typeOf(half)}(value * factor);`,
  }),
);

interface Summing {
  /** WGSL at the beginning of the shader. */
  readonly before?: { readonly declarations: string; readonly begin: string };
  /** WGSL: adds to `sum` for a value of x, given its place in the buffer; `row` is in scope. */
  readonly add: (value: string, at: string) => string;
  /** WGSL: the factor of the sums. */
  readonly factor?: string | undefined;
}

function sumDown({ rows, columns, results }: Sizes, x: BufferElements, { before, add, factor }: Summing): Shader {
  const [run, runs] = [runOf(rows), runsOf(rows)];
  const computed = computedType(x);
  const width = columns / x.lanes;
  const widthOfResult = width / results;
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
  const write = (result: number): string =>
    `if (column / ${widthOfResult}u == ${result}u) { sums${result}[number * ${widthOfResult}u + column % ${widthOfResult}u] = sum; }`;
  const declarations = [
    before?.declarations ?? '',
    sharers === 1 ? '' : `var<workgroup> shares: array<${computed}, ${THREADS}>;`,
  ].join('\n');
  const body = `
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
    ${repeat(results, write)}`;
  return { threads: THREADS, groups: linearGroups(across * runs), declarations, body };
}
