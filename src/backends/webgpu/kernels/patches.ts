/** VitPatchify, VitUnpatchify and their gradients, each of which is the other: src/ops/patches.ts says what they are. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { invocations, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';

interface PatchGrid {
  patchSize: number;
  rows: number;
  columns: number;
}

function rearrange(
  backend: VitBackend,
  x: TensorInfo,
  { patchSize, rows, columns }: PatchGrid,
  to: 'patches' | 'images',
): TensorInfo {
  const size = sizeOf(x.shape);
  const batch = size / (rows * columns * patchSize ** 2 * 3);
  const y = backend.output(
    to === 'patches' ? [batch, rows * columns, patchSize ** 2 * 3] : [batch, rows * patchSize, columns * patchSize, 3],
  );
  const run = patchSize * 3; // values of a patch that lie side by side in an image too
  const { lanes } = lanesFor(x, run);
  const width = run / lanes;
  const count = size / lanes;
  const { begin, ...layout } = invocations(count);
  backend.run({
    name: `patches, to ${to}`,
    sizes: { size, patchSize, rows, columns },
    reads: { x: lanesFor(x, run) },
    writes: { y: lanesFor(y, run) },
    ...layout,
    // In patches: (image and row of patches, column of patches, row in the patch, value). In images the middle two swap.
    code: () => ({
      body: `
        ${begin}
        let value = i % ${width}u;
        let row = (i / ${width}u) % ${patchSize}u;
        let column = (i / ${width * patchSize}u) % ${columns}u;
        let band = i / ${width * patchSize * columns}u;
        let image = ((band * ${patchSize}u + row) * ${columns}u + column) * ${width}u + value;
        ${to === 'patches' ? 'y[i] = x[image];' : 'y[image] = x[i];'}`,
    }),
  });
  return y;
}

const kernel = (name: string, to: 'patches' | 'images', from: 'input0' | 'dy') =>
  defineKernel<PatchGrid>(name, (backend, inputs, grid) => rearrange(backend, inputs[from]!, grid, to));

export const patchKernels = [
  kernel('VitPatchify', 'patches', 'input0'),
  kernel('VitPatchifyGrad', 'images', 'dy'),
  kernel('VitUnpatchify', 'images', 'input0'),
  kernel('VitUnpatchifyGrad', 'patches', 'dy'),
];
