/** VitLayerNorm and its gradient: src/ops/layer-norm.ts describes them. */
import { sizeOf } from '../../kernels.js';
import { AT_ONCE, computedType, definePass, lanesFor, scalars, typeOf } from '../pass.js';
import { across, LANE_FUNCTIONS, LANE_THREADS, overColumns, rowwise, sumsOfLanes } from '../passes/lanes.js';
import { sumRowsOfPair } from '../passes/sum-rows.js';
import { repeat } from '../passes/unroll.js';
import { defineKernel } from './kernel.js';

interface LayerNormAttributes {
  epsilon: number;
  result: 'float32' | 'float16';
}

const layerNormPass = definePass<
  { rows: number; dim: number; epsilon: number },
  'x' | 'scale' | 'shift',
  'y' | 'statistics'
>('layerNorm', ({ rows, dim, epsilon }, { x, y }) => {
  const { begin, ...layout } = rowwise(rows);
  const width = dim / x.lanes;
  const type = computedType(x);
  const body = `
    ${begin}
    var sum = ${type}(0.0);
    ${overColumns(width, `sum += x[row * ${width}u + column];`)}
    let mean = sumOfLanes(thread, ${across(x.lanes, 'sum')}) / ${dim}.0;
    var squares = ${type}(0.0);
    ${overColumns(width, `let centred = x[row * ${width}u + column] - mean; squares += centred * centred;`)}
    let variance = sumOfLanes(thread, ${across(x.lanes, 'squares')}) / ${dim}.0;
    let inverse = inverseSqrt(variance + ${epsilon});
    if (own >= ${rows}u) { return; }
    ${overColumns(width, `y[row * ${width}u + column] = ${typeOf(y)}((x[row * ${width}u + column] - mean) * inverse * scale[column] + shift[column]);`)}
    if (lane == 0u) { statistics[2u * row] = mean; statistics[2u * row + 1u] = inverse; }`;
  return { ...layout, declarations: LANE_FUNCTIONS, body };
});

export const layerNorm = defineKernel<LayerNormAttributes>(
  'VitLayerNorm',
  (backend, { input0: x, input1: scale, input2: shift }, { epsilon, result }) => {
    const dim = scale!.shape[0]!;
    const rows = sizeOf(x!.shape) / dim;
    const y = result === 'float16' ? backend.outputHalf(x!.shape) : backend.output(x!.shape);
    const statistics = backend.output([rows, 2]);
    const reads = { x: lanesFor(x!, dim), scale: lanesFor(scale!, dim), shift: lanesFor(shift!, dim) };
    const writes = { y: backend.asStored(y, dim), statistics: scalars(statistics) };
    backend.run(layerNormPass({ rows, dim, epsilon }, reads, writes));
    return [y, statistics];
  },
);

/** Invocations of the gradient that share a row. Each keeps the values that it has read, and sums of its columns. */
const SHARERS = 32;
const ROWS_AT_ONCE = LANE_THREADS / SHARERS;

/** `parts` [groups, 2·dim]: sums for the scale and, beside them, for the shift. */
const layerNormGradientPass = definePass<
  { rows: number; dim: number; groups: number },
  'dy' | 'x' | 'scale' | 'statistics',
  'dx' | 'parts'
