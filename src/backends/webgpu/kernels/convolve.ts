/** VitConvolveEach: src/ops/convolve-each.ts describes it. An invocation computes the three channels of a pixel. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { CONVOLVE_KERNEL } from '../../../ops/convolve-each.js';
import { definePass, invocations, scalars } from '../pass.js';
import { writePixel } from '../passes/pixels.js';
import { defineKernel } from './kernel.js';

const THREADS = 64;

const convolvePass = definePass<{ batch: number; height: number; width: number; side: number }, 'x' | 'kernels', 'y'>(
  'convolveEach',
  ({ batch, height, width, side }) => {
    const area = side * side;
    const margin = (side - 1) / 2;
    const weight = (output: number, input: number): string => `kernels[own + ${(output * 3 + input) * area}u + tap]`;
    const weights = (input: number): string => `vec3<f32>(${[0, 1, 2].map((o) => weight(o, input)).join(', ')})`;
    const { begin, ...layout } = invocations(batch * height * width, THREADS);
    const body = `
    ${begin}
    let image = i / ${height * width}u;
    let row = i32((i / ${width}u) % ${height}u) - ${margin};
    let column = i32(i % ${width}u) - ${margin};
    let own = image * ${9 * area}u;
    var sum = vec3<f32>(0.0);
    for (var u = 0; u < ${side}; u++) {
      let line = row + u;
      if (line < 0 || line >= ${height}) { continue; }
      for (var v = 0; v < ${side}; v++) {
        let place = column + v;
        if (place < 0 || place >= ${width}) { continue; }
        let at = ((image * ${height}u + u32(line)) * ${width}u + u32(place)) * 3u;
        let tap = u32(u * ${side} + v);
        sum += x[at] * ${weights(0)} + x[at + 1u] * ${weights(1)} + x[at + 2u] * ${weights(2)};
      }
    }
    ${writePixel('y', 'i * 3u', 'sum')}`;
    return { ...layout, body };
  },
);

export const convolveEach = defineKernel(CONVOLVE_KERNEL, (backend, inputs) => {
  const { images, kernels } = inputs as Record<'images' | 'kernels', TensorInfo>;
  const [batch, height, width] = images.shape as [number, number, number, number];
  const y = backend.output(images.shape);
  const sizes = { batch, height, width, side: kernels.shape[3]! };
  backend.run(convolvePass(sizes, { x: scalars(images), kernels: scalars(kernels) }, { y: scalars(y) }));
  return y;
});
