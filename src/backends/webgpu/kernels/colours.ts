/** VitMixColours: src/ops/colours.ts says what it is. */
import { sizeOf } from '../../kernels.js';
import { COLOURS_KERNEL } from '../../../ops/colours.js';
import { invocations, scalars } from '../pass.js';
import { readPixel } from '../passes/pixels.js';
import { defineKernel } from './kernel.js';

export const mixColours = defineKernel(COLOURS_KERNEL, (backend, inputs) => {
  const [images, matrices, offsets] = [inputs.images!, inputs.matrices!, inputs.offsets!];
  const y = backend.output(images.shape);
  const count = sizeOf(images.shape) / 3;
  const pixels = count / images.shape[0]!;
  const maps = matrices.shape[0]!;
  const { begin, ...layout } = invocations(count);
  backend.run({
    name: 'mixColours',
    sizes: { count, pixels, maps },
    reads: { x: scalars(images), matrices: scalars(matrices), offsets: scalars(offsets) },
    writes: { y: scalars(y) },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        let map = ${maps === 1 ? '0u' : `i / ${pixels}u`};
        let pixel = ${readPixel('x', 'i * 3u')};
        for (var c = 0u; c < 3u; c++) {
          let row = map * 9u + c * 3u;
          y[i * 3u + c] = dot(vec3<f32>(matrices[row], matrices[row + 1u], matrices[row + 2u]), pixel)
            + offsets[map * 3u + c];
        }`,
    }),
  });
  return y;
});
