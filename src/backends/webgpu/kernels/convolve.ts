/** VitConvolveEach: src/ops/convolve-each.ts says what it is. An invocation makes the three channels of a pixel. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { CONVOLVE_KERNEL } from '../../../ops/convolve-each.js';
import { invocations, scalars } from '../pass.js';
import { writePixel } from '../passes/pixels.js';
import { defineKernel } from './kernel.js';

const THREADS = 64;

export const convolveEach = defineKernel(CONVOLVE_KERNEL, (backend, inputs) => {
  const { images, kernels } = inputs as Record<'images' | 'kernels', TensorInfo>;
  const [batch, height, width] = images.shape as [number, number, number, number];
  const side = kernels.shape[3]!;
  const area = side * side;
  const margin = (side - 1) / 2;
  const y = backend.output(images.shape);
  const count = batch * height * width;
  const { begin, ...layout } = invocations(count, THREADS);
  const weight = (output: number, input: number): string => `kernels[own + ${(output * 3 + input) * area}u + tap]`;
  const weights = (input: number): string => `vec3<f32>(${[0, 1, 2].map((o) => weight(o, input)).join(', ')})`;
  backend.run({
    name: 'convolveEach',
    sizes: { batch, height, width, side },
    reads: { x: scalars(images), kernels: scalars(kernels) },
    writes: { y: scalars(y) },
    ...layout,
    code: () => ({
      body: `
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
        ${writePixel('y', 'i * 3u', 'sum')}`,
    }),
  });
  return y;
});
