/** VitMixColours: src/ops/colours.ts describes it. */
import { COLOURS_KERNEL } from '../../../ops/colours.js';
import { sizeOf } from '../../kernels.js';
import { definePass, invocations, scalars } from '../pass.js';
import { readPixel } from '../passes/pixels.js';
import { defineKernel } from './kernel.js';

/** `pixels` of an image; `maps` is 1, or one for each image. */
const mixColoursPass = definePass<{ count: number; pixels: number; maps: number }, 'x' | 'matrices' | 'offsets', 'y'>(
  'mixColours',
  ({ count, pixels, maps }) => {
    const { begin, ...layout } = invocations(count);
    const body = `
    ${begin}
    let map = ${maps === 1 ? '0u' : `i / ${pixels}u`};
    let pixel = ${readPixel('x', 'i * 3u')};
    for (var c = 0u; c < 3u; c++) {
      let row = map * 9u + c * 3u;
      y[i * 3u + c] = dot(vec3<f32>(matrices[row], matrices[row + 1u], matrices[row + 2u]), pixel)
        + offsets[map * 3u + c];
    }`;
    return { ...layout, body };
  },
);

export const mixColours = defineKernel(COLOURS_KERNEL, (backend, inputs) => {
  const [images, matrices, offsets] = [inputs.images!, inputs.matrices!, inputs.offsets!];
  const y = backend.output(images.shape);
  const count = sizeOf(images.shape) / 3;
  const sizes = { count, pixels: count / images.shape[0]!, maps: matrices.shape[0]! };
  const reads = { x: scalars(images), matrices: scalars(matrices), offsets: scalars(offsets) };
  backend.run(mixColoursPass(sizes, reads, { y: scalars(y) }));
  return y;
});
