/** VitPatchify, VitUnpatchify and their gradients, each of which is the other: src/ops/patches.ts describes them. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { definePass, invocations, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';

interface PatchGrid {
  patchSize: number;
  rows: number;
  columns: number;
}

type Direction = 'patches' | 'images';

/**
 * Patches are stored in the order (image and row of patches, column of patches, row in the patch, value), images with
 * the middle two exchanged. `size` is the number of values.
 */
const rearrangePass = definePass<{ size: number; patchSize: number; columns: number; to: Direction }, 'x', 'y'>(
  ({ to }) => `patches, to ${to}`,
  ({ size, patchSize, columns, to }, { x }) => {
    const width = (patchSize * 3) / x.lanes;
    const { begin, ...layout } = invocations(size / x.lanes);
    const body = `
      ${begin}
      let value = i % ${width}u;
      let row = (i / ${width}u) % ${patchSize}u;
      let column = (i / ${width * patchSize}u) % ${columns}u;
      let band = i / ${width * patchSize * columns}u;
      let image = ((band * ${patchSize}u + row) * ${columns}u + column) * ${width}u + value;
      ${to === 'patches' ? 'y[i] = x[image];' : 'y[image] = x[i];'}`;
    return { ...layout, body };
  },
);

function rearrange(
  backend: VitBackend,
  x: TensorInfo,
  { patchSize, rows, columns }: PatchGrid,
  to: Direction,
): TensorInfo {
  const size = sizeOf(x.shape);
  const batch = size / (rows * columns * patchSize ** 2 * 3);
  const y = backend.output(
    to === 'patches' ? [batch, rows * columns, patchSize ** 2 * 3] : [batch, rows * patchSize, columns * patchSize, 3],
  );
  const run = patchSize * 3; // values of a patch that are contiguous in an image too
  backend.run(rearrangePass({ size, patchSize, columns, to }, { x: lanesFor(x, run) }, { y: lanesFor(y, run) }));
  return y;
}

const kernel = (name: string, to: Direction, from: 'input0' | 'dy') =>
  defineKernel<PatchGrid>(name, (backend, inputs, grid) => rearrange(backend, inputs[from]!, grid, to));

export const patchKernels = [
  kernel('VitPatchify', 'patches', 'input0'),
  kernel('VitPatchifyGrad', 'images', 'dy'),
  kernel('VitUnpatchify', 'images', 'input0'),
  kernel('VitUnpatchifyGrad', 'patches', 'dy'),
];