>('layerNorm, gradient', ({ rows, dim, groups }, { x }) => {
  const { lanes } = x;
  const width = dim / lanes;
  const type = computedType(x);
  const own = Math.ceil(width / SHARERS);
  // Unrolled, since each column has its own sum: an array indexed by a variable would be placed in memory.
  const ownColumns = (body: (i: number) => string): string =>
    repeat(own, (i) => {
      const all = (i + 1) * SHARERS <= width;
      return `{ let column = lane + ${SHARERS * i}u; ${all ? body(i) : `if (column < ${width}u) { ${body(i)} }`} }`;
    });
  const declarations = `${sumsOfLanes(SHARERS)}
    var<workgroup> scaleSums: array<${type}, ${LANE_THREADS}>;
    var<workgroup> shiftSums: array<${type}, ${LANE_THREADS}>;`;
  const body = `
    let lane = thread % ${SHARERS}u;
    ${repeat(own, (i) => `var dScale${i} = ${type}(0.0); var dShift${i} = ${type}(0.0);`)}
    for (var block = group.x; block < ${Math.ceil(rows / ROWS_AT_ONCE)}u; block += ${groups}u) {
      let own = block * ${ROWS_AT_ONCE}u + thread / ${SHARERS}u;
      let row = min(own, ${rows - 1}u);
      let inside = select(0.0, 1.0, own < ${rows}u);
      let mean = statistics[2u * row];
      let inverse = statistics[2u * row + 1u];
      let start = row * ${width}u;
      ${repeat(own, (i) => `var g${i} = ${type}(0.0); var normalized${i} = ${type}(0.0);`)}
      ${ownColumns((i) => `g${i} = dy[start + column]; normalized${i} = x[start + column];`)}
      var sum = ${type}(0.0);
      var alongSum = ${type}(0.0);
      ${ownColumns(
        (i) => `
          normalized${i} = (normalized${i} - mean) * inverse;
          dScale${i} += inside * g${i} * normalized${i};
          dShift${i} += inside * g${i};
          g${i} *= scale[column];
          sum += g${i};
          alongSum += g${i} * normalized${i};`,
      )}
      let sums = sumsOfLanes(thread, vec2<f32>(${across(lanes, 'sum')}, ${across(lanes, 'alongSum')})) / ${dim}.0;
      if (own < ${rows}u) {
        ${ownColumns((i) => `dx[start + column] = inverse * (g${i} - sums.x - normalized${i} * sums.y);`)}
      }
    }
    ${repeat(own, (i) => sumColumnsOfGroup(i, width, type))}`;
  return { threads: LANE_THREADS, groups: [groups, 1, 1], declarations, body };
});

/**
 * WGSL: adds the sums that the invocations of a workgroup have for their i-th columns, and writes the result to
 * `parts`.
 */
const sumColumnsOfGroup = (i: number, width: number, type: string): string => `
  workgroupBarrier();
  scaleSums[thread] = dScale${i};
  shiftSums[thread] = dShift${i};
  workgroupBarrier();
  if (thread < ${SHARERS}u && lane + ${SHARERS * i}u < ${width}u) {
    var scaleSum = ${type}(0.0);
    var shiftSum = ${type}(0.0);
    for (var r = lane; r < ${LANE_THREADS}u; r += ${SHARERS}u) { scaleSum += scaleSums[r]; shiftSum += shiftSums[r]; }
    let place = group.x * ${2 * width}u + lane + ${SHARERS * i}u;
    parts[place] = scaleSum;
    parts[place + ${width}u] = shiftSum;
  }`;

export const layerNormGradient = defineKernel(
  'VitLayerNormGrad',
  (backend, { dy, input0: x, input1: scale, saved0: statistics }) => {
    const dim = scale!.shape[0]!;
    const rows = sizeOf(x!.shape) / dim;
    const dx = backend.output(x!.shape);
    const blocks = Math.ceil(rows / ROWS_AT_ONCE);
    // At most as many groups as run at once, since each writes a row of sums; and a number that divides the work
    // evenly.
    const groups = Math.ceil(blocks / Math.ceil(blocks / AT_ONCE));
    const parts = backend.output([groups, 2 * dim]);
    const reads = {
      ...{ dy: lanesFor(dy!, dim), x: lanesFor(x!, dim), scale: lanesFor(scale!, dim) },
      statistics: scalars(statistics!),
    };
    const writes = { dx: lanesFor(dx, dim), parts: lanesFor(parts, dim) };
    backend.run(layerNormGradientPass({ rows, dim, groups }, reads, writes));
    const [dScale, dShift] = sumRowsOfPair(backend, parts, [groups, dim]);
    backend.release(parts);
    return [dx, dScale, dShift];
  },
);
