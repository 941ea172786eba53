/** VitGatherTokens, VitRestoreTokens and their gradients: src/ops/tokens.ts describes them. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { definePass, invocations, lanesFor, scalars } from '../pass.js';
import { defineKernel } from './kernel.js';
import { sumRows } from '../passes/sum-rows.js';

const gatherRowsPass = definePass<{ rows: number; columns: number; limit: number }, 'x' | 'index' | 'other?', 'y'>(
  'gatherRows',
  ({ rows, columns, limit }, { y, other }) => {
    const width = columns / y.lanes;
    const { begin, ...layout } = invocations(rows * width);
    const absent = other ? `other[i % ${width}u]` : y.lanes === 4 ? 'vec4<f32>(0.0)' : '0.0';
    const body = `
    ${begin}
    let source = u32(index[i / ${width}u]);
    if (source < ${limit}u) { y[i] = x[source * ${width}u + i % ${width}u]; } else { y[i] = ${absent}; }`;
    return { ...layout, body };
  },
);

/** out[i] = x[index[i]]. An index beyond the rows of x gives `other`, or zeros. */
function gatherRows(backend: VitBackend, x: TensorInfo, index: TensorInfo, other?: TensorInfo): TensorInfo {
  const [limit, columns] = x.shape as [number, number];
  const rows = index.shape[0]!;
  const y = backend.output([rows, columns]);
  const reads = { x: lanesFor(x, columns), index: scalars(index), other: other && lanesFor(other, columns) };
  backend.run(gatherRowsPass({ rows, columns, limit }, reads, { y: lanesFor(y, columns) }));
  return y;
}

export const gatherTokens = defineKernel('VitGatherTokens', (backend, { input0: x, constant0: rows }) =>
  gatherRows(backend, x!, rows!),
);

export const gatherTokensGradient = defineKernel('VitGatherTokensGrad', (backend, { dy, constant1: places }) =>
  gatherRows(backend, dy!, places!),
);

export const restoreTokens = defineKernel(
  'VitRestoreTokens',
  (backend, { input0: x, input1: maskToken, constant1: places }) => gatherRows(backend, x!, places!, maskToken),
);

export const restoreTokensGradient = defineKernel(
  'VitRestoreTokensGrad',
  (backend, { dy, constant0: rows, constant2: removed }) => [
    gatherRows(backend, dy!, rows!),
    sumRows(backend, dy!, dy!.shape as [number, number], [dy!.shape[1]!], { weights: removed }),
  ],
);
