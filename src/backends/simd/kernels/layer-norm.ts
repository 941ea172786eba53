/** VitLayerNorm and its gradient: src/ops/layer-norm.ts describes them. */
import type { Precision } from '../../../ops/linear.js';
import { sizeOf } from '../../kernels.js';
import { FLOAT, offset } from '../address.js';
import { rowsOfChunk } from '../tasks/chunks.js';
import { defineKernel } from './kernel.js';

export const layerNorm = defineKernel<{ epsilon: number; result: Precision }>(
  'VitLayerNorm',
  (backend, { input0: x, input1: scale, input2: shift }, { epsilon, result }) => {
    const dim = scale!.shape[0]!;
    const rows = sizeOf(x!.shape) / dim;
    const rounded = result === 'bfloat16';
    const y = rounded ? backend.outputBfloat16(x!.shape) : backend.output(x!.shape);
    const statistics = backend.output([rows, 2]);
    const chunkRows = rowsOfChunk(rows, dim);
    backend.run('layerNorm', Math.ceil(rows / chunkRows), {
      x: backend.address(x!),
      scale: backend.address(scale!),
      shift: backend.address(shift!),
      y: backend.storedAddress(y),
      statistics: backend.address(statistics),
      rows,
      dim,
      epsilon,
      chunkRows,
      rounded,
    });
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
      backend.run('layerNormGradient', chunks, {
        dy: backend.address(dy!),
        x: backend.address(x!),
        scale: backend.address(scale!),
        statistics: backend.address(statistics!),
        dx: backend.address(dx),
        parts,
        rows,
        dim,
        chunkRows,
      });
      const [scaleOut, shiftOut] = [backend.address(dScale), backend.address(dShift)];
      const [columns, stride] = [dim, 2 * dim];
      backend.perform(({ kernels }) => {
        kernels.sumRows({ x: parts, rows: chunks, columns, stride, out: scaleOut });
        kernels.sumRows({ x: offset(parts, dim), rows: chunks, columns, stride, out: shiftOut });
      });
    });
    return [dx, dScale, dShift];
  },
);
