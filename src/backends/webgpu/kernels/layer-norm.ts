/** VitLayerNorm and its gradient: src/ops/layer-norm.ts says what they are. */
import { sizeOf } from '../../kernels.js';
import { AT_ONCE, lanesFor, scalars, typeOf } from '../pass.js';
import { defineKernel } from './kernel.js';
import { across, LANE_FUNCTIONS, LANE_THREADS, overColumns, rowwise, sumsOfLanes } from '../passes/lanes.js';
import { sumRowsOfPair } from '../passes/sum-rows.js';
import { repeat } from '../passes/unroll.js';

interface LayerNormAttributes {
  epsilon: number;
  result: 'float32' | 'float16';
}

export const layerNorm = defineKernel<LayerNormAttributes>(
  'VitLayerNorm',
  (backend, { input0: x, input1: scale, input2: shift }, { epsilon, result }) => {
    const dim = scale!.shape[0]!;
    const rows = sizeOf(x!.shape) / dim;
    const y = result === 'float16' ? backend.outputHalf(x!.shape) : backend.output(x!.shape);
    const statistics = backend.output([rows, 2]);
    const { lanes } = lanesFor(x!, dim);
    const width = dim / lanes;
    const { begin, ...layout } = rowwise(rows);
    const target = backend.asStored(y, dim);
    const type = lanes === 4 ? 'vec4<f32>' : 'f32';
    backend.run({
      name: 'layerNorm',
      sizes: { rows, dim, epsilon },
      reads: { x: lanesFor(x!, dim), scale: lanesFor(scale!, dim), shift: lanesFor(shift!, dim) },
      writes: { y: target, statistics: scalars(statistics) },
      ...layout,
      code: () => ({
        declarations: LANE_FUNCTIONS,
        body: `
          ${begin}
          var sum = ${type}(0.0);
          ${overColumns(width, `sum += x[row * ${width}u + column];`)}
          let mean = sumOfLanes(thread, ${across(lanes, 'sum')}) / ${dim}.0;
          var squares = ${type}(0.0);
          ${overColumns(width, `let centred = x[row * ${width}u + column] - mean; squares += centred * centred;`)}
          let variance = sumOfLanes(thread, ${across(lanes, 'squares')}) / ${dim}.0;
          let inverse = inverseSqrt(variance + ${epsilon});
          if (own >= ${rows}u) { return; }
          ${overColumns(width, `y[row * ${width}u + column] = ${typeOf(target)}((x[row * ${width}u + column] - mean) * inverse * scale[column] + shift[column]);`)}
          if (lane == 0u) { statistics[2u * row] = mean; statistics[2u * row + 1u] = inverse; }`,
      }),
    });
    return [y, statistics];
  },
);

/** Invocations of the gradient that share a row: each keeps what it has read of it, and sums of its columns. */
const SHARERS = 32;
const ROWS_AT_ONCE = LANE_THREADS / SHARERS;

export const layerNormGradient = defineKernel(
  'VitLayerNormGrad',
  (backend, { dy, input0: x, input1: scale, saved0: statistics }) => {
    const dim = scale!.shape[0]!;
    const rows = sizeOf(x!.shape) / dim;
    const dx = backend.output(x!.shape);
    const { lanes } = lanesFor(x!, dim);
    const width = dim / lanes;
    const blocks = Math.ceil(rows / ROWS_AT_ONCE);
    // No more than run at once, since each leaves a row of sums to be added, and as many as have equal shares.
    const groups = Math.ceil(blocks / Math.ceil(blocks / AT_ONCE));
    // Of the scale and, beside them, of the shift.
    const parts = backend.output([groups, 2 * dim]);
    const type = lanes === 4 ? 'vec4<f32>' : 'f32';
    const own = Math.ceil(width / SHARERS);
    // Written out, since each has a sum of its own: an array that is indexed by a variable would lie in memory.
    const ownColumns = (body: (i: number) => string): string =>
      repeat(own, (i) => {
        const all = (i + 1) * SHARERS <= width;
        return `{ let column = lane + ${SHARERS * i}u; ${all ? body(i) : `if (column < ${width}u) { ${body(i)} }`} }`;
      });
    backend.run({
      name: 'layerNorm, gradient',
      sizes: { rows, dim, groups },
      reads: {
        dy: lanesFor(dy!, dim),
        x: lanesFor(x!, dim),
        scale: lanesFor(scale!, dim),
        statistics: scalars(statistics!),
      },
      writes: {
        dx: lanesFor(dx, dim),
        parts: lanesFor(parts, dim),
      },
      threads: LANE_THREADS,
      groups: [groups, 1, 1],
      code: () => ({
        declarations: `${sumsOfLanes(SHARERS)}
          var<workgroup> scaleSums: array<${type}, ${LANE_THREADS}>;
          var<workgroup> shiftSums: array<${type}, ${LANE_THREADS}>;`,
        body: `
          let lane = thread % ${SHARERS}u;
          ${repeat(own, (i) => `var dScale${i} = ${type}(0.0); var dShift${i} = ${type}(0.0);`)}
          for (var block = group.x; block < ${blocks}u; block += ${groups}u) {
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
          ${repeat(
            own,
            (i) => `
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
              }`,
          )}`,
      }),
    });
    const [dScale, dShift] = sumRowsOfPair(backend, parts, [groups, dim]);
    backend.release(parts);
    return [dx, dScale, dShift];
  },
);
