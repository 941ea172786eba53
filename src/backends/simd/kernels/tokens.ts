/** VitGatherTokens, VitRestoreTokens and their gradients: src/ops/tokens.ts describes them. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { SimdBackend } from '../backend.js';
import { FLOAT, NONE } from '../address.js';
import { rowsOfChunk } from '../tasks/chunks.js';
import { defineKernel } from './kernel.js';

/** out[i] = x[index[i]]. An index beyond the rows of x gives `other`, or zeros. */
function gatherRows(backend: SimdBackend, x: TensorInfo, index: TensorInfo, other: TensorInfo | null): TensorInfo {
  const [limit, columns] = x.shape as [number, number];
  const rows = index.shape[0]!;
  const out = backend.output([rows, columns]);
  const chunkRows = rowsOfChunk(rows, columns);
  backend.run('gatherRows', Math.ceil(rows / chunkRows), {
    x: backend.address(x),
    index: backend.address(index),
    out: backend.address(out),
    fill: other ? backend.address(other) : NONE,
    rows,
    columns,
    limit,
    chunkRows,
  });
  return out;
}

/** Σ weights[i]·x[i] over the rows of x. */
function sumWeightedRows(backend: SimdBackend, x: TensorInfo, weights: TensorInfo): TensorInfo {
  const [rows, columns] = x.shape as [number, number];
  const out = backend.output([columns]);
  const chunkRows = rowsOfChunk(rows, columns);
  const chunks = Math.ceil(rows / chunkRows);
  backend.withScratch(FLOAT * chunks * columns, (parts) => {
    backend.run('sumWeightedRows', chunks, {
      x: backend.address(x),
      weights: backend.address(weights),
      parts,
      rows,
      columns,
      chunkRows,
    });
    const to = backend.address(out);
    backend.perform(({ kernels }) => {
      kernels.sumRows({ x: parts, rows: chunks, columns, stride: columns, out: to });
    });
  });
  return out;
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
    sumWeightedRows(backend, dy!, removed!),
  ],
);
