/** VitAdamW: src/ops/adamw.ts says what it is. In place, one pass for each parameter. */
import { sizeOf } from '../../kernels.js';
import { invocations, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';
import type { AdamWStep } from '../../../ops/adamw.js';

interface AdamWAttributes extends AdamWStep {
  rateScales: number[];
  weightDecays: number[];
}

export const adamW = defineKernel<AdamWAttributes>('VitAdamW', (backend, inputs, attributes) => {
  const { learningRate, beta1, beta2, epsilon, step, gradientScale, rateScales, weightDecays } = attributes;
  rateScales.forEach((rateScale, slot) => {
    const [value, first, second, gradient] = [0, 1, 2, 3].map((part) => inputs[String(4 * slot + part)]!);
    const size = sizeOf(value!.shape);
    const operand = lanesFor(value!, size);
    const count = size / operand.lanes;
    const { begin, ...layout } = invocations(count);
    const rate = learningRate * rateScale;
    backend.run({
      name: 'adamW',
      sizes: { size },
      reads: { gradient: lanesFor(gradient!, size) },
      writes: { value: operand, first: lanesFor(first!, size), second: lanesFor(second!, size) },
      // 1 − β is not left to float32, which would be wrong by 1e-5 for β = 0.999.
      uniforms: [
        ...[beta1, 1 - beta1, beta2, 1 - beta2],
        ...[1 - rate * weightDecays[slot]!, rate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), epsilon],
        ...[gradientScale, 0, 0, 0],
      ],
      ...layout,
      code: () => ({
        body: `
          ${begin}
          let g = gradient[i] * uniforms[2].x;
          let m = uniforms[0].x * first[i] + uniforms[0].y * g;
          let v = uniforms[0].z * second[i] + uniforms[0].w * g * g;
          first[i] = m;
          second[i] = v;
          value[i] = value[i] * uniforms[1].x - uniforms[1].y * m / (sqrt(v) * uniforms[1].z + uniforms[1].w);`,
      }),
    });
  });
  return [];
});
