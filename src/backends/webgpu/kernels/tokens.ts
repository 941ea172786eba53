/** VitGatherTokens, VitRestoreTokens and their gradients: src/ops/tokens.ts says what they are. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { invocations, lanesFor, scalars } from '../pass.js';
import { defineKernel } from './kernel.js';
import { sumRows } from '../passes/sum-rows.js';

/** out[i] = x[index[i]]; an index beyond the rows of x takes `other`, or zeros. */
function gatherRows(backend: VitBackend, x: TensorInfo, index: TensorInfo, other: TensorInfo | null): TensorInfo {
  const [limit, columns] = x.shape as [number, number];
  const rows = index.shape[0]!;
  const y = backend.output([rows, columns]);
  const operand = lanesFor(y, columns);
  const width = columns / operand.lanes;
  const { begin, ...layout } = invocations(rows * width);
  const absent = other ? `other[i % ${width}u]` : operand.lanes === 4 ? 'vec4<f32>(0.0)' : '0.0';
  backend.run({
    name: 'gatherRows',
    sizes: { rows, columns, limit, other: other !== null },
    reads: { x: lanesFor(x, columns), index: scalars(index), ...(other && { other: lanesFor(other, columns) }) },
    writes: { y: operand },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        let source = u32(index[i / ${width}u]);
        if (source < ${limit}u) { y[i] = x[source * ${width}u + i % ${width}u]; } else { y[i] = ${absent}; }`,
    }),
  });
  return y;
}

export const gatherTokens = defineKernel('VitGatherTokens', (backend, { input0: x, constant0: rows }) =>
  gatherRows(backend, x!, rows!, null),
);

export const gatherTokensGradient = defineKernel('VitGatherTokensGrad', (backend, { dy, constant1: places }) =>
  gatherRows(backend, dy!, places!, null),
);

export const restoreTokens = defineKernel(
  'VitRestoreTokens',
  (backend, { input0: x, input1: maskToken, constant1: places }) => gatherRows(backend, x!, places!, maskToken!),
);

export const restoreTokensGradient = defineKernel(
  'VitRestoreTokensGrad',
  (backend, { dy, constant0: rows, constant2: removed }) => [
    gatherRows(backend, dy!, rows!, null),
    sumRows(backend, dy!, dy!.shape as [number, number], [dy!.shape[1]!], { weights: removed }),
  ],
);
