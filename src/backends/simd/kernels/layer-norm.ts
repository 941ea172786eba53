/** VitLayerNorm and its gradient: src/ops/layer-norm.ts says what they are. */
import { sizeOf } from '../../kernels.js';
import { FLOAT, rowsOfChunk } from '../tasks/chunks.js';
import { defineKernel } from './kernel.js';

export const layerNorm = defineKernel<{ epsilon: number }>(
  'VitLayerNorm',
  (backend, { input0: x, input1: scale, input2: shift }, { epsilon }) => {
    const dim = scale!.shape[0]!;
    const rows = sizeOf(x!.shape) / dim;
    const y = backend.output(x!.shape);
    const statistics = backend.output([rows, 2]);
    const chunkRows = rowsOfChunk(rows, dim);
    backend.run(
      'layerNorm',
      Math.ceil(rows / chunkRows),
      backend.address(x!),
      backend.address(scale!),
      backend.address(shift!),
      backend.address(y),
      backend.address(statistics),
      rows,
      dim,
      epsilon,
      chunkRows,
    );
    return [y, statistics];
  },
);

export const layerNormGradient = defineKernel(
  'VitLayerNormGrad',
  (backend, { dy, input0: x, input1: scale, saved0: statistics }) => {
    const dim = scale!.shape[0]!;
    const rows = sizeOf(x!.shape) / dim;
    const dx = backend.output(x!.shape);
    const dScale = backend.output([dim]);
    const dShift = backend.output([dim]);
    const chunkRows = rowsOfChunk(rows, dim);
    const chunks = Math.ceil(rows / chunkRows);
    backend.withScratch(FLOAT * chunks * 2 * dim, (parts) => {
      backend.run(
        'layerNormGradient',
        chunks,
        backend.address(dy!),
        backend.address(x!),
        backend.address(scale!),
        backend.address(statistics!),
        backend.address(dx),
        parts,
        rows,
        dim,
        chunkRows,
      );
      const { kernels } = backend;
      kernels.sumRows(parts, chunks, dim, 2 * dim, backend.address(dScale));
      kernels.sumRows(parts + FLOAT * dim, chunks, dim, 2 * dim, backend.address(dShift));
    });
    return [dx, dScale, dShift];
  },
);
